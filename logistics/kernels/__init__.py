"""Compiled loops of the domain; each is reached through one typed function of the module that uses it."""
