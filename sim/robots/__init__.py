"""Robots on a grid: floor maps, problems, path finding and its independent checker."""
