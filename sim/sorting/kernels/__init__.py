"""Compiled loops of sorters."""
