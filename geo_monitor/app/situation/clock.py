"""The time a page shows: the present, a moment that stands still, or one that runs at so many times the real speed.

Pure: the wall clock is an argument. Times are ms UTC.
"""

from __future__ import annotations

from dataclasses import dataclass

from geo_monitor.app.situation.fixes import DAY_MS, SHANGHAI_MS, noon

SPEEDS = (1, 10, 60, 300, 600)
LIVE, STILL, PLAYING = "live", "still", "playing"


@dataclass(frozen=True)
class Clock:
    """`mode`: live, still or playing; shows `at` since the wall clock stood at `since`; `speed` while playing."""

    mode: str
    at: int = 0
    since: int = 0
    speed: int = 60

    def now(self, wall: int) -> int:
        """The moment shown when the wall clock stands at `wall`; a replay ends with its night, and never in the future.

        >>> hour = 3_600_000
        >>> Clock(PLAYING, 4 * hour, 100 * hour, 60).now(100 * hour + 60_000) / hour  # a minute at 60 times: an hour
        5.0
        >>> Clock(PLAYING, 4 * hour, 100 * hour, 600).now(101 * hour) / hour  # noon in Shanghai is 4:00 UTC
        28.0
        """
        if self.mode == LIVE:
            return wall
        if self.mode == STILL:
            return self.at
        return min(self.at + (wall - self.since) * self.speed, noon(self.at) + DAY_MS, wall)

    def ended(self, wall: int) -> bool:
        """Whether a replay has come to its end."""
        return self.mode == PLAYING and self.now(wall) >= min(noon(self.at) + DAY_MS, wall)

    def stopped(self, wall: int) -> Clock:
        """Standing still at what is shown."""
        return Clock(STILL, self.now(wall), wall, self.speed)

    def playing(self, wall: int) -> Clock:
        """Running from what is shown."""
        return Clock(PLAYING, self.now(wall), wall, self.speed)

    def faster(self, speed: int, wall: int) -> Clock:
        """At another speed, from what is shown."""
        return Clock(self.mode, self.now(wall), wall, speed)

    def moved(self, at: int, wall: int) -> Clock:
        """At another moment; a replay goes on from there."""
        return Clock(PLAYING if self.mode == PLAYING else STILL, at, wall, self.speed)


def parse(told: str | None) -> int | None:
    """ms UTC of a Shanghai time as addresses hold it, to the minute; None for anything else.

    >>> parse("1970-01-01T08:01"), parse("tonight"), parse(None)
    (60000, None, None)
    """
    from datetime import UTC, datetime

    try:
        moment = datetime.strptime(told or "", "%Y-%m-%dT%H:%M").replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(moment.timestamp() * 1000) - SHANGHAI_MS


def told(ms: int, seconds: bool = False) -> str:
    """The Shanghai time of ms UTC as addresses and charts hold it.

    >>> told(60_000)
    '1970-01-01T08:01'
    """
    from datetime import UTC, datetime

    moment = datetime.fromtimestamp((ms + SHANGHAI_MS) / 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}" if seconds else f"{moment:%Y-%m-%dT%H:%M}"
