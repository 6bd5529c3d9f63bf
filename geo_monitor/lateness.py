"""How late rows came: from the day of each row to the day its upload was received, days in Asia/Shanghai.

In: the store, receipts. Out: what `quality.months` asks for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo_monitor.quality import TIMED
from geo_monitor.store.schema import RECORDS
from geo_monitor.tables import TIMEZONE

if TYPE_CHECKING:
    import pandas as pd

    from geo_monitor.store import Store


def lateness(store: Store, receipts: pd.DataFrame) -> pd.DataFrame:
    """receipt_id, days (receipt minus row, whole days), rows, again (of those, third or later versions), by receipt and
    delay, of the rows stored with `receipts` (table `receipts`, or some of it). Only days and counts leave here, so
    somebody who may read the book but not the reports may ask.

    Fixes lie in folders by day, and each file says how many rows of which receipt it holds; of days that were let go the
    store knows it.
    """
    import numpy as np
    import pandas as pd

    from geo_monitor.store import expire, positions

    received = receipts.set_index("receipt_id")["received_at"].dt.tz_convert(TIMEZONE).dt.normalize()
    parts_held = positions.parts(store.root / "positions", received.index, store.held_from, None)
    held_rows = [(day, name, told.rows) for day, name, told in positions.asked(parts_held, positions.said)]
    held_rows += [row for row in expire.of_days(store) if row[1] in received.index]
    fixes = [
        (name, pd.Timestamp(str(np.datetime64(day, "D")), tz=TIMEZONE), count, 0) for day, name, count in held_rows
    ]
    parts = [pd.DataFrame(fixes, columns=["receipt_id", "day", "rows", "again"])]
    for kind, column in TIMED.items():
        if kind in RECORDS:
            held = store.history(kind)
            held = held[held["receipt_id"].isin(received.index)]
            day = held[column].dt.tz_convert(TIMEZONE).dt.normalize()
            again = (held["version"] > 2).astype(int)
            parts.append(pd.DataFrame({"receipt_id": held["receipt_id"], "day": day, "rows": 1, "again": again}))
    late = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    late["days"] = [(received[name] - day).days for name, day in zip(late["receipt_id"], late["day"], strict=True)]
    return late.groupby(["receipt_id", "days"], as_index=False)[["rows", "again"]].sum()
