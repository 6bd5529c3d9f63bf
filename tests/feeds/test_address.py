"""Addresses of feeds."""

from __future__ import annotations

from pathlib import Path

import pytest

from geo_monitor.errors import Refused, Usage
from geo_monitor.feeds import open_source
from geo_monitor.feeds.address import Address
from geo_monitor.settings import Settings


@pytest.mark.parametrize(
    ("feed", "kind", "host", "port", "path"),
    [
        ("tcp://10.0.0.5:2000", "tcp", "10.0.0.5", 2000, ""),
        ("tcp-listen://:2000", "tcp-listen", "127.0.0.1", 2000, ""),
        ("udp://[::1]:5000", "udp", "::1", 5000, ""),
        ("mqtt://broker/boats/+/fix", "mqtt", "broker", 1883, "boats/+/fix"),
        ("mqtts://li:a%40b@broker/boats/%23", "mqtts", "broker", 8883, "boats/#"),
        ("http://:8080/phones?unit=x", "http", "127.0.0.1", 8080, "phones"),
        ("serial:///dev/ttyUSB0?baud=4800", "serial", "", 0, "/dev/ttyUSB0"),
        ("-", "-", "", 0, ""),
    ],
)
def test_addresses(feed: str, kind: str, host: str, port: int, path: str) -> None:
    found = Address.of(feed)
    assert (found.kind, found.host, found.port, found.path) == (kind, host, port, path)
    assert "a%40b" not in found.name
    assert "a@b" not in repr(found)


@pytest.mark.parametrize(
    "feed",
    [
        "ftp://h:1", "tcp://h", "tcp://:5", "tcp://h:70000", "tcp://h:x", "udp://", "mqtt://h:1", "mqtt://h/", "serial://",
        "serial:///dev/x?baud=fast", "tcp://h:1?colour=red", "tcp://h:1?unit=", "http://u@h:1", "/there/is/no/file", "",
        " ", "?unit=A",
    ],
)  # fmt: skip
def test_addresses_that_are_none(feed: str) -> None:
    with pytest.raises(Usage) as caught:
        open_source(feed, Settings()).close()
    assert str(caught.value)


def test_a_port_that_is_taken() -> None:
    source = open_source("http://127.0.0.1:0", Settings())
    try:
        for kind in ("http", "tcp-listen"):
            with pytest.raises(Refused, match="127"):
                open_source(f"{kind}://127.0.0.1:{source.port}", Settings())  # type: ignore[attr-defined]
    finally:
        source.close()


def test_a_mark_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.nmea"
    path.touch()
    for mark in ("", "{", "[]", "{}", '{"version": 2, "files": []}', '{"version": 1, "files": [{}]}'):
        with pytest.raises(Refused):
            open_source(str(path), Settings(), mark=mark)
