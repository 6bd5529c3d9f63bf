"""Feeds: live positions from sockets, brokers, serial lines, phones, files and standard input, as fixes.

`open_source` gives a `Source`; `Source.read` gives a `Batch`; once its fixes are on the disk, `Source.stored` tells the
sender. `Sorter` cleans fixes of repeats, jumps, wrong clocks and two boats under one number. Rules: `docs/feeds.md`.
"""

from __future__ import annotations

from geo_monitor.feeds.address import Address
from geo_monitor.feeds.fix import Batch, Fix, Source
from geo_monitor.feeds.sorter import Sorted, Sorter
from geo_monitor.settings import Settings

__all__ = ["Batch", "Fix", "Sorted", "Sorter", "Source", "open_source"]


def open_source(feed: str, settings: Settings, mark: str | None = None, role: str | None = None) -> Source:
    """The source that `feed` names (addresses: `docs/feeds.md`).

    mark: `Batch.mark` of the last batch stored; a source that can go on from there does. role: "patrol" or "traffic" of
    lines that tell none (None: AIS is traffic, everything else patrol).

    Raises `Usage` for an address that can't be read, `Refused("feed_address_taken")` where another program listens
    there, `Refused("feed_mark_unreadable")`.
    """
    address = Address.of(feed)
    if address.kind in ("tcp", "tcp-listen"):
        from geo_monitor.feeds import tcp

        return (tcp.Client if address.kind == "tcp" else tcp.Listener)(address, settings, role)
    if address.kind == "udp":
        from geo_monitor.feeds.udp import Datagrams

        return Datagrams(address, settings, role)
    if address.kind in ("mqtt", "mqtts"):
        from geo_monitor.feeds.mqtt import Broker

        return Broker(address, settings, role)
    if address.kind == "serial":
        from geo_monitor.feeds.wire import Wire

        return Wire(address, settings, role)
    if address.kind == "http":
        from geo_monitor.feeds.http import Posts

        return Posts(address, settings, role)
    if address.kind == "-":
        from geo_monitor.feeds.pipe import Pipe

        return Pipe(settings, role)
    from geo_monitor.feeds.files import Files

    return Files(address, settings, mark, role)
