"""Moments as people type them, and as numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from geo_monitor.errors import Usage
from geo_monitor.tables import TIMEZONE

YEARS = range(1900, 2200)


def utc(ms: float) -> datetime:
    """The moment of milliseconds since 1970 UTC.

    >>> utc(1500).isoformat()
    '1970-01-01T00:00:01.500000+00:00'
    """
    return datetime.fromtimestamp(ms / 1000, UTC)


def shanghai_date(ms: int) -> str:
    """The Shanghai day of milliseconds since 1970 UTC, as people write it.

    >>> shanghai_date(1_700_064_000_000 - 1), shanghai_date(1_700_064_000_000)
    ('2023-11-15', '2023-11-16')
    """
    return utc(ms).astimezone(ZoneInfo(TIMEZONE)).date().isoformat()


def moment(value: str | datetime) -> datetime:
    """A moment in UTC. Without a zone it is Shanghai time; a bare date is its 00:00.

    Raises `Usage("time_unreadable")`.

    >>> moment("2026-06-01").isoformat(), moment("2026-06-01T08:00+09:00").isoformat()
    ('2026-05-31T16:00:00+00:00', '2026-05-31T23:00:00+00:00')
    """
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip().replace("/", "-"))
        except ValueError:
            raise Usage("time_unreadable", time=value) from None
    if value.year not in YEARS:  # a slip of the pen, and beyond what times in tables can hold
        raise Usage("time_unreadable", time=value.isoformat())
    if value.tzinfo is None:
        value = value.replace(tzinfo=ZoneInfo(TIMEZONE))
    return value.astimezone(UTC)
