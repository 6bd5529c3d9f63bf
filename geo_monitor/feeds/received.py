"""What every source with a socket shares: a bounded queue between the thread that receives and the one that reads."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from geo_monitor.feeds.address import Address
from geo_monitor.feeds.fix import Batch
from geo_monitor.feeds.lines import Lines
from geo_monitor.feeds.splitter import Splitter
from geo_monitor.settings import Settings

log = logging.getLogger("geo_monitor")
CHUNK = 65_536  # bytes read at once
OVERHEAD = 500  # bytes that a piece takes in memory besides its own
SENDERS = 1_024  # senders whose unfinished lines and AIS parts are remembered


def now_ms() -> int:
    """The clock at reception, ms UTC."""
    return time.time_ns() // 1_000_000


@dataclass
class Piece:
    """What came at once from one sender. whole: it ends here (a datagram, a message, a lost connection)."""

    sender: str
    received: int
    data: bytes
    whole: bool = False
    ack: Any = None
    read: Batch | None = None  # where it has been read already


class Queue:
    """Pieces up to so many bytes; `put` waits for room or says that there is none."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._pieces: deque[Piece] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._error: BaseException | None = None

    def put(self, piece: Piece, wait: bool = True) -> bool:
        """False where there is no room (`wait` false), or the source is closed."""
        size = len(piece.data) + OVERHEAD
        with self._changed:
            while not self._closed and self._size > 0 and self._size + size > self._most:
                if not wait:
                    return False
                self._changed.wait()
            if self._closed:
                return False
            self._pieces.append(piece)
            self._size += size
            self._changed.notify_all()
            return True

    def take(self, wait: float) -> Piece | None:
        """The next piece, None after `wait` seconds without one. Raises what the receiving thread died of."""
        with self._changed:
            self._changed.wait_for(lambda: self._pieces or self._closed or self._error, timeout=wait)
            if self._pieces:
                piece = self._pieces.popleft()
                self._size -= len(piece.data) + OVERHEAD
                self._changed.notify_all()
                return piece
            if self._error is not None:
                raise self._error
            return None

    def fail(self, error: BaseException) -> None:
        """The receiving thread can't go on: `take` raises."""
        with self._changed:
            self._error = error
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class Received:
    """A source whose pieces come through a `Queue`. Those that inherit start threads with `start` and put pieces."""

    def __init__(self, address: Address, settings: Settings, role: str | None) -> None:
        self.address = address
        self.name = address.name
        self.settings = settings
        self.role = role
        self.queue = Queue(round(settings.feed_queue_mb * 1e6))
        self.closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self._senders: OrderedDict[str, tuple[Splitter, Lines]] = OrderedDict()

    def start(self, work: Callable[[], None], name: str) -> None:
        """Runs `work` in a thread; what it dies of is raised by `read`."""

        def run() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - raised again in the thread that reads
                self.queue.fail(error)

        thread = threading.Thread(target=run, name=f"{name} {self.name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def pauses(self) -> Pauses:
        return Pauses(self.settings, self.closing)

    def unit(self, sender: str) -> str:
        """Whose the GPS sentences of a sender are that name no source."""
        return self.address.options.get("unit") or (f"{self.name} {sender}" if sender else self.name)

    def owner(self, sender: str) -> str | None:
        """Whose a JSON object of a sender is that tells no unit."""
        return self.address.options.get("unit")

    # --- Source ------------------------------------------------------------------------------------------------------
    def read(self, wait: float) -> Batch | None:
        """See `Source.read`. Raises what the receiving thread died of."""
        batch = Batch()
        piece = self.queue.take(wait)
        while piece is not None:
            self._read(piece, batch)
            if batch.lines >= self.settings.feed_batch:
                break
            piece = self.queue.take(0)
        return None if self.closing.is_set() and not batch.lines and not batch.acks else batch

    def stored(self, batch: Batch) -> None:
        for ack in batch.acks:
            self.acknowledge(ack)

    def acknowledge(self, ack: Any) -> None:
        """Tells a sender that a piece is stored; a source without answers has nothing to tell."""

    def close(self) -> None:
        self.closing.set()
        self.queue.close()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(timeout=5)

    # --- lines -------------------------------------------------------------------------------------------------------
    def _read(self, piece: Piece, batch: Batch) -> None:
        if piece.ack is not None:
            batch.acks.append(piece.ack)
        if piece.read is not None:
            batch.fixes += piece.read.fixes
            batch.refused += piece.read.refused
            batch.left += piece.read.left
            return
        splitter, lines = self._sender(piece.sender, batch)
        if self.messages:
            lines.body(piece.data, piece.received, batch)
            return
        for line in splitter.feed(piece.data):
            lines.line(line, piece.received, batch)
        if piece.whole:
            for line in splitter.end():
                lines.line(line, piece.received, batch)

    messages = False  # pieces are whole messages

    @staticmethod
    def too_large() -> Batch:
        """A message that is too large, as a batch."""
        batch = Batch()
        batch.refuse("…", "feed_body_large")
        return batch

    def _sender(self, sender: str, batch: Batch) -> tuple[Splitter, Lines]:
        found = self._senders.get(sender)
        if found is None:
            lines = Lines(self.unit(sender), self.settings, self.role, owner=self.owner(sender))
            found = Splitter(self.settings.feed_line_bytes), lines
            self._senders[sender] = found
            if len(self._senders) > SENDERS:
                _, (_, lines) = self._senders.popitem(last=False)
                lines.end(batch)
        else:
            self._senders.move_to_end(sender)
        return found


class Pauses:
    """Growing pauses between tries: `feed_pause_s`, doubled up to `feed_pause_most_s`, small again after a success."""

    def __init__(self, settings: Settings, closing: threading.Event) -> None:
        self._settings = settings
        self._closing = closing
        self._next = settings.feed_pause_s

    def success(self) -> None:
        self._next = self._settings.feed_pause_s

    def wait(self, what: str, *args: object) -> bool:
        """Tells the log what happened and waits; False where the source is closed meanwhile."""
        pause = self._next
        self._next = min(pause * 2, self._settings.feed_pause_most_s)
        log.warning(f"{what}; next try in %g s", *args, pause)
        return not self._closing.wait(pause)
