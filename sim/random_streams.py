"""Random streams keyed by seed, replication, entity and purpose, so that one more draw here moves none there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Streams:
    """The source of all randomness of one replication.

    Every (entity, purpose) has its own stream: a stable hash of the two names joins seed and replication in a
    `numpy.random.SeedSequence`. Which streams are asked for, and in which order, changes nothing, so two
    policies run under the same seed meet the same demand, travel times and faults (common random numbers).

    Raises `ValueError` for a negative seed or replication.
    """

    seed: int
    replication: int = 0

    def __post_init__(self) -> None:
        if self.seed < 0 or self.replication < 0:
            raise ValueError(
                f"seed {self.seed} and replication {self.replication} must not be negative; use 0, 1, 2, ..."
            )

    def generator(self, entity: str, purpose: str) -> np.random.Generator:
        """A generator at the beginning of that stream; ask once and keep it, asking again starts it over."""
        return np.random.Generator(np.random.PCG64(self._sequence("stream", entity, purpose)))

    def spawn_seed(self, entity: str, purpose: str) -> int:
        """A seed in [0, 2**31) for code that takes an integer, such as solvers."""
        word = self._sequence("seed", entity, purpose).generate_state(1, np.uint32)[0]
        return int(word) & 0x7FFFFFFF

    def _sequence(self, *names: str) -> np.random.SeedSequence:
        digest = hashlib.blake2b(digest_size=16)
        for name in names:
            encoded = name.encode()
            # The length goes first, so that ("ab", "c") and ("a", "bc") are different streams.
            digest.update(len(encoded).to_bytes(8, "little"))
            digest.update(encoded)
        words = [int(word) for word in np.frombuffer(digest.digest(), dtype="<u4")]
        # Of fixed length each: numpy splits big integers into words, which could run into each other.
        key = [*self.seed.to_bytes(16, "little"), *self.replication.to_bytes(8, "little"), *words]
        return np.random.SeedSequence(key)
