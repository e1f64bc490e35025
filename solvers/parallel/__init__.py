"""Solvers in processes of their own: the pool of workers and the process that a worker runs in."""
