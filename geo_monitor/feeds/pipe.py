"""Standard input: what another program writes, until it ends."""

from __future__ import annotations

import os
import select
import sys

from geo_monitor.feeds.fix import Batch
from geo_monitor.feeds.lines import Lines
from geo_monitor.feeds.received import CHUNK, now_ms
from geo_monitor.feeds.splitter import Splitter
from geo_monitor.settings import Settings


class Pipe:
    """`-`. The pipe itself makes the other program wait."""

    name = "-"

    def __init__(self, settings: Settings, role: str | None) -> None:
        self.settings = settings
        self._file = sys.stdin.fileno()
        self._splitter = Splitter(settings.feed_line_bytes)
        self._lines = Lines(self.name, settings, role)
        self._ended = False

    def read(self, wait: float) -> Batch | None:
        if self._ended:
            return None
        batch = Batch()
        while batch.lines < self.settings.feed_batch and select.select([self._file], [], [], wait)[0]:
            wait = 0
            data = os.read(self._file, CHUNK)
            for line in self._splitter.feed(data) if data else self._splitter.end():
                self._lines.line(line, now_ms(), batch)
            if not data:
                self._ended = True
                self._lines.end(batch)
                return batch if batch.lines else None
        return batch

    def stored(self, batch: Batch) -> None:
        """A pipe can't be told."""

    def close(self) -> None:
        self._ended = True
