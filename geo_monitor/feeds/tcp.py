"""TCP: we connect to a sender (`Client`), or senders connect to us (`Listener`)."""

from __future__ import annotations

import logging
import selectors
import socket

from geo_monitor.feeds import sockets
from geo_monitor.feeds.address import Address
from geo_monitor.feeds.received import CHUNK, Piece, Received, now_ms
from geo_monitor.settings import Settings

log = logging.getLogger("geo_monitor")
LOOK = 0.5  # seconds after which a waiting thread looks whether the source is closed


class Client(Received):
    """Reads one server; a lost connection is tried again with growing pauses. A full queue stops the reading, and by
    TCP itself the sender."""

    def __init__(self, address: Address, settings: Settings, role: str | None) -> None:
        super().__init__(address, settings, role)
        self.start(self._receive, "feed")

    def _receive(self) -> None:
        pauses = self.pauses()
        while not self.closing.is_set():
            try:
                with socket.create_connection((self.address.host, self.address.port), timeout=10) as held:
                    log.info("feed %s: connected", self.name)
                    sockets.keep_alive(held)
                    held.settimeout(LOOK)
                    if self._drain(held):
                        pauses.success()
                reason = "the other side ended the connection"
            except OSError as error:
                reason = str(error)
            if self.closing.is_set() or not pauses.wait("feed %s: %s", self.name, reason):
                return

    def _drain(self, held: socket.socket) -> bool:
        """Reads until the connection ends; whether anything came. What was cut is a line of its own."""
        came = False
        try:
            while not self.closing.is_set():
                try:
                    data = held.recv(CHUNK)
                except TimeoutError:
                    continue
                if not data:
                    break
                came = True
                self.queue.put(Piece("", now_ms(), data))
        finally:
            self.queue.put(Piece("", now_ms(), b"", whole=True))
        return came


class Listener(Received):
    """Accepts senders, up to `feed_senders` at once; each is a stream of its own."""

    def __init__(self, address: Address, settings: Settings, role: str | None) -> None:
        super().__init__(address, settings, role)
        self._door = sockets.listening(address, socket.SOCK_STREAM)
        self.port: int = self._door.getsockname()[1]
        self.start(self._receive, "feed")

    def unit(self, sender: str) -> str:
        """Senders are told apart by their host: ports change with every connection."""
        return super().unit(sender.rpartition(" ")[0])

    def _receive(self) -> None:
        known: dict[socket.socket, str] = {}
        with selectors.DefaultSelector() as ready:
            self._door.setblocking(False)
            ready.register(self._door, selectors.EVENT_READ)
            try:
                while not self.closing.is_set():
                    for key, _ in ready.select(LOOK):
                        held = key.fileobj
                        if held is self._door:
                            self._accept(ready, known)
                        elif isinstance(held, socket.socket):
                            self._one(held, ready, known)
            finally:
                for held in [*known, self._door]:
                    held.close()

    def _accept(self, ready: selectors.BaseSelector, known: dict[socket.socket, str]) -> None:
        try:
            held, peer = self._door.accept()
        except OSError as error:
            log.warning("feed %s: %s", self.name, error)
            return
        if len(known) >= self.settings.feed_senders:
            log.warning("feed %s: %s turned away, %d senders are connected", self.name, peer[0], len(known))
            held.close()
            return
        held.setblocking(False)
        sockets.keep_alive(held)
        known[held] = f"{peer[0]} {peer[1]}"
        ready.register(held, selectors.EVENT_READ)
        log.info("feed %s: %s connected", self.name, peer[0])

    def _one(self, held: socket.socket, ready: selectors.BaseSelector, known: dict[socket.socket, str]) -> None:
        try:
            data = held.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            log.warning("feed %s: %s: %s", self.name, known[held], error)
            data = b""
        self.queue.put(Piece(known[held], now_ms(), data, whole=not data))
        if not data:
            log.info("feed %s: %s is gone", self.name, known.pop(held))
            ready.unregister(held)
            held.close()
