"""A workspace on PostgreSQL as offices use it, through the command line, and the same tables again in SQLite."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

import geo_monitor as gm
from geo_monitor.cli import run
from geo_monitor.store.schema import RECORDS
from tests import postgres

PASSWORD = "long enough 1"
AGENCY = "渔政支队"
RESULTS = ("hotspots", "effort", "effort_gaps", "links", "patrols", "reaches", "seizure_links", "zone_visits")

Shell = Callable[..., dict[str, Any]]


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    """One command of the command line on a workspace (a folder's name), as an account if told; its JSON document."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GEO_MONITOR_KEY_FILE", str(tmp_path / "names.key"))
    monkeypatch.setenv("GEO_MONITOR_PASSWORD", PASSWORD)

    def typed(workspace: str, *arguments: object, account: str | None = None, code: int = 0) -> dict[str, Any]:
        capsys.readouterr()
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))  # asked for where an account is made
        who = ["--account", account] if account else []
        ended = run(["--workspace", str(tmp_path / workspace), "--json", *who, *map(str, arguments)])
        told = capsys.readouterr()
        assert ended == code, told.out + told.err
        return dict(json.loads(told.out))

    return typed


def uploads(folder: Path, made: Path) -> list[tuple[str, Path]]:
    """A file of every kind: those of a simulated world, and by hand a county, water levels, a mask, a name."""
    given = [
        (kind, path)
        for kind in ("river", "zones", "units", "tracks", "patrols", "seizures")
        for path in sorted(made.glob(f"{kind}_*"))
    ]
    ring = [[111.0, 29.0], [114.0, 29.0], [114.0, 32.0], [111.0, 32.0], [111.0, 29.0]]
    county = {
        "type": "Feature",
        "properties": {"adcode": "421000", "name": "荆州市", "level": "city"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    jurisdictions = folder / "辖区.geojson"
    jurisdictions.write_text(json.dumps({"type": "FeatureCollection", "features": [county]}), encoding="utf-8")
    levels = folder / "水位.csv"
    levels.write_text("站名,时间,水位\n沙市站,2026-05-01 08:00,32.5\n", encoding="utf-8")
    named = folder / "案件.csv"
    named.write_text("案号,查获时间,东经,北纬,当事人姓名\n甲1,2026-05-01 22:10,112.25,30.30,张三\n", encoding="utf-8")
    mask = folder / "水面.tif"
    water = np.zeros((40, 40), dtype="uint8")
    water[10:30] = 1
    where = from_origin(112.0, 30.4, 0.001, 0.001)
    with rasterio.open(mask, "w", driver="GTiff", width=40, height=40, count=1, dtype="uint8", crs="EPSG:4326",
                       transform=where) as out:  # fmt: skip
        out.write(water, 1)
    return [*given, ("jurisdictions", jurisdictions), ("levels", levels), ("seizures", named), ("raster", mask)]


def test_from_a_server_into_a_file_and_nothing_differs(
    tmp_path: Path, server: postgres.Server, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell("server", "simulate", "--seed", 3, "--days", 12, "--units", 3, "-o", tmp_path / "made")
    shell("server", "init", "--database", server.url())
    shell("server", "agencies", "add", AGENCY, "--adcode", "421000")
    shell("server", "accounts", "add", "管理员", "--role", "admin")
    admin, analyst = {"account": "管理员"}, {"account": "李"}
    whole = ("--role", "analyst", "--role", "commander", "--agency", AGENCY, "--adcode", "100000")
    shell("server", "accounts", "add", "李", *whole, **admin)
    first: dict[str, str] = {}
    for kind, path in uploads(tmp_path, tmp_path / "made"):
        receipt = shell("server", "import", kind, path, "--agency", AGENCY, **analyst)
        assert receipt["rows"]["accepted"] > 0, receipt
        first.setdefault(kind, receipt["receipt_id"])
    assert shell("server", "import", kind, path, "--agency", AGENCY, **analyst)["status"] == "duplicate"
    assert len(first) == 9
    shell("server", "analyse", **analyst)
    shell("server", "withdraw", first["seizures"], "--reason", "试传", **analyst)
    assert shell("server", "verify", **admin)["ok"]
    book = shell("server", "export", "audit", "-o", tmp_path / "before.csv", **admin)
    backup = tmp_path / "kept.gmb"
    assert shell("server", "backup", "-o", backup, **analyst, code=3)["error"]["code"] == "not_allowed"
    told = shell("server", "backup", "-o", backup, **admin)
    assert told["key_file"] == str(tmp_path / "names.key")
    key = (tmp_path / "names.key").read_bytes().strip()
    with zipfile.ZipFile(backup) as archive:
        assert not any(key in archive.read(name) for name in archive.namelist())
    shell("file", "restore", backup)
    shell("back", "restore", backup, "--database", server.url())
    assert shell("back", "compact", **analyst, code=3)["error"]["code"] == "not_allowed"
    done = shell("back", "compact", **admin)
    assert (done["files_before"] > done["files_after"], done["files_after"]) == (True, done["days"])

    names = [*RECORDS, "receipts", "runs", "persons", "positions", "quality_scores", *RESULTS]
    exported: dict[str, dict[str, bytes]] = {}
    for place in ("server", "file", "back"):
        assert shell(place, "verify", **admin)["ok"]
        path = tmp_path / "hotspots.csv"
        shell(place, "export", "hotspots", "-o", path, **analyst)
        exported[place] = {"by command": path.read_bytes()}
        read = gm.open(tmp_path / place, create=False, account="李", password=PASSWORD)
        assert len(read.table("hotspots")) == len(read.table("reaches")) > 0
        for name in names:
            for extension in ("csv", "parquet"):
                path = tmp_path / f"{name}.{extension}"
                assert read.export(name, path).rows > 0, name
                exported[place][path.name] = path.read_bytes()
        assert exported[place]["by command"] == exported[place]["hotspots.csv"]
    for place in ("file", "back"):
        assert [name for name, told in exported["server"].items() if exported[place][name] != told] == []
        shell(place, "export", "audit", "-o", tmp_path / "after.csv", **admin)
        before, after = ((tmp_path / name).read_text().splitlines() for name in ("before.csv", "after.csv"))
        assert len(before) == book["rows"] + 1
        assert after[: len(before)] == before
        assert shell(place, "audit", "verify", "--head", told["audit_head"], **admin)["ok"]
        (name,) = shell(place, "persons", "甲1", "--reason", "结案", **analyst)["names"]
        assert name["name"] == "张三"
    monkeypatch.setenv("GEO_MONITOR_KEY_FILE", str(tmp_path / "lost.key"))
    assert (
        shell("file", "persons", "甲1", "--reason", "无钥匙", **analyst, code=1)["error"]["code"] == "names_key_missing"
    )
