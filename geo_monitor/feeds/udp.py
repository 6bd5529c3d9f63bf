"""UDP: datagrams sent to us, each with whole lines. Nobody can be made to wait: what does not fit is dropped, and told."""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import socket
import struct
import time

from geo_monitor.feeds import sockets
from geo_monitor.feeds.address import Address
from geo_monitor.feeds.received import Piece, Received, now_ms
from geo_monitor.feeds.tcp import LOOK
from geo_monitor.settings import Settings

log = logging.getLogger("geo_monitor")
BUFFER = 4_000_000  # bytes the system is asked to hold for us
TELL_S = 10.0  # seconds between two lines of the log about drops


class Datagrams(Received):
    """`dropped` counts the datagrams that found the queue full."""

    def __init__(self, address: Address, settings: Settings, role: str | None) -> None:
        super().__init__(address, settings, role)
        self.dropped = 0
        self._socket = sockets.listening(address, socket.SOCK_DGRAM)
        with contextlib.suppress(OSError):  # a system may allow less
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        _join_group(self._socket, address.host)
        self._socket.settimeout(LOOK)
        self.port: int = self._socket.getsockname()[1]
        self.start(self._receive, "feed")

    def _receive(self) -> None:
        told, told_at = 0, -TELL_S
        with self._socket:
            while not self.closing.is_set():
                try:
                    data, peer = self._socket.recvfrom(65_536)
                except TimeoutError:
                    data = b""
                except OSError as error:
                    log.warning("feed %s: %s", self.name, error)
                    self.closing.wait(LOOK)
                    continue
                if data and not self.queue.put(Piece(peer[0], now_ms(), data, whole=True), wait=False):
                    self.dropped += 1
                if self.dropped > told and time.monotonic() - told_at >= TELL_S:
                    log.warning("feed %s: %d datagrams dropped, the queue is full", self.name, self.dropped - told)
                    told, told_at = self.dropped, time.monotonic()


def _join_group(held: socket.socket, host: str) -> None:
    """Joins a multicast group of IPv4, where the host is one."""
    try:
        group = ipaddress.IPv4Address(host)
    except ValueError:
        return
    if group.is_multicast:
        member = struct.pack("4sL", group.packed, socket.INADDR_ANY)
        held.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
