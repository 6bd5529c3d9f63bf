"""What goes in beside the file, and what comes out: options, what is held, receipt, upload."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from geo_monitor.messages import Lang, hint, text

if TYPE_CHECKING:
    import pandas as pd

    from geo_monitor.ingest.spool import Fixes

ROWS_NAMED = 1000  # row numbers a message names at most; its sentence always gives the full count


@dataclass(frozen=True)
class Options:
    """What the sender says about a file. `columns` maps our names to theirs; `accuracy` is metres."""

    agency: str | None = None
    crs: str | None = None
    datum: str | None = None
    encoding: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    role: str | None = None
    accuracy: float | None = None
    lang: Lang = "zh"


def status_of(rows: Mapping[str, int], warned: bool) -> str:
    """What became of an upload that could be read, by its `rows` (as in `Receipt`).

    >>> status_of({"accepted": 0, "corrected": 0, "unchanged": 2, "quarantined": 0}, warned=True)
    'duplicate'
    """
    if not rows["accepted"] + rows["corrected"]:
        if rows["unchanged"] and not rows["quarantined"]:
            return "duplicate"
        if not rows["unchanged"]:
            return "rejected"
    return "accepted_with_warnings" if warned else "accepted"


def zone_key(agency: object, name: str) -> str:
    """What makes zones of two uploads the same: agency (anything but text: none) and id, or agency and name."""
    return f"{agency if isinstance(agency, str) else ''}|{name}"


class Held(Protocol):
    """What the store already has, asked only when needed."""

    def records(self, kind: str) -> pd.DataFrame:
        """Rows in force of the kind's table, with agency, version and receipt_id."""
        ...

    def positions(self, unit_ids: Iterable[str], first: datetime, last: datetime) -> pd.DataFrame:
        """Fixes in force of these units with first <= time <= last: unit_id, time (UTC), lon, lat, and seen: whether
        the sender may know of them."""
        ...

    def moments(self, times: Iterable[int]) -> pd.DataFrame:
        """Fixes in force of any unit at exactly these moments (UTC milliseconds); columns of `positions`."""
        ...

    def reference(self, west: float, south: float, east: float, north: float) -> pd.DataFrame:
        """What is known for certain to lie in a box (WGS84 degrees), to test a datum against: a row a shape, with
        kind (bank and mask: water as polygons; line; track: fixes as points; zone; cover: where a mask shows land and
        water), accuracy_m, geometry (WGS84), zone (`zone_key`; of zones)."""
        ...

    def mmsi(self) -> set[str]:
        """AIS numbers of the units held."""
        ...

    def sha256(self, digest: str, kind: str) -> str | None:
        """Receipt in force of the same bytes as the same kind, or None."""
        ...

    def held_from(self) -> int | None:
        """The first moment of which positions are held (UTC milliseconds), once those before it were let go, or None."""
        ...


class Nothing:
    """An empty store: for reading a file on its own, and for tests."""

    def records(self, kind: str) -> pd.DataFrame:
        from geo_monitor import tables
        from geo_monitor.ingest.kinds import TABLES

        table = tables.table(TABLES[kind])
        frame = table.from_arrow(table.arrow.empty_table())
        return frame.assign(**{name: [] for name in ("agency", "version", "receipt_id") if name not in frame})

    def positions(self, unit_ids: Iterable[str], first: datetime, last: datetime) -> pd.DataFrame:
        import pandas as pd

        columns = {"unit_id": pd.Series(dtype=object), "time": pd.Series(dtype="datetime64[ms, UTC]")}
        places = {"lon": pd.Series(dtype=float), "lat": pd.Series(dtype=float)}
        return pd.DataFrame({**columns, **places, "seen": pd.Series(dtype=bool)})

    def moments(self, times: Iterable[int]) -> pd.DataFrame:
        return self.positions((), datetime.min, datetime.min)

    def reference(self, west: float, south: float, east: float, north: float) -> pd.DataFrame:
        import pandas as pd

        return pd.DataFrame({"kind": [], "accuracy_m": [], "geometry": [], "zone": []})

    def mmsi(self) -> set[str]:
        return set()

    def sha256(self, digest: str, kind: str) -> str | None:
        return None

    def held_from(self) -> int | None:
        return None


@dataclass(frozen=True)
class Message:
    """One sentence of a receipt: its code, what fills it, the 1-based data rows it is about."""

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)
    rows: tuple[int, ...] = ()

    def to_json(self, lang: Lang, form: str) -> dict[str, Any]:
        """`form` is "notes", "warnings" or "errors": they differ in what they carry."""
        told: dict[str, Any] = {"code": self.code, "message": text(self.code, lang, **self.params)}
        if form == "errors":
            told["hint"] = hint(self.code, lang, **self.params) or ""
        if form != "notes":
            told["rows"] = list(self.rows)
        return told


@dataclass(frozen=True)
class Receipt:
    """What became of an upload. `rows`: read = accepted + quarantined + unchanged + corrected."""

    receipt_id: str
    kind: str
    file: str
    sha256: str
    received_at: datetime
    status: str
    agency: str | None = None
    rows: Mapping[str, int] = field(default_factory=dict)
    encoding: Mapping[str, Any] = field(default_factory=dict)
    crs: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[Message, ...] = ()
    warnings: tuple[Message, ...] = ()
    errors: tuple[Message, ...] = ()
    quarantine: str | None = None

    @classmethod
    def blank(cls, kind: str, file: str, digest: str, agency: str | None, now: datetime) -> Receipt:
        """The receipt of an upload that nobody has read yet: refused, without rows. Its id is made of what it is."""
        moment = now.astimezone(UTC)
        name = f"{digest}|{kind}|{agency}|{moment.isoformat()}"
        return cls(
            receipt_id=f"R{moment:%Y%m%d}-{hashlib.sha256(name.encode()).hexdigest()[:12]}",
            kind=kind,
            file=file,
            sha256=digest,
            received_at=now,
            status="rejected",
            agency=agency,
            rows={"read": 0, "accepted": 0, "quarantined": 0, "unchanged": 0, "corrected": 0},
            encoding={"used": None, "how": "detected", "confidence": 0.0},
            crs={"used": None, "how": "detected", "datum": "wgs84", "confidence": 0.0, "datum_how": "assumed"},
        )

    def counts(self) -> dict[str, dict[str, int]]:
        """How many rows each code of `errors` and `warnings` is about, all of them: a message names a thousand at most."""
        return {
            form: {
                code: sum(_count(message) for message in getattr(self, form) if message.code == code)
                for code in dict.fromkeys(message.code for message in getattr(self, form))
            }
            for form in ("errors", "warnings")
        }

    def to_json(self, lang: Lang = "zh") -> dict[str, Any]:
        """The receipt as the contract words it, its sentences in `lang`."""
        return {
            "receipt_id": self.receipt_id,
            "kind": self.kind,
            "file": self.file,
            "sha256": self.sha256,
            "agency": self.agency,
            "received_at": self.received_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "status": self.status,
            "rows": dict(self.rows),
            "encoding": dict(self.encoding),
            "crs": dict(self.crs),
            **{
                form: [message.to_json(lang, form) for message in getattr(self, form)]
                for form in ("notes", "warnings", "errors")
            },
            "quarantine": self.quarantine,
        }


def _count(message: Message) -> int:
    count = message.params.get("count")
    return count if isinstance(count, int) else len(message.rows)


PERSON = ("report_id", "agency", "version", "part", "name")  # columns of `Upload.persons`


@dataclass(frozen=True)
class Upload:
    """A receipt, the rows to store (None where there are none), the refused rows (raw cells, row, reasons; or None), and
    the names of people in the rows to store (`PERSON` as text, or None): they are sealed when stored.

    fixes: in place of both kinds of rows, files with those of an upload of fixes, which may be many; `gathered` reads them.
    """

    receipt: Receipt
    rows: pd.DataFrame | None = None
    quarantine: pd.DataFrame | None = None
    persons: pd.DataFrame | None = None
    fixes: Fixes | None = None

    def gathered(self) -> Upload:
        """The same with all rows in memory."""
        if self.fixes is None:
            return self
        rows, refused = self.fixes.frame(self.receipt.receipt_id), self.fixes.refusals()
        return replace(self, rows=rows, quarantine=refused, fixes=None)
