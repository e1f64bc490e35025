"""Yielding: who blocks a robot that has come no nearer for long steps aside for a while.

Windows of a few steps cannot see that a robot has to back out of a dead end before another can enter. So a
robot that has come no nearer to its goal for `patience` steps has the robots on its way sent aside, each to the
nearest cell off that way; where there is none, as in a corridor between two bays, it steps aside itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container

import numpy as np
from numpy.typing import NDArray

REACH = 24
"""Cells of a way that are kept clear."""
BLOCKERS = 3
MAX_VISITED = 600
STUCK_AT_A_TIME = 4

SendAside = Callable[[int, int], None]


class Yielding:
    """Keeps who steps aside, where to, and until when.

    Args:
        neighbours: int32 (cells, 4).
        way: gives the cells of a robot's shortest way from where it stands, at most so many.
        robots: their number.
        patience: steps without coming nearer after which others make way.
    """

    def __init__(
        self, neighbours: NDArray[np.int32], way: Callable[[int, int], list[int]], robots: int, patience: int
    ) -> None:
        self.neighbours = neighbours
        self._way = way
        self._patience = patience
        self._now = 0
        self.aside = np.full(robots, -1, np.int32)
        self.until = np.zeros(robots, np.int64)

    def expired(self) -> NDArray[np.int64]:
        """Robots that may go on now; counts the step."""
        self._now += 1
        aside = self.sent_aside()
        done = aside[self.until[aside] <= self._now]
        self.aside[done] = -1
        return done

    def sent_aside(self) -> NDArray[np.int64]:
        """Robots that step aside at present."""
        found: NDArray[np.int64] = (self.aside >= 0).nonzero()[0]
        return found

    def stuck(self, waited: NDArray[np.int32]) -> NDArray[np.int64]:
        """Robots that others should make way for; `waited` int32 (robots,), steps without coming nearer."""
        long: NDArray[np.int64] = (waited >= self._patience).nonzero()[0]
        return long[self.aside[long] < 0]

    def decide(
        self,
        stuck: NDArray[np.int64],
        waited: NDArray[np.int32],
        urgency: NDArray[np.int64],
        cell: NDArray[np.int32],
        standing: NDArray[np.int32],
    ) -> list[int]:
        """Robots newly sent aside, to `aside`; `waited` of those helped is set back.

        Args:
            stuck: those of `stuck`.
            waited: int32 (robots,), steps without coming nearer; urgency: int64 (robots,).
            cell: int32 (robots,), where they stand; standing: int32 (cells,), who stands there, or -1.
        """
        sent: list[int] = []
        for robot in stuck[np.argsort(-urgency[stuck], kind="stable")][:STUCK_AT_A_TIME].tolist():
            if self.aside[robot] >= 0:
                continue
            waited[robot] = 0
            way = self._way(robot, REACH)
            blockers = [int(standing[c]) for c in way if standing[c] >= 0 and standing[c] != robot][:BLOCKERS]
            # The farthest first: the nearer ones need the room.
            for blocker in reversed(blockers):
                if self.aside[blocker] >= 0:
                    continue
                if self._send(blocker, cell, set(way), {int(cell[robot])}, len(way)):
                    sent.append(blocker)
                    continue
                other_way = self._way(blocker, REACH)
                if self._send(robot, cell, set(other_way), {int(cell[blocker])}, len(other_way)):
                    sent.append(robot)
                    waited[blocker] = 0
                    break
        return sent

    def _send(
        self, robot: int, cell: NDArray[np.int32], clear: Container[int], walls: set[int], length: int
    ) -> bool:
        """Choose where a robot steps aside to: the nearest cell outside `clear` that nobody else goes to."""
        start = int(cell[robot])
        taken = set(self.aside[self.aside >= 0].tolist())
        distance = {start: 0}
        queue = deque([start])
        while queue and len(distance) < MAX_VISITED:
            here = queue.popleft()
            if here not in clear and here not in taken:
                self.aside[robot] = here
                # Time to drive there with turns, and for the other to pass.
                self.until[robot] = self._now + 4 + 3 * distance[here] + 2 * length
                return True
            for there in self.neighbours[here].tolist():
                if there >= 0 and there not in distance and there not in walls:
                    distance[there] = distance[here] + 1
                    queue.append(there)
        return False
