"""Compiled loops of the simulator. Each is reached through one thin function or class outside this folder."""
