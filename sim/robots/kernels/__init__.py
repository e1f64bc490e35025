"""Compiled kernels of robot path finding."""
