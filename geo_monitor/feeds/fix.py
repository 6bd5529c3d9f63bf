"""What a feed gives: fixes, batches of them, and the face every source has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

SHOWN = 200  # characters of a refused line that are kept


class Fix(NamedTuple):
    """One live position: time in ms UTC, WGS84 degrees, speed in m/s and heading in degrees or None.

    role: "patrol" or "traffic". source: gps, ais, beidou or None. platform: one of `tables.PLATFORMS` or None.
    """

    unit_id: str
    time: int
    lon: float
    lat: float
    speed: float | None
    heading: float | None
    role: str
    source: str | None
    platform: str | None


@dataclass
class Batch:
    """What was read at once. refused: (line, shortened; code of a message). mark: where a source can go on from (JSON
    text), None where it can't. left: lines that are sound and hold no position (names of vessels, satellites …).

    acks are the source's own: what it tells the senders once the batch is stored.
    """

    fixes: list[Fix] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    mark: str | None = None
    left: int = 0
    acks: list[Any] = field(default_factory=list, repr=False)

    @property
    def lines(self) -> int:
        """Lines that were looked at."""
        return len(self.fixes) + len(self.refused) + self.left

    def refuse(self, line: str, code: str) -> None:
        """Notes a line that gives no fix; `code` is a message of the catalogue."""
        shown = "".join(c if c.isprintable() else "�" for c in line[: SHOWN + 1])
        self.refused.append((shown if len(shown) <= SHOWN else shown[: SHOWN - 1] + "…", code))


class Source(Protocol):
    """Where fixes come from. Used by one thread; `close` may come from another."""

    name: str  # the feed as told, without passwords

    def read(self, wait: float) -> Batch | None:
        """The next batch, after at most `wait` seconds (then it may be empty); None: nothing more will ever come."""

    def stored(self, batch: Batch) -> None:
        """The batch is on the disk: its senders may forget it."""

    def close(self) -> None:
        """Gives sockets, files and threads back. What was read and not told as stored comes again where senders can."""
