"""Sockets: opening them, and telling people why one can't be opened."""

from __future__ import annotations

import contextlib
import socket

from geo_monitor.errors import Refused
from geo_monitor.feeds.address import Address


def listening(address: Address, kind: socket.SocketKind) -> socket.socket:
    """A socket bound to the address. Raises `Refused("feed_address_taken")`."""
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            address.host, address.port, type=kind, flags=socket.AI_PASSIVE
        )[0]
        held = socket.socket(family, kind, protocol)
    except OSError as error:
        raise Refused("feed_address_taken", feed=address.name, reason=error.strerror or str(error)) from None
    try:
        if kind == socket.SOCK_STREAM:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(where)
        if kind == socket.SOCK_STREAM:
            held.listen(16)
    except OSError as error:
        held.close()
        raise Refused("feed_address_taken", feed=address.name, reason=error.strerror or str(error)) from None
    return held


def keep_alive(held: socket.socket) -> None:
    """A peer that is gone without a word is noticed within about a minute."""
    held.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, name):
            with contextlib.suppress(OSError):  # not every system lets the times be set
                held.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
