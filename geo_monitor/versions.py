"""From when to when each version of a zone stands: the one rule that store, joins and map share.

What a later upload states for a zone holds from its beginning on. Rows of one upload for one zone are that zone's
rules: those that begin at the same moment hold side by side (several rules, or several parts), the next beginning
ends them. So a correction that shortens a validity ends the zone, and a version of a future date leaves the one before
it in force until then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo_monitor.tracks import NEVER, milliseconds

if TYPE_CHECKING:
    import pandas as pd

FOREVER = np.iinfo(np.int64).max


def identity(zones: pd.DataFrame) -> np.ndarray:
    """agency and zone_id of each row as one text (n,): two agencies may use one zone_id."""
    agency = zones["agency"].astype(object).where(zones["agency"].notna(), "")
    return np.array([f"{a}\x1f{z}" for a, z in zip(agency, zones["zone_id"], strict=True)], dtype=object)


def standing(zones: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """First moment (n,) and end (n,), exclusive, ms UTC, in which each row stands; end <= first: never.

    zones: agency, zone_id, version, valid_from, valid_to (exclusive; empty = always), receipt_id. All versions of a
    later upload are higher than those of an earlier one; of two uploads with one version the later row is the newer.

    Version 1 holds always; version 2, of another upload, from day 10 to day 20: 1 until day 10, 2 until day 20, then
    nothing.

    >>> import pandas as pd
    >>> days = pd.to_datetime([None, "1970-01-11"], utc=True), pd.to_datetime([None, "1970-01-21"], utc=True)
    >>> zones = pd.DataFrame({"agency": "a", "zone_id": "z", "version": [1, 2], "valid_from": days[0],
    ...     "valid_to": days[1], "receipt_id": ["r", "s"]})
    >>> (standing(zones)[1] / 86_400_000).tolist()
    [10.0, 20.0]
    """
    if not len(zones):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    begin, until = milliseconds(zones["valid_from"]), milliseconds(zones["valid_to"])
    end = np.where(until == NEVER, FOREVER, until)
    version = zones["version"].to_numpy(dtype=np.int64)
    receipt = zones["receipt_id"].to_numpy(dtype=object)
    of: dict[str, list[int]] = {}
    for row, name in enumerate(identity(zones)):
        of.setdefault(name, []).append(row)
    for rows in of.values():
        for row in rows:
            for other in rows:
                if receipt[other] == receipt[row]:
                    takes_over = begin[other] > begin[row]
                else:
                    takes_over = (version[other], other) > (version[row], row)
                if takes_over:
                    end[row] = min(end[row], begin[other])
    return begin, end
