"""One workspace: the object that the command line, the map and scripts use.

workspace = open_workspace("workspace")
workspace.import_file("zones", "zones.shp", agency="hubei")
run = workspace.analyse(start="2026-01-01")
run.table("hotspots")
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from geo_monitor import settings as settings_file
from geo_monitor import tables
from geo_monitor.errors import Denied, GeoMonitorError, Refused, Usage, in_utf8
from geo_monitor.loop.ground import begin_rules
from geo_monitor.stages import Tell, silent
from geo_monitor.store import Store, audit, expire, files, live
from geo_monitor.store.accounts import Accounts
from geo_monitor.store.basemaps import Basemaps
from geo_monitor.store.database import DATABASE
from geo_monitor.store.rights import OWNER, Viewer
from geo_monitor.store.schema import RECORDS, REVISED
from geo_monitor.store.seen import Seen
from geo_monitor.store.unfinished import Fallen, Work
from geo_monitor.times import moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from geo_monitor.export import Exported
    from geo_monitor.ingest import Receipt, Upload
    from geo_monitor.loop.desk import Desk
    from geo_monitor.messages import Lang
    from geo_monitor.store.backup import Backup
    from geo_monitor.store.compact import Compacted
    from geo_monitor.store.expire import Expired
    from geo_monitor.store.verify import Verdict

KINDS = ("river", "zones", "tracks", "patrols", "seizures", "units", "jurisdictions", "levels", "raster")
BOOKS = ("receipts", "runs", "audit")
SIMULATED = "SIMULATED"  # a file of this name marks a workspace whose patrols and reports are made up


@dataclass(frozen=True)
class Run:
    """One analysis: its id, its summary (plain values), and its tables."""

    run_id: str
    summary: dict[str, Any]
    workspace: Workspace

    def table(self, name: str) -> pd.DataFrame:
        """A result table of this run."""
        return self.workspace.table(name, run=self.run_id)


class Workspace:
    """A folder with everything one office holds. Raises `Usage("workspace_missing")` where there is none."""

    def __init__(self, root: Path | str, viewer: Viewer | None = None) -> None:
        self.root = Path(root)
        self._store = Store(self.root)
        if self._store.fallen:
            from geo_monitor.ingest import limited

            limited.clear(self.root)  # what its parser had unpacked
        self._viewer = viewer
        self.accounts = Accounts(self._store, self.settings, lambda: self.viewer)
        self.basemaps = Basemaps(self._store, self.settings, lambda: self.viewer)

    @property
    def viewer(self) -> Viewer:
        """Who acts. Raises `Denied("sign_in_needed")` where the workspace has accounts and nobody signed in."""
        if self._viewer is not None:
            return self._viewer
        if self.accounts.any():
            raise Denied("sign_in_needed")
        return OWNER

    @property
    def store(self) -> Seen:
        """The store as the viewer may read it."""
        return Seen(self._store, self.viewer, self.settings)

    @property
    def fallen(self) -> Fallen | None:
        """An interrupted import or analysis, finished or undone when the workspace was opened."""
        return self._store.fallen

    def owner(self) -> Viewer:
        """The rights of whoever owns the folder of a workspace on SQLite: they could read the file anyway.

        Raises `Denied("not_owner")` for others, and on a database server.
        """
        import getpass

        file = self.root / DATABASE
        local = self._store.engine.dialect.name == "sqlite"
        if not local or not file.is_file() or (hasattr(os, "geteuid") and file.stat().st_uid != os.geteuid()):
            raise Denied("not_owner")
        return replace(OWNER, account=f"owner:{getpass.getuser()}")

    @classmethod
    def create(cls, root: Path | str, database: str | None = None) -> Workspace:
        """Makes an empty workspace, its records in `database` (a PostgreSQL URL) if one is given; one that is there
        already is opened as it is."""
        store = Store.create(root, database)
        begin_rules(
            store, settings_file.load(Path(root) / "settings.toml"), round(datetime.now(UTC).timestamp() * 1000)
        )
        store.close()
        return cls(root)

    @property
    def settings(self) -> settings_file.Settings:
        """The defaults, overridden by `settings.toml` in the workspace."""
        return settings_file.load(self.root / "settings.toml")

    @property
    def simulated(self) -> bool:
        """Whether patrols and reports of this workspace are made up."""
        return (self.root / SIMULATED).exists()

    def mark_simulated(self) -> None:
        """Says in the folder itself that patrols and reports are made up; map, exports and summaries repeat it."""
        from geo_monitor.messages import text

        note = "\n".join(text("simulated_notice", lang) for lang in ("zh", "en"))
        (self.root / SIMULATED).write_text(note + "\n", encoding="utf-8")

    def import_file(
        self,
        kind: str,
        path: Path | str,
        *,
        agency: str | None = None,
        crs: str | None = None,
        datum: str | None = None,
        encoding: str | None = None,
        columns: Mapping[str, str] | None = None,
        role: str | None = None,
        accuracy: float | None = None,
        dry_run: bool = False,
        now: datetime | None = None,
        tell: Tell = silent,
    ) -> Receipt:
        """Takes in a file (or a folder of files) and gives its receipt, refused or not.

        kind: one of `KINDS`. crs: "EPSG:4490" and the like; datum: wgs84, gcj02 or bd09; columns: ours -> theirs;
        role: patrol or traffic (tracks); accuracy: metres (river). With `dry_run` nothing is kept. `tell` hears the step
        (turn, parse, keep) and the share of steps done.

        The file is parsed in a process of its own, within limits (`ingest.limited`).

        Raises `Usage`: `kind_unknown`, `file_missing`, `folder_holds_workspace`, `log_left_behind`, and
        `Refused("scratch_full")`.
        """
        given = (agency, crs, datum, encoding, columns, role, accuracy)
        return self._taken(kind, Path(path), given, now, store=not dry_run, tell=tell).receipt

    def build_river(self, receipt: Receipt, tell: Tell = silent) -> None:
        """Builds the river of analyses where the upload of `receipt` has changed it, so that the next one need not wait.

        One that cannot be built is for the analysis to tell of.
        """
        from geo_monitor.engine import rivers
        from geo_monitor.inputs import DRAWN, drawing

        if receipt.kind not in DRAWN or receipt.status == "rejected":
            return
        tell("river", 0.0)
        settings = self.settings
        with suppress(GeoMonitorError):
            rivers.network(drawing(self._store, settings), settings, self.root)
        tell("river", 1.0)

    def preview(
        self,
        kind: str,
        path: Path | str,
        *,
        agency: str | None = None,
        crs: str | None = None,
        datum: str | None = None,
        encoding: str | None = None,
        columns: Mapping[str, str] | None = None,
        role: str | None = None,
        accuracy: float | None = None,
        now: datetime | None = None,
    ) -> Upload:
        """What `import_file` would take in, with its rows; nothing is kept. Raises as `import_file`."""
        given = (agency, crs, datum, encoding, columns, role, accuracy)
        return self._taken(kind, Path(path), given, now, store=False, gather=True)

    def _taken(
        self,
        kind: str,
        path: Path,
        given: Sequence[Any],
        now: datetime | None,
        store: bool,
        tell: Tell = silent,
        gather: bool = False,
    ) -> Upload:
        from geo_monitor.ingest import Options, Upload, limited
        from geo_monitor.store.held import Held

        if kind not in KINDS:
            raise Usage("kind_unknown", kind=kind, kinds=[*KINDS])
        if not (path.is_file() or path.is_dir()):  # a device or pipe may have no end
            raise Usage("file_missing", file=str(path))
        if path.is_dir() and self.root.resolve().is_relative_to(
            path.resolve()
        ):  # an upload is kept: with it all that is held
            raise Usage("folder_holds_workspace", folder=str(path))
        log = path.with_name(f"{path.name}-wal")
        if path.is_file() and log.is_file() and log.stat().st_size:  # an SQLite file without it lacks what came last
            raise Usage("log_left_behind", file=path.name, log=log.name)
        self.viewer.needs("import")
        self.store.may_change(kind)
        agency, crs, datum, encoding, columns, role, accuracy = given
        if agency:
            self.store.may_send([agency])
        options = Options(agency or self.viewer.agency, crs, datum, encoding, dict(columns or {}), role, accuracy)
        settings, now = self.settings, now or datetime.now(UTC)
        work = Work("import", path.name)
        writing = self._store.writing(work) if store else nullcontext()
        tell("turn", 0.0)
        held = Held(self._store, self.store.agencies, self.settings)
        with files.room(self.root), one_file(path, self.root) as raw, writing:
            tell("parse", 1 / 3)
            with limited.reading(kind, raw, options, held, settings, now, self.root) as upload:
                upload = replace(upload, receipt=replace(upload.receipt, file=path.name))
                if upload.rows is not None and "agency" in upload.rows:
                    self.store.may_send(upload.rows["agency"].dropna().astype(str).unique())
                if upload.rows is not None and kind == "river":
                    self.store.may_draw(upload.rows, settings.accuracy_shipped_m)
                if store:
                    tell("keep", 2 / 3)
                    return Upload(self._store.commit(upload, raw, self.viewer.account))
                return upload.gathered() if gather else Upload(upload.receipt)

    @contextmanager
    def kept(self, receipt_id: str) -> Iterator[Path]:
        """The bytes of an upload, as a file of its own name that is gone when the block ends.

        Raises `Usage("receipt_unknown")` for a receipt that is not there or not the viewer's to see,
        `Refused("upload_expired")` where the bytes were let go.
        """
        row = self.store.upload(receipt_id)
        if receipt_id in expire.of_uploads(self._store):
            raise Refused("upload_expired", file=str(row["file"]), receipt_id=receipt_id)
        if not self._store.raw(str(row["sha256"])).is_file():
            raise Usage("receipt_unknown", receipt_id=receipt_id)
        with TemporaryDirectory(prefix="geo-monitor-") as folder:
            name = PurePath(str(row["file"])).name or "upload"
            copy = Path(folder) / name
            shutil.copyfile(self._store.raw(str(row["sha256"])), copy)
            yield copy

    def quarantine(self, receipt_id: str) -> bytes | None:
        """The refused rows of an upload as CSV, or None. Raises `Usage("receipt_unknown")` as `kept`."""
        self.store.upload(receipt_id)
        path = self.root / "quarantine" / f"{receipt_id}.csv"
        return path.read_bytes() if path.is_file() else None

    def withdraw(self, receipt_id: str, reason: str, now: datetime | None = None) -> dict[str, Any]:
        """Takes an upload out of force; its rows stay readable. Gives receipt_id, withdrawn_at, withdrawn_reason."""
        self.viewer.needs("withdraw")
        self.store.may_withdraw(receipt_id)
        row = self._store.withdraw(receipt_id, reason, now or datetime.now(UTC), self.viewer.account).iloc[0]
        names = ("receipt_id", "kind", "file", "withdrawn_at", "withdrawn_reason")
        return {name: row[name].isoformat() if name == "withdrawn_at" else row[name] for name in names}

    def analyse(
        self,
        start: str | datetime | None = None,
        end: str | datetime | None = None,
        as_of: str | datetime | None = None,
        reach_length: float | None = None,
        methods: Sequence[str] | str = "rates,gistar",
        *,
        engine: str = "local",
        seed: int = 0,
        now: datetime | None = None,
        tell: Tell = silent,
    ) -> Run:
        """The main job over start <= time < end (None: all there is), with what had been received by `as_of`.

        engine: where positions are worked on, `local` or `spark`; the tables are the same. Keeps one set of result
        tables; older ones stay. Where days of positions were let go, it begins with the first day held.

        Raises `Usage`: `method_unknown`, `engine_unknown`, `engine_missing`, `period_empty`, `reach_length_bad`;
        `Refused`: `positions_expired`, `expired_meanwhile`.
        """
        from geo_monitor import pipeline
        from geo_monitor.engine.kept import let_go
        from geo_monitor.inputs import Period

        self.viewer.needs("analyse")
        period = Period(*(None if value is None else moment(value) for value in (start, end, as_of)))
        if period.start and period.end and period.start >= period.end:
            raise Usage("period_empty", start=period.start.isoformat(), end=period.end.isoformat())
        chosen = _methods(methods, pipeline.METHODS)
        settings = self.settings
        if reach_length is not None:
            if not 50 <= reach_length <= 50_000:
                raise Usage("reach_length_bad", length=f"{reach_length:g}")
            settings = replace(settings, reach_length_m=float(reach_length))
        made_at = (now or datetime.now(UTC)).astimezone(UTC)
        live.seal(self._store, settings, made_at, self.viewer.account)  # an analysis reads files
        with self._store.keeping_up():
            result = pipeline.analyse(self._store, period, settings, seed, tell, chosen, engine)
        period = result.period
        run_id = f"{made_at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        head = {
            "run_id": run_id,
            "made_at": _iso(made_at),
            "period": {"from": _iso(period.start), "to": _iso(period.end)},
            "as_of": _iso(period.as_of),
            "reach_length_m": settings.reach_length_m,
            "methods": list(chosen),
            "seed": seed,
            "simulated": self.simulated,
        }
        summary = {**head, **result.summary}
        if self.simulated:
            summary["notes"] = [{"code": "simulated_notice", "params": {}}, *summary["notes"]]
        row = {
            "run_id": run_id,
            "made_at": made_at,
            "period_from": period.start,
            "period_to": period.end,
            "as_of": period.as_of,
            "summary": json.dumps(summary, ensure_ascii=False),
        }
        try:
            self._store.write_run(row, result.tables, self.viewer.account)
        except Refused as error:
            if error.code != "disk_full" or not let_go(self.root):
                raise
            self._store.write_run(row, result.tables, self.viewer.account)  # in the room of what only saves time
        return self.run(run_id)  # as the viewer may read it

    @property
    def desk(self) -> Desk:
        """What the viewer may do with warnings, taskings and rules."""
        from geo_monitor.loop.desk import Desk

        return Desk(self)

    def detect(
        self, start: str | datetime | None = None, end: str | datetime | None = None, now: datetime | None = None
    ) -> dict[str, Any]:
        """Finds events that start in [start, end) (None: all there is) in the fixes stored; gives counts. The events are
        those, with the same ids, that `watch` finds in the same fixes. Raises `Usage("period_empty")`, and as
        `loop.batch.events`."""
        from geo_monitor.loop import batch

        self.viewer.needs("analyse")
        first, last = (None if value is None else moment(value) for value in (start, end))
        if first and last and first >= last:
            raise Usage("period_empty", start=first.isoformat(), end=last.isoformat())
        return batch.events(self._store, self.settings, first, last, now or datetime.now(UTC), self.viewer.account)

    def run(self, run_id: str | None = None) -> Run:
        """A run done before (None: the latest). Raises `Usage("run_unknown")`, `Usage("no_run")`."""
        run_id = self.store.run_id(run_id)
        runs = self.store.book("runs")
        summary = json.loads(runs.loc[runs["run_id"] == run_id, "summary"].iloc[0])
        return Run(run_id, summary, self)

    def known(self, run: str | None) -> None:
        """Raises `Usage("run_unknown")` for a run that is not there, also where a table needs none: a typing error would
        pass for an answer."""
        if run is not None:
            self._store.run_id(run)

    def table(self, name: str, run: str | None = None, all_versions: bool = False) -> pd.DataFrame:
        """A table of the contract: a GeoDataFrame (WGS84) where it has shapes, else a DataFrame.

        Uploaded tables are those in force, no run needed; result tables come from `run` (None: the latest). `patrols`
        are the reported ones and those found in tracks by the run, where there is one; `positions` begin with the first day
        of which they are held (`store.positions_from`). With `all_versions` every row
        ever uploaded, with received_at, withdrawn_at and withdrawn_reason beside it.

        Raises `Usage`: `unknown_table`, `no_run`, `run_unknown`, `no_such_result`, `no_versions`.
        """
        shape = tables.table(name)
        self.known(run)
        if all_versions:
            if name in REVISED:
                return self.store.revised(name, every=True)
            if name not in RECORDS:
                raise Usage("no_versions", table=name, tables=[*RECORDS, *REVISED])
            return self.store.history(name)
        if name == "positions":
            return shape.from_arrow(self.store.positions())
        if name == "patrols":
            return self._patrols(run)
        if name in RECORDS:
            return shape.conform(self.store.records(name))
        if name in BOOKS:
            return self.store.book(name)
        if name in REVISED:
            return self.store.revised(name)
        if name == "persons":
            return self.store.persons()
        if name == "quality":
            return self._quality()
        if name == "quality_scores":
            return self.quality()
        return self.store.result(name, run)

    def names(self, report_id: str, reason: str, now: datetime | None = None) -> list[dict[str, Any]]:
        """The names of people in a report: part, name, pseudonym, agency. The look is recorded with its reason.

        Raises as `geo_monitor.store.persons.reveal`.
        """
        from geo_monitor.store.persons import reveal

        return reveal(self._store, self.viewer, report_id, reason, now or datetime.now(UTC), self.store.agencies)

    def verify_audit(self, head: str | None = None) -> audit.Verdict:
        """Checks the audit book; `head`: a hash of it kept elsewhere. Raises `Denied("not_allowed")`."""
        self.viewer.needs("audit")
        return audit.verify(self._store, head)

    def export(
        self, name: str, path: Path | str, run: str | None = None, all_versions: bool = False, lang: Lang = "zh"
    ) -> Exported:
        """Writes a table to a file, format by extension; see `geo_monitor.export`."""
        from geo_monitor.export import export

        return export(self, name, Path(path), run, all_versions, lang)

    def backup(self, file: Path | str, now: datetime | None = None, tell: Tell = silent) -> Backup:
        """Writes everything held to one portable file; see `geo_monitor.store.backup`."""
        from geo_monitor.store import backup

        self.viewer.needs("keep")
        return backup.write(self._store, Path(file), now or datetime.now(UTC), tell)

    def verify(self, head: str | None = None, tell: Tell = silent) -> Verdict:
        """Checks everything held against its hashes and receipts; see `geo_monitor.store.verify`."""
        from geo_monitor.store.verify import verify

        self.viewer.needs("keep", "audit")
        return verify(self._store, head, tell)

    def compact(
        self,
        start: str | datetime | None = None,
        end: str | datetime | None = None,
        now: datetime | None = None,
        tell: Tell = silent,
    ) -> Compacted:
        """Writes the positions of each Shanghai day that is over (of those in start <= day < end) to one file; see
        `geo_monitor.store.compact`."""
        from geo_monitor.store.compact import compact

        self.viewer.needs("keep")
        first, last = (None if edge is None else moment(edge) for edge in (start, end))
        made_at = now or datetime.now(UTC)
        return compact(self._store, made_at, self.viewer.account, start=first, end=last, tell=tell)

    def expire(
        self,
        before: str | datetime,
        reason: str = "",
        *,
        do: bool = False,
        now: datetime | None = None,
        tell: Tell = silent,
    ) -> Expired:
        """Lets go of the positions of all Shanghai days that end by `before`; without `do` it only says what would go. See
        `geo_monitor.store.expire`."""
        from geo_monitor.store.expire import expire

        self.viewer.needs("keep")
        made_at, least = now or datetime.now(UTC), self.settings.expire_days_least
        return expire(self._store, moment(before), made_at, least, self.viewer.account, reason, do=do, tell=tell)

    def _patrols(self, run: str | None) -> pd.DataFrame:
        import pandas as pd

        shape = tables.table("patrols")
        told = shape.conform(self.store.records("patrols"))
        if run is None and not len(self.store.book("runs")):
            return told
        found = self.store.result("patrols", run)
        parts = [part for part in (told, found) if len(part)]
        return shape.conform(pd.concat(parts, ignore_index=True)) if parts else told

    def quality(self, agency: str | None = None) -> pd.DataFrame:
        """Table `quality_scores`: how good the uploads of each agency (or of one) were, by month, and what to mend."""
        from geo_monitor import quality
        from geo_monitor.lateness import lateness

        settings, receipts = self.settings, self.store.book("receipts")
        if agency is not None:
            receipts = receipts[receipts["agency"] == agency]
        return quality.table(quality.months(receipts, lateness(self._store, receipts), settings), settings)

    def _quality(self) -> pd.DataFrame:
        import pandas as pd

        rows = []
        for receipt in self.store.book("receipts").itertuples():
            told = json.loads(str(receipt.receipt))["en"]
            count = {name: int(told["rows"].get(name, 0)) for name in ("read", "accepted", "corrected", "quarantined")}
            rows.append(
                {
                    "receipt_id": receipt.receipt_id,
                    "agency": receipt.agency,
                    "kind": receipt.kind,
                    "received_at": receipt.received_at,
                    "rows_read": count["read"],
                    "rows_accepted": count["accepted"] + count["corrected"],
                    "rows_quarantined": count["quarantined"],
                    "warnings": len(told.get("warnings", [])),
                }
            )
        shape = tables.table("quality")
        return shape.conform(pd.DataFrame(rows, columns=list(shape.names)))


def open_workspace(
    root: Path | str = "workspace", create: bool = True, account: str | None = None, password: str | None = None
) -> Workspace:
    """The workspace in `root`; a folder that is missing or empty becomes one, unless `create` is off.

    account, password: where the workspace has accounts. Raises `Denied`: `sign_in_wrong`, `sign_in_locked`.
    """
    workspace = Workspace.create(root) if create else Workspace(root)
    if account is None:
        return workspace
    session = workspace.accounts.sign_in(account, password or "", datetime.now(UTC), "script")
    workspace.accounts.sign_out(session.token)
    return Workspace(root, session.viewer)


@contextmanager
def one_file(path: Path, folder: Path | None = None) -> Iterator[Path]:
    """The upload as one file: itself, or a zip of a folder's or a loose shapefile's parts that is the same for the same
    parts, so that such an upload too has one hash and is kept whole. The zip lies in `folder` while it is needed."""
    from geo_monitor.ingest import limited

    parts = files.members(path)
    in_utf8(
        *(part.name for part in parts)
    )  # those that are not were unpacked from an archive of an older system, mostly
    if parts == [path]:
        yield path
        return
    if not parts:
        raise Usage("folder_empty", folder=str(path))
    with limited.scratch(folder) as made:
        # stored, not deflated: padded attribute tables shrink so much that they would pass for a zip bomb
        yield files.zip_of(path, made / f"{path.stem}.zip", compress=False)


def _methods(methods: Sequence[str] | str, known: Sequence[str]) -> list[str]:
    asked = methods.split(",") if isinstance(methods, str) else list(methods)
    asked = [name.strip().replace("-", "_") for name in asked if name.strip()]
    unknown = [name for name in asked if name not in known and name != "all"]
    if unknown or not asked:
        raise Usage("method_unknown", method=unknown, methods=[*known])
    # rates and Gi* make the table everything else stands beside
    return [name for name in known if name in {"rates", "gistar", *asked} or "all" in asked]


def _iso(value: datetime | None) -> str | None:
    return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")
