"""What happened to the rows of one upload while they were read: refused rows, notes, warnings."""

from __future__ import annotations

from collections.abc import Mapping
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


def add(grouped: dict[tuple[str, str], Message], message: Message, rows: tuple[int, ...]) -> None:
    """Counts a message with the others of its code and params."""
    params = dict(message.params)
    count = params.pop("count", 1)
    key = (message.code, repr(sorted(params.items())))
    held = grouped.get(key)
    count += held.params["count"] if held else 0
    together = held.rows if held else ()
    if len(together) < ROWS_NAMED or min(rows) < together[-1]:
        together = tuple(sorted({*together, *rows}))[:ROWS_NAMED]
    grouped[key] = Message(message.code, {"count": count, **params}, together)


class Book:
    """What the ledgers of several parts of an upload say, as if there were one: rows that were refused, or of which there
    is something to be told, for the same reason are counted together."""

    def __init__(self) -> None:
        self._reasons, self._warnings = _Joined(), _Joined()
        self.notes: list[Message] = []

    def expect(self, code: str, refused: bool = False, **params: Any) -> None:
        """Says what may be told, in the order of telling: parts come upon it in any."""
        (self._reasons if refused else self._warnings).place(code, params)

    def add(self, ledger: Ledger) -> NDArray[np.int32]:
        """Takes in what a ledger says; gives for each of its codes of reasons the one of all."""
        for message in ledger.warnings:
            self._warnings.add(message)
        return np.array(
            [0, *(self._reasons.add(message) + 1 for message in ledger.reasons if message is not None)], dtype=np.int32
        )

    def note(self, code: str, **params: Any) -> None:
        """As `Ledger.note`."""
        if (found := Message(code, params)) not in self.notes:
            self.notes.append(found)

    @property
    def reasons(self) -> list[Message | None]:
        """Why rows were refused, by code; None where no row was."""
        return [None, *self._reasons.messages()]

    @property
    def warnings(self) -> list[Message]:
        return [message for message in self._warnings.messages() if message is not None]


class _Joined:
    """Messages of the same code and params as one, counts added, the first rows named."""

    def __init__(self) -> None:
        self._at: dict[tuple[str, str], int] = {}
        self._held: list[tuple[str, dict[str, Any]]] = []
        self._count: list[int | None] = []  # None: said of no rows in particular
        self._rows: list[tuple[int, ...]] = []
        self._said: list[bool] = []

    def place(self, code: str, params: Mapping[str, Any]) -> int:
        key = (code, repr(sorted(params.items())))
        if key not in self._at:
            self._at[key] = len(self._held)
            self._held.append((code, dict(params)))
            self._count.append(None)
            self._rows.append(())
            self._said.append(False)
        return self._at[key]

    def add(self, message: Message) -> int:
        counted = message.rows and "count" in message.params
        at = self.place(message.code, {k: v for k, v in message.params.items() if not (counted and k == "count")})
        self._said[at] = True
        if counted:
            self._count[at] = (self._count[at] or 0) + message.params["count"]
            if len(self._rows[at]) < ROWS_NAMED or message.rows[0] < self._rows[at][-1]:
                self._rows[at] = tuple(sorted({*self._rows[at], *message.rows})[:ROWS_NAMED])
        return at

    def messages(self) -> list[Message | None]:
        return [
            Message(code, params if count is None else {"count": count, **params}, rows) if said else None
            for (code, params), count, rows, said in zip(self._held, self._count, self._rows, self._said, strict=True)
        ]
