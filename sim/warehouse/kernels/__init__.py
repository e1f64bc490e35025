"""Compiled loops of the warehouse models: flat typed arrays in, flat typed arrays out."""
