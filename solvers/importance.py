"""What mandatory visits on no route weigh, by priority."""

from __future__ import annotations

from collections.abc import Sequence

MOST = 2**40  # bound on the sum of all weights; sums of it and costs stay exact in the kernels' floats


def level_weights(counts: Sequence[int], most: int = MOST) -> list[int]:
    """A weight for each level of priority, from the lowest up, of which `counts` has the numbers of visits.

    One of a level outweighs all of lower ones together; where the sum of all weights would pass `most`, the lowest
    levels weigh the same.
    """
    lowest = 0
    for merged, count in enumerate(counts, start=1):
        lowest += count
        weights, weight = [1] * merged, 1 + lowest
        for higher in counts[merged:]:
            weights.append(weight)
            weight *= 1 + higher
            if weight - 1 > most:
                break
        if weight - 1 <= most:
            return weights
    return [1] * len(counts)
