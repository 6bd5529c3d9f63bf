"""Rows of a frame, one at a time, for drawing and for sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from geo_monitor.app.deck import plain

if TYPE_CHECKING:
    import pandas as pd


def rows(frame: pd.DataFrame) -> Iterator[Any]:
    """The rows of `frame` as named tuples, without the index.

    >>> import pandas as pd
    >>> [row.km for row in rows(pd.DataFrame({"km": [1, 2]}))]
    [1, 2]
    """
    yield from frame.itertuples(index=False)


def zone_name(row: Any) -> str:
    """The id under which a row of `zones` is drawn and chosen."""
    agency, zone_id, version = zone_key(row)
    return f"zone|{plain(agency)}|{plain(zone_id)}|{version}"


def zone_key(row: Any) -> tuple[str, str, int]:
    """What tells a row of `zones` from all others: agency, zone_id, version. Two agencies may use one zone_id."""
    agency = row.agency.strip() if isinstance(row.agency, str) else ""
    return agency, str(row.zone_id), int(row.version)
