"""Small uploads, made by hand: what `ingest.read` would hand to the store."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Receipt:
    receipt_id: str
    kind: str
    file: str
    sha256: str
    received_at: datetime
    agency: str | None = None
    status: str = "accepted"
    rows_read: int = 0
    quarantine: str | None = None
    rows_quarantined: int = 0

    def counts(self) -> dict[str, dict[str, int]]:
        return {"errors": {}, "warnings": {}}

    def to_json(self, lang: str = "zh") -> dict[str, Any]:
        return {
            "receipt_id": self.receipt_id,
            "status": self.status,
            "rows": {"read": self.rows_read, "accepted": self.rows_read, "quarantined": self.rows_quarantined},
            "quarantine": self.quarantine,
            "lang": lang,
            "crs": {},
        }


@dataclass(frozen=True)
class Upload:
    receipt: Receipt
    rows: pd.DataFrame | None = None
    quarantine: pd.DataFrame | None = None
    persons: pd.DataFrame | None = None
    fixes: None = None


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def upload(
    folder: Path,
    kind: str,
    rows: pd.DataFrame | None,
    receipt_id: str,
    when: str = "2026-01-01T00:00:00+00:00",
    content: bytes = b"as sent",
    quarantine: pd.DataFrame | None = None,
    **fields: Any,
) -> tuple[Upload, Path]:
    path = folder / f"{receipt_id}.bin"
    path.write_bytes(content)
    fields.setdefault("rows_quarantined", 0 if quarantine is None else len(quarantine))
    fields.setdefault("rows_read", 0 if rows is None else len(rows))
    receipt = Receipt(receipt_id, kind, path.name, hashlib.sha256(content).hexdigest(), at(when), **fields)
    return Upload(receipt, rows, quarantine), path


def seizures(**columns: Any) -> pd.DataFrame:
    size = len(columns["report_id"])
    frame = pd.DataFrame(
        {"version": [1] * size, "time": pd.to_datetime(["2025-06-01T00:00:00Z"] * size, utc=True), **columns}
    )
    return frame


def fixes(unit: str, start: str, count: int, step_s: float = 60.0, lon: float = 112.0) -> pd.DataFrame:
    time = pd.date_range(start, periods=count, freq=pd.Timedelta(seconds=step_s)).tz_convert("UTC")
    return pd.DataFrame(
        {
            "unit_id": unit,
            "time": time,
            "lon": [lon + 0.001 * i for i in range(count)],
            "lat": 30.0,
            "role": "patrol",
            "platform": "boat",
        }
    )
