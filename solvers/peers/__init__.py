"""Adapters to other systems, for comparison. They need the extra `peers`."""
