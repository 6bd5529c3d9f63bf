"""Which versions of a zone still hold at some time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def superseded(zones: pd.DataFrame) -> np.ndarray:
    """Rows (bool, n) of `zones` that never hold: a newer version from the same agency covers their whole validity.

    zones: agency, zone_id, version, valid_from, valid_to (exclusive; empty = always). Of two rows with one version the
    later row is the newer.
    """
    low, high = np.iinfo(np.int64).min, np.iinfo(np.int64).max
    begins, ends = _ms(zones["valid_from"], low), _ms(zones["valid_to"], high)
    version = zones["version"].to_numpy()
    gone = np.zeros(len(zones), dtype=bool)
    names = zones["agency"].fillna("") + "\x1f" + zones["zone_id"]
    for group in zones.groupby(names.to_numpy(), sort=False).indices.values():
        rows = np.asarray(group)
        for row in rows:
            newer = (version[rows] > version[row]) | ((version[rows] == version[row]) & (rows > row))
            gone[row] = bool(np.any(newer & (begins[rows] <= begins[row]) & (ends[rows] >= ends[row])))
    return gone


def _ms(times: pd.Series, empty: int) -> np.ndarray:
    stamps = times.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(dtype="datetime64[ms]").astype(np.int64)
    return np.where(times.isna(), empty, stamps)
