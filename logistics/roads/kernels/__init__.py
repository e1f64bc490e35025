"""Compiled inner loops of the roads. Flat typed arrays in, flat typed arrays out; no checks of their own."""
