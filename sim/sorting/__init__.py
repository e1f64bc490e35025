"""Sorting floors: robots on a grid, a cross-belt loop, and the day-long curve fitted to samples of them."""
