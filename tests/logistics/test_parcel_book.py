"""The dispatcher's pools: who stands in line where does not depend on who has looked at them."""

from __future__ import annotations

import numpy as np
import pytest

from logistics.dispatch.book import ParcelBook, Status

STATION = 3


def filed(book: ParcelBook, *rows: int) -> None:
    book.put(Status.READY, np.array(rows, dtype=np.int32), np.full(len(rows), STATION))


@pytest.mark.parametrize("looked_at_meanwhile", [False, True])
def test_a_parcel_that_comes_back_joins_the_end_of_the_line(looked_at_meanwhile: bool) -> None:
    book = ParcelBook()
    filed(book, 0, 1, 2)
    book.status[1] = Status.OUT
    if looked_at_meanwhile:
        assert book.pool(Status.READY, STATION).tolist() == [0, 2]
    filed(book, 4)
    filed(book, 1)
    assert book.pool(Status.READY, STATION).tolist() == [0, 2, 4, 1]
    assert book.pool(Status.READY, STATION).tolist() == [0, 2, 4, 1]
