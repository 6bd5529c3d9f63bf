"""Which versions of a zone still hold at some time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo_monitor.versions import standing

if TYPE_CHECKING:
    import pandas as pd


def superseded(zones: pd.DataFrame) -> np.ndarray:
    """Rows (bool, n) of `zones` (every version in force) that never hold: what came later took their whole time."""
    begin, end = standing(zones)
    return np.asarray(end <= begin, dtype=bool)
