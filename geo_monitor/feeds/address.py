"""The address of a feed, taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote

from geo_monitor.errors import Usage

PORTS = {"tcp": 0, "tcp-listen": 0, "udp": 0, "mqtt": 1883, "mqtts": 8883, "http": 0}
OPTIONS = {"serial": {"unit", "baud"}, "mqtt": {"unit", "client"}, "mqtts": {"unit", "client", "ca"}}
HOST_PORT = re.compile(r"^(?:\[(?P<six>[0-9A-Fa-f:.%]+)\]|(?P<host>[^\[\]:/@]*))(?::(?P<port>\d{1,5}))?$")


@dataclass(frozen=True)
class Address:
    """kind: a scheme of `PORTS`, serial, file (file or folder) or "-". name: as told, without a password.

    path: MQTT topic, HTTP path, device or file. options: what stands behind "?".
    """

    kind: str
    name: str
    host: str = ""
    port: int = 0
    path: str = ""
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    options: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, feed: str) -> Address:
        """Raises `Usage("feed_unknown")`, `Usage("feed_address")`, `Usage("feed_option")`.

        >>> found = Address.of("mqtt://li:geheim@10.0.0.5/boats/#?unit=A1")
        >>> found.name, found.host, found.port, found.path, found.user, found.options
        ('mqtt://li@10.0.0.5/boats/#?unit=A1', '10.0.0.5', 1883, 'boats/#', 'li', {'unit': 'A1'})
        """
        if feed == "-":
            return cls("-", "-")
        scheme, found, rest = feed.partition("://")
        if not found or not re.fullmatch(r"[A-Za-z][A-Za-z-]*", scheme):
            return _file(feed)
        scheme = scheme.lower()
        if scheme not in PORTS and scheme != "serial":
            raise Usage("feed_unknown", feed=_hidden(feed))
        rest, _, query = rest.partition("?")
        options = _options(scheme, query, feed)
        if scheme == "serial":
            if not rest.startswith("/") or not options.get("baud", "1").isdigit():
                raise Usage("feed_address", feed=feed)
            return cls(scheme, feed, path=rest, options=options)
        where, _, path = rest.partition("/")
        who, at, where = where.rpartition("@")
        user, _, password = who.partition(":")
        match = HOST_PORT.match(where)
        port = int((match and match["port"]) or PORTS[scheme]) if match else -1
        told = bool(match and match["port"]) or PORTS[scheme]
        if not match or not told or port > 65_535 or (at and not scheme.startswith("mqtt")):
            raise Usage("feed_address", feed=_hidden(feed))
        host = match["six"] or match["host"]
        if not host and scheme in ("tcp", "mqtt", "mqtts"):
            raise Usage("feed_address", feed=_hidden(feed))
        if scheme.startswith("mqtt") and not path:
            raise Usage("feed_no_topic", feed=_hidden(feed))
        return cls(
            scheme, _hidden(feed), host or "127.0.0.1", port, unquote(path), unquote(user) or None,
            unquote(password) or None, options,
        )  # fmt: skip


def _hidden(feed: str) -> str:
    """`feed` without the password of its user."""
    scheme, _, rest = feed.partition("://")
    where, slash, path = rest.partition("/")
    who, at, where = where.rpartition("@")
    return f"{scheme}://{who.partition(':')[0]}{at}{where}{slash}{path}"


def _file(feed: str) -> Address:
    path, options = feed, {}
    if "?" in feed and not Path(feed).exists():
        path, _, query = feed.rpartition("?")
        options = _options("file", query, feed)
    if not path.strip():
        raise Usage("feed_unknown", feed=feed)
    return Address("file", feed, path=path, options=options)


def _options(scheme: str, query: str, feed: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    known = OPTIONS.get(scheme, {"unit"})
    for name, value in options.items():
        if name not in known or not value:
            raise Usage("feed_option", feed=_hidden(feed), option=name, options=sorted(known))
    return options
