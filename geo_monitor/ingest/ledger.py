"""What happened to the rows of one upload while they were read: refused rows, notes, warnings."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo_monitor.ingest.receipt import ROWS_NAMED, Message


class Ledger:
    """Keeps, for n rows, why each was refused (0: not), and what is to be told.

    >>> import numpy as np
    >>> ledger = Ledger(np.array([1, 2, 3]))
    >>> ledger.refuse(np.array([False, True, True]), "time_missing")
    2
    >>> ledger.alive.tolist()
    [True, False, False]
    """

    def __init__(self, row: NDArray[np.int64]) -> None:
        self.row = row
        self.reason = np.zeros(len(row), dtype=np.int32)
        self.reasons: list[Message | None] = [None]
        self.notes: list[Message] = []
        self.warnings: list[Message] = []

    @property
    def alive(self) -> NDArray[np.bool_]:
        """Rows not refused so far."""
        return self.reason == 0

    def refuse(self, rows: ArrayLike, code: str, **params: Any) -> int:
        """Refuses `rows` (a mask) that are not refused yet; gives how many that were."""
        mask = np.asarray(rows, dtype=bool) & self.alive
        count = int(mask.sum())
        if count:
            self.reason[mask] = len(self.reasons)
            self.reasons.append(Message(code, {"count": count, **params}, self.numbers(mask)))
        return count

    def numbers(self, rows: ArrayLike) -> tuple[int, ...]:
        """Data row numbers of a mask, the first thousand."""
        return tuple(int(number) for number in self.row[np.flatnonzero(np.asarray(rows))[:ROWS_NAMED]])

    def note(self, code: str, **params: Any) -> None:
        """A rule applied as usual."""
        if not any(message.code == code and message.params == params for message in self.notes):
            self.notes.append(Message(code, params))

    def warn(self, code: str, rows: ArrayLike | None = None, **params: Any) -> None:
        """Something the sender should look at; `rows` is a mask, and nothing is told where it is all False."""
        if rows is None:
            found = Message(code, params)
        else:
            mask = np.asarray(rows, dtype=bool) & self.alive
            if not mask.any():
                return
            found = Message(code, {"count": int(mask.sum()), **params}, self.numbers(mask))
        if found not in self.warnings:  # a column may be looked at twice
            self.warnings.append(found)
