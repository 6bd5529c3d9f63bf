"""The store as one viewer may read it: the same calls as `Store`, with the rows that are not theirs left out.

Every table has its rule in `RULES`; one without a rule is not readable. Command line, exports, scripts and pages all
read through this face; only the analysis itself and the door for uploads see everything.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sqlalchemy as sql

from geo_monitor import tables
from geo_monitor.errors import Denied, Usage
from geo_monitor.store.accounts import Accounts, Share
from geo_monitor.store.database import ACCEPTED, Moment, table_of
from geo_monitor.store.rights import BORDERS, Viewer, inside, readable
from geo_monitor.store.schema import EXPIRED_UNITS, SQL

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from geo_monitor.settings import Settings
    from geo_monitor.store import Store
    from geo_monitor.store.positions import Box

# how a row is judged: everybody (law, water, sums over the basin), by its agency, by its reach(es), its unit, its report;
# or the right that opens the whole table
RULES: dict[str, str] = {
    "zones": "everybody", "jurisdictions": "everybody", "river_lines": "everybody", "rasters": "everybody",
    "reaches": "everybody", "links": "everybody", "locating": "everybody",
    "levels": "everybody",
    "near_repeat": "everybody", "relapse_curve": "everybody", "runs": "everybody",
    "positions": "agency", "units": "agency", "seizures": "agency", "patrols": "agency", "persons": "agency",
    "receipts": "agency", "quality": "agency", "quality_scores": "agency",
    "effort": "reach", "hotspots": "reach", "forecast": "reach", "why": "reach",
    "clusters": "reaches", "reemergence": "reaches", "displacement": "reaches",
    "effort_gaps": "unit", "zone_visits": "unit", "predictability": "unit",
    "seizure_links": "report",
    "events": "localities", "warnings": "locality", "taskings": "warning", "rules": "everybody",
    "audit": "audit",
}  # fmt: skip
UPLOADED = ("zones", "levels", "jurisdictions", "river_lines", "rasters")  # readable by whoever sends uploads, too
NEAREST = ("nearest_unit_id", "nearest_unit_m", "nearest_unit_s")
WHILE_READING_MS = 3_600_000  # an upload that came while an analysis began may have been read by it
BOOKS = ("receipts", "runs", "quality", "quality_scores")  # readable by auditors, whole


class Seen:
    """`store` as `viewer` may read it."""

    def __init__(self, store: Store, viewer: Viewer, settings: Settings) -> None:
        self._store = store
        self.viewer = viewer
        self._accounts = Accounts(store, settings)

    @cached_property
    def agencies(self) -> Collection[str] | None:
        """The agencies whose rows are seen in full; None: all."""
        if self.viewer.everywhere:
            return None
        return readable(self.viewer, self._accounts.agencies(self.viewer.adcodes))

    @property
    def _listed(self) -> Collection[str] | None:
        """The agencies whose receipts are seen; None: all."""
        return None if "books" in self.viewer.rights else self.agencies

    def _may(self, name: str) -> str:
        """The rule of a table. Raises `Denied("not_allowed")` where the viewer may read none of it."""
        rule = RULES[name]
        if rule == "audit":
            self.viewer.needs("audit")
        elif name in BOOKS:
            self.viewer.needs("read", "own", "books")
        elif rule == "agency" or name in UPLOADED:
            self.viewer.needs("read", "own")
        else:
            self.viewer.needs("read")
        return rule

    # --- what may be changed ----------------------------------------------------------------------------------------

    def may_send(self, agencies: Iterable[str]) -> None:
        """Raises `Denied("agency_not_yours")` where an upload, or rows of it, belong to agencies that are not seen."""
        seen = self.agencies
        others = [] if seen is None else sorted(set(agencies) - set(seen))
        if others:
            raise Denied("agency_not_yours", account=self.viewer.account, agencies=others[:5])

    def may_withdraw(self, receipt_id: str) -> None:
        """Raises `Denied("receipt_not_yours")` for the receipt of an agency that is not seen, and as `may_change`."""
        seen = self.agencies
        receipt = self._store.book("receipts", SQL["receipts"].c.receipt_id == receipt_id)
        if seen is not None and not receipt["agency"].isin(list(seen)).all():
            raise Denied("receipt_not_yours", account=self.viewer.account, receipt_id=receipt_id)
        for kind in receipt["kind"]:
            self.may_change(kind)

    def may_change(self, kind: str) -> None:
        """Raises `Denied("borders_not_yours")` for the borders that say whose water results lie on, but to who answers for the
        whole country: others would draw the water of their neighbours into their own area, and read it."""
        if kind == BORDERS and not self.viewer.of_all:
            raise Denied("borders_not_yours", account=self.viewer.account)

    def may_draw(self, lines: pd.DataFrame, widest_m: float) -> None:
        """Raises `Denied("accuracy_not_yours")` for lines that would gather what lies farther from them than the shipped river
        does (`widest_m`), as `may_change`."""
        if not self.viewer.of_all and bool((lines["accuracy_m"] > widest_m).any()):
            raise Denied("accuracy_not_yours", account=self.viewer.account, limit=f"{widest_m:,.0f}")

    # --- uploaded rows ----------------------------------------------------------------------------------------------

    def records(self, table: str, as_of: Moment = None, all_versions: bool = False) -> pd.DataFrame:
        """As `Store.records`; rows shared by other agencies stand last, their hidden fields empty."""
        return self._records(table, lambda: self._store.records(table, as_of, all_versions))

    def history(self, table: str) -> pd.DataFrame:
        """As `Store.history`, of one's own rows: a share shows what is in force."""
        return self._records(table, lambda: self._store.history(table), shared=False)

    def _records(self, table: str, read: Callable[[], pd.DataFrame], shared: bool = True) -> pd.DataFrame:
        import pandas as pd

        name = table_of(table)
        rule = self._may(name)
        frame = read()
        seen = self.agencies if rule == "agency" else None
        if seen is None:
            return frame
        own = frame["agency"].isin(list(seen)).to_numpy(dtype=bool)
        parts = [frame[own]]
        for share in self._shares(name) if shared else ():
            theirs = frame[(frame["agency"] == share.from_agency).to_numpy(dtype=bool) & ~own]
            parts.append(_without(theirs, share.hidden))
        found = pd.concat(parts) if len(parts) > 1 else parts[0]
        return found.reset_index(drop=True)

    def positions(
        self,
        as_of: Moment = None,
        start: Moment = None,
        end: Moment = None,
        columns: Sequence[str] | None = None,
        units: Sequence[str] | None = None,
        encoded: bool = False,
        receipts: Collection[str] | None = None,
        box: Box | None = None,
    ) -> pa.Table:
        """As `Store.positions`; of fixes shared by other agencies the fields hidden by any of their shares are null."""
        import pyarrow as pa

        self._may("positions")
        seen = self.agencies
        if seen is None:
            return self._store.positions(as_of, start, end, columns, units, encoded, receipts=receipts, box=box)
        own = self._store.positions(as_of, start, end, columns, units, encoded, seen, receipts, box=box)
        shares = [share for share in self._shares("positions") if share.from_agency not in seen]
        if not shares:
            return own
        parts = [own]
        for share in shares:
            agency = [share.from_agency]
            theirs = self._store.positions(as_of, start, end, columns, units, encoded, agency, receipts, box=box)
            parts.append(_hidden(theirs, share.hidden))
        together = pa.concat_tables(parts).unify_dictionaries()
        from geo_monitor.store.positions import order_of

        if {"unit_id", "time"} <= set(together.column_names):
            together = together.take(pa.array(order_of(together)))
        return together

    def tracks(self) -> frozenset[str]:
        """The uploads of tracks in force of which fixes are seen, for `positions(receipts=...)`."""
        self._may("positions")
        of = self._tracked_by
        key = ("tracks", None if of is None else frozenset(of))
        return self._store.once(key, lambda: frozenset(self._store.receipts_in_force(None, ["tracks"], of)))

    @property
    def held_from(self) -> int | None:
        """As `Store.held_from`: anybody must know that before it nothing can be said."""
        return self._store.held_from

    @property
    def _tracked_by(self) -> Collection[str] | None:
        """The agencies of whose fixes any are seen, those that share them included; None: all."""
        seen = self.agencies
        return None if seen is None else {*seen, *(share.from_agency for share in self._shares("positions"))}

    def newest(self) -> int | None:
        """The time of the latest fix that is seen, ms UTC; None without any."""
        from geo_monitor.store import live

        return live.heard(self._store, self.tracks(), self._tracked_by)

    def live(self, after: int = 0) -> tuple[pa.Table, Any]:
        """As `Store.live`; of fixes shared by other agencies the hidden fields are null."""
        import numpy as np
        import pyarrow as pa

        self._may("positions")
        seen = self.agencies
        if seen is None:
            return self._store.live(after)
        parts = [self._store.live(after, seen)]
        for share in self._shares("positions"):
            if share.from_agency not in seen:
                theirs, number = self._store.live(after, [share.from_agency])
                parts.append((_hidden(theirs, share.hidden), number))
        return pa.concat_tables([table for table, _ in parts]), np.concatenate([number for _, number in parts])

    def live_bounds(self) -> tuple[int, int] | None:
        """First and last row number of the fixes without a receipt, of anybody: what lies before is sealed."""
        from geo_monitor.store import live

        return live.bounds(self._store)

    # --- the loop: events, warnings, rules, taskings ------------------------------------------------------------------

    def revised(self, name: str, where: Any = None, every: bool = False) -> pd.DataFrame:
        """As `revisions.frame`: events and warnings of the viewer's localities, taskings of warnings that are seen, rules
        for everybody who reads, with the back-tests that count nothing else. What lies in no locality is seen by all who
        read."""
        from geo_monitor.store import revisions

        rule = self._may(name)
        frame = revisions.frame(self._store, name, where, every)
        if name == "rules":
            return frame.assign(backtest=frame["backtest"].map(self.backtest).astype(frame["backtest"].dtype))
        if rule == "everybody" or self.viewer.everywhere:
            return frame
        return frame[self._of_locality(frame, rule)].reset_index(drop=True)

    def backtest(self, told: str | None) -> str | None:
        """The back-test of a rule (JSON) where all that it counts is seen, else None."""
        if not isinstance(told, str) or self.viewer.everywhere:
            return told
        areas = json.loads(told).get("areas")
        mine = areas is not None and all(inside(area, self.viewer.adcodes) for area in areas)
        return told if mine else None

    def seen_of(self, name: str, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Of rows of `events` or `warnings` that are in no table yet those that would be seen if they were."""
        import pandas as pd

        rule = self._may(name)
        if self.viewer.everywhere:
            return list(rows)
        frame = pd.DataFrame(
            {column: [row.get(column) for row in rows] for column in ("adcodes", "adcode")}, dtype=object
        )
        return [row for row, mine in zip(rows, self._of_locality(frame, rule), strict=True) if mine]

    def _of_locality(self, frame: pd.DataFrame, rule: str) -> Any:
        """Which rows (bool, n) lie in the viewer's localities, or in none."""
        import numpy as np

        from geo_monitor.store import revisions

        areas = self.viewer.adcodes
        if rule == "localities":
            mine = [not codes or any(inside(code, areas) for code in codes) for codes in map(_list, frame["adcodes"])]
            return np.array(mine, dtype=bool)
        if rule == "locality":
            return np.array([not _text(code) or inside(code, areas) for code in frame["adcode"]], dtype=bool)
        known = revisions.of_ids(self._store, "warnings", frame["warning_id"])
        seen = {key for key, row in known.items() if not row["adcode"] or inside(row["adcode"], areas)}
        return frame["warning_id"].isin(seen).to_numpy(dtype=bool)

    def mark(self, tracks: bool = True) -> str:
        """As `Store.mark`: that something changed, not what."""
        return self._store.mark(tracks)

    def _shares(self, table: str) -> list[Share]:
        return self._accounts.shared_with(self.viewer, table) if "read" in self.viewer.rights else []

    def sees(self, agency: str | None) -> bool:
        """Whether the rows of an agency (None: of nobody's) are seen."""
        allowed = bool(self.viewer.rights & {"read", "own"})
        return allowed and (self.agencies is None or agency in self.agencies)

    def upload(self, receipt_id: str) -> pd.Series:
        """The row of `receipts` of an upload whose bytes and refused rows may be read: they hold what was sent.

        Raises `Usage("receipt_unknown")` for one that is not there or another agency's, `Denied("not_allowed")`.
        """
        self.viewer.needs("read", "own")
        found = self._store.book("receipts", SQL["receipts"].c.receipt_id == receipt_id)
        if not len(found) or not self.sees(found["agency"].iloc[0]):
            raise Usage("receipt_unknown", receipt_id=receipt_id)
        return found.iloc[0]

    # --- books ------------------------------------------------------------------------------------------------------

    def book(self, name: str) -> pd.DataFrame:
        """As `Store.book`."""
        rule = self._may(name)
        frame = self._store.book(name)
        if name == "runs":
            frame["summary"] = [self._told(summary) for summary in frame["summary"]]
        seen = self._listed if rule == "agency" else None
        return frame if seen is None else frame[frame["agency"].isin(list(seen))].reset_index(drop=True)

    def _told(self, summary: str) -> str:
        """The summary of a run without notes on patrols of others."""
        if self.viewer.everywhere or '"patrol"' not in summary:
            return summary
        told = json.loads(summary)
        mine, theirs = self._owned("patrols", "patrol_id", sql.true())
        told["notes"] = [
            note for note in told["notes"] if str(note["params"].get("patrol", "")) in {"", *(mine - theirs)}
        ]
        return json.dumps(told, ensure_ascii=False)

    def persons(self) -> pd.DataFrame:
        """The people in reports, as pseudonyms."""
        self._may("persons")
        frame = self._store.persons()
        seen = self.agencies
        return frame if seen is None else frame[frame["agency"].isin(list(seen))].reset_index(drop=True)

    # --- results ----------------------------------------------------------------------------------------------------

    def run_id(self, run_id: str | None = None) -> str:
        """As `Store.run_id`."""
        self._may("runs")
        return self._store.run_id(run_id)

    def result(self, table: str, run_id: str | None = None) -> pd.DataFrame:
        """As `Store.result`."""
        rule = self._may(table)
        frame = self._store.result(table, run_id)
        if rule == "everybody" or self.viewer.everywhere:
            return frame
        if rule == "agency":  # patrols found in tracks belong to their units
            rule = "unit"
        found = frame[self._mine(frame, rule, run_id)].reset_index(drop=True)
        if rule == "report":  # a report put somewhere must not tell whose boat was near
            hidden = ~self._mine(found.rename(columns={"nearest_unit_id": "unit_id"}), "unit", run_id)
            found.loc[hidden, list(NEAREST)] = None
        return found

    def _mine(self, frame: pd.DataFrame, rule: str, run_id: str | None) -> Any:
        """Which rows (bool, n) of a result are seen."""
        if rule == "unit":
            mine, theirs = self._tracked(self._read_by(run_id))
            return frame["unit_id"].isin(mine - theirs).to_numpy(dtype=bool)
        if rule == "report":
            mine, theirs = self._owned("seizures", "report_id", self._read_by(run_id))
            return frame["report_id"].isin(mine - theirs).to_numpy(dtype=bool)
        water = self._store.result("reaches", run_id)
        left, right = water["adcode_left"].tolist(), water["adcode_right"].tolist()
        areas = self.viewer.adcodes
        near = {
            reach
            for reach, a, b in zip(water["reach_id"], left, right, strict=True)
            if inside(_text(a), areas) or inside(_text(b), areas)
        }
        if rule == "reach":
            return frame["reach_id"].isin(near).to_numpy(dtype=bool)
        if rule == "reaches":
            return [bool(near & set(members)) for members in frame["reach_ids"]]
        raise Denied("not_allowed", account=self.viewer.account, roles=[*self.viewer.roles], right=rule)

    # A unit or report is its agency's only where no other agency sent one of that name: who claims a boat or a number
    # must not see by it what became of another's.

    def _read_by(self, run_id: str | None) -> sql.ColumnElement[bool]:
        """The condition on `receipts`: an analysis read it."""
        runs, receipts = SQL["runs"], SQL["receipts"]
        query = sql.select(runs.c.as_of, runs.c.made_at).where(runs.c.run_id == self._store.run_id(run_id))
        ((as_of, made_at),) = self._store.rows(query)
        until = made_at + WHILE_READING_MS if as_of is None else as_of
        standing = receipts.c.withdrawn_at.is_(None) | (receipts.c.withdrawn_at > (made_at if as_of is None else as_of))
        return receipts.c.status.in_(ACCEPTED) & (receipts.c.received_at <= until) & standing

    def _owned(self, table: str, column: str, read: sql.ColumnElement[bool]) -> tuple[set[str], set[str]]:
        """Names in a column of records, of the receipts `read`: those of agencies that are seen, those of others."""
        of, receipts = SQL[table], SQL["receipts"]
        query = sql.select(of.c[column], of.c.agency).distinct()
        rows = self._store.rows(query.join_from(of, receipts, of.c.receipt_id == receipts.c.receipt_id).where(read))
        return self._parted(rows)

    def _tracked(self, read: sql.ColumnElement[bool]) -> tuple[set[str], set[str]]:
        """As `_owned`, of the units with fixes."""
        import pyarrow.compute as pc

        from geo_monitor.store import positions

        receipts = SQL["receipts"]
        query = sql.select(receipts.c.receipt_id, receipts.c.agency).where(read, receipts.c.kind == "tracks")
        of: dict[str | None, list[str]] = {}
        for receipt_id, agency in self._store.rows(query):
            of.setdefault(agency, []).append(receipt_id)
        found = []
        for agency, names in of.items():
            parts = positions.parts(self._store.root / "positions", names, None, None)
            fixes = positions.read(parts, ["unit_id"], encoded=True)
            found += [(str(unit), agency) for unit in pc.unique(fixes["unit_id"]).to_pylist()]
        found += [tuple(row) for row in self._store.rows(sql.select(EXPIRED_UNITS.c.unit_id, EXPIRED_UNITS.c.agency))]
        return self._parted(found)

    def _parted(self, named: Iterable[Any]) -> tuple[set[str], set[str]]:
        """(name, agency) as names of agencies that are seen, and of others."""
        seen = self.agencies
        parts: tuple[set[str], set[str]] = (set(), set())
        for name, agency in named:
            parts[0 if seen is None or agency in seen else 1].add(str(name))
        return parts


def _without(frame: pd.DataFrame, hidden: Sequence[str]) -> pd.DataFrame:
    """`frame` with the hidden fields empty."""
    import numpy as np

    frame = frame.copy()
    for name in hidden:
        kind = next(c.type for t in tables.TABLES.values() for c in t.columns if c.name == name)
        frame[name] = np.nan if kind in (tables.FLOAT, tables.INT) else None
    if "geometry" in frame and {"lon", "lat"} & set(hidden):
        frame["geometry"] = None
    return frame


def _hidden(table: pa.Table, hidden: Sequence[str]) -> pa.Table:
    """`table` with the hidden fields null."""
    import pyarrow as pa

    for name in set(hidden) & set(table.column_names):
        at = table.column_names.index(name)
        table = table.set_column(at, table.field(at), pa.nulls(len(table), table.field(at).type))
    return table


def _list(value: object) -> list[str]:
    return [] if value is None or isinstance(value, float) else [str(part) for part in value]  # type: ignore[attr-defined]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
