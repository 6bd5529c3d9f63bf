"""A serial line: an AIS receiver or a GPS at a port of this machine."""

from __future__ import annotations

import serial

from geo_monitor.feeds.address import Address
from geo_monitor.feeds.received import CHUNK, Piece, Received, now_ms
from geo_monitor.feeds.tcp import LOOK
from geo_monitor.settings import Settings

BAUD = 38_400  # AIS receivers (NMEA 0183-HS, IEC 61162-2)


class Wire(Received):
    """`serial:///dev/ttyUSB0?baud=38400`. A device that is pulled out is tried again with growing pauses."""

    def __init__(self, address: Address, settings: Settings, role: str | None) -> None:
        super().__init__(address, settings, role)
        self.start(self._receive, "feed")

    def _receive(self) -> None:
        pauses = self.pauses()
        baud = int(self.address.options.get("baud", BAUD))
        while not self.closing.is_set():
            try:
                with serial.Serial(f"/{self.address.path.lstrip('/')}", baud, timeout=LOOK) as line:
                    while not self.closing.is_set():
                        data = line.read(min(max(line.in_waiting, 1), CHUNK))
                        if data:
                            pauses.success()
                            self.queue.put(Piece("", now_ms(), data))
            except (OSError, ValueError) as error:  # SerialException is an OSError
                self.queue.put(Piece("", now_ms(), b"", whole=True))
                if self.closing.is_set() or not pauses.wait("feed %s: %s", self.name, error):
                    return
