"""A clock for the stages of long work, which tells how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Tell = Callable[[str, float], None]  # stage, share done 0..1


def silent(stage: str, share: float) -> None:
    """Tells nobody."""


class Stages:
    """Times each stage (`timings`, seconds) and tells how far it is."""

    def __init__(self, tell: Tell = silent) -> None:
        self.timings: dict[str, float] = {}
        self._tell = tell
        self._name = ""

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        self._name = name
        self.spent(name, 0.0)
        self._tell(name, 0.0)
        yield
        self.spent(name, time.perf_counter() - began)
        self._tell(name, 1.0)

    def spent(self, name: str, seconds: float) -> None:
        """Adds `seconds` to what a stage has taken so far."""
        self.timings[name] = round(self.timings.get(name, 0.0) + seconds, 3)

    def done(self, share: float) -> None:
        """Tells that `share` of the stage under way is done."""
        self._tell(self._name, share)
