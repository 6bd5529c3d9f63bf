"""The whole way on a server, as a person types it; what comes out is what SQLite gives, byte for byte."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import pytest

from geo_monitor.cli import run
from tests import postgres


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict[str, object]:
    assert run([*arguments, "--json", "--lang", "en"]) == code, capsys.readouterr()
    return json.loads(capsys.readouterr().out)


def test_everything_a_person_does_gives_the_same_on_both(
    tmp_path: Path, server: postgres.Server, capsys: pytest.CaptureFixture[str]
) -> None:
    world = said(capsys, "simulate", "-o", str(tmp_path / "world"), "--seed", "5", "--days", "30", "--units", "3")
    out = {}
    for store, more in (("sqlite", []), ("postgres", ["--database", server.url()])):
        at = ["--workspace", str(tmp_path / store)]
        said(capsys, *at, "init", *more)
        for file in world["files"]:  # type: ignore[attr-defined]
            agency = ["--agency", file["agency"]] if file["agency"] else []
            said(capsys, *at, "import", file["kind"], file["file"], *agency)
        said(capsys, *at, "analyse")
        for name in ("hotspots.csv", "zones.gpkg", "seizures.csv"):
            said(capsys, *at, "export", name.split(".")[0], "-o", str(tmp_path / f"{store}-{name}"))
        rows = (tmp_path / f"{store}-seizures.csv").read_text(encoding="utf-8-sig").splitlines()
        zones = gpd.read_file(tmp_path / f"{store}-zones.gpkg")
        out[store] = (
            (tmp_path / f"{store}-hotspots.csv").read_bytes(),
            [row.rsplit(",", 1)[0] for row in rows],  # without the receipt, whose id is its own
            zones.geometry.to_wkb().tolist(),
        )
        assert len(rows) > 1 and len(zones)
        assert said(capsys, *at, "verify")["ok"] is True
        assert said(capsys, *at, "doctor")["ok"] is True
    assert out["sqlite"] == out["postgres"]
    assert not (tmp_path / "postgres" / "geo_monitor.sqlite").exists()
    # and from one to the other
    said(capsys, "--workspace", str(tmp_path / "postgres"), "backup", "-o", str(tmp_path / "b.gmb"))
    moved = ["--workspace", str(tmp_path / "moved")]
    said(capsys, *moved, "restore", str(tmp_path / "b.gmb"))
    assert said(capsys, *moved, "verify")["ok"] is True
    said(capsys, *moved, "export", "hotspots", "-o", str(tmp_path / "moved.csv"))
    assert (tmp_path / "moved.csv").read_bytes() == out["sqlite"][0]
    next((tmp_path / "moved" / "raw").iterdir()).write_bytes(b"other")
    told = said(capsys, *moved, "verify", code=3)
    assert [one["code"] for one in told["troubles"]] == ["raw_changed"]  # type: ignore[attr-defined]
