"""What the store already has, as `ingest.Held` asks for it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sql

from geo_monitor.store.embedded import Store
from geo_monitor.store.schema import SQL

if TYPE_CHECKING:
    import pandas as pd


class Held:
    """A view of `store` for a reader of uploads; inside `store.writing()` it stays true until the commit."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def records(self, kind: str) -> pd.DataFrame:
        """Records of a kind in force, the newest version of each per agency, with agency, version and receipt_id."""
        return self._store.records(kind)

    def positions(self, unit_ids: Iterable[str], first: datetime, last: datetime) -> pd.DataFrame:
        """unit_id, time, lon, lat of fixes in force of these units, first <= time <= last."""
        import pandas as pd

        end = pd.Timestamp(last) + pd.Timedelta(milliseconds=1)
        names = ["unit_id", "time", "lon", "lat"]
        return self._store.positions(None, first, end, names, units=list(unit_ids)).to_pandas()

    def mmsi(self) -> set[str]:
        """AIS numbers of the units held."""
        return set(self._store.records("units")["mmsi"].dropna())

    def sha256(self, digest: str, kind: str) -> str | None:
        """The receipt in force that took in these bytes as this kind, or None.

        None too where an earlier upload of the kind was withdrawn since: rows of these bytes that were left out because
        that upload held them are held by nobody now.
        """
        receipts = SQL["receipts"]
        query = sql.select(receipts.c.receipt_id, receipts.c.row, receipts.c.received_at, receipts.c.withdrawn_at)
        same = query.where(receipts.c.sha256 == digest, receipts.c.kind == kind).order_by(receipts.c.row.desc())
        held = set(self._store.receipts_in_force(kinds=[kind]))
        found = next((row for row in self._store.rows(same) if row.receipt_id in held), None)
        if found is None:
            return None
        earlier = query.where(receipts.c.kind == kind, receipts.c.row < found.row)
        gone = earlier.where(receipts.c.withdrawn_at >= found.received_at)
        return None if self._store.rows(gone) else str(found.receipt_id)
