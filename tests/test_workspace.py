"""The workspace from stored rows to results, on a straight river made by hand.

The river lies along latitude 30 from 112.0 to 112.2 E, mouth in the east. A degree of longitude there is 96,486 m, so
it is 19.3 km long.
"""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely

from geo_monitor import open as open_workspace
from geo_monitor import tables
from geo_monitor.errors import Refused, Usage
from geo_monitor.ingest import Receipt
from geo_monitor.store import Store
from geo_monitor.times import moment
from geo_monitor.workspace import Workspace
from tests.store.uploads import fixes, seizures, upload

NOW = datetime(2026, 7, 1, tzinfo=UTC)


def line() -> pd.DataFrame:
    xs = np.linspace(112.0, 112.2, 101)
    shape = shapely.LineString([(x, 30.0) for x in xs])
    return pd.DataFrame(
        {
            "line_id": ["1"],
            "version": [1],
            "river": ["江"],
            "what": ["channel"],
            "accuracy_m": [100.0],
            "mouth": ["end"],
            "geometry": [shape],
        }
    )


def put(workspace: Workspace, folder: Path, kind: str, rows: pd.DataFrame, name: str, when: str) -> None:
    Store(workspace.root).commit(*upload(folder, kind, rows, name, when, content=name.encode(), rows_read=len(rows)))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Unit a lies at 112.051 from 08:00 to 11:00 on 1 June (Shanghai), a fix a minute; received 2 June."""
    made = open_workspace(tmp_path / "ws")
    wait = fixes("a", "2026-06-01T00:00:00+00:00", 181).assign(lon=112.051)
    put(made, tmp_path, "river", line(), "r-river", "2026-05-01T00:00:00Z")
    put(made, tmp_path, "tracks", wait, "r-tracks", "2026-06-02T00:00:00Z")
    reports = seizures(
        report_id=["found", "market", "tip", "words", "far"],
        time=pd.to_datetime(["2026-06-01T01:00:00Z"] * 2 + ["2026-06-20T12:00:00Z"] * 3),
        lon=[112.051, 112.051, 112.151, None, 112.151],
        lat=[30.0, 30.0, 30.0, None, 30.1],
        setting=["water", "market", "bank", None, None],
        origin=["patrol", None, "tip", "patrol", "patrol"],
    )
    put(made, tmp_path, "seizures", reports, "r-seizures", "2026-06-21T00:00:00Z")
    return made


def test_the_main_job(workspace: Workspace) -> None:
    told: list[str] = []
    run = workspace.analyse(now=NOW, tell=lambda stage, share: told.append(stage))
    hot = run.table("hotspots").set_index("reach_id")
    assert tuple(run.table("hotspots").columns) == tables.table("hotspots").names
    looked = hot[hot["patrol_h"] > 0]
    assert len(looked) == 1
    assert looked["patrol_h"].iloc[0] == pytest.approx(3.0, abs=1e-9)
    assert looked["seizures"].iloc[0] == 1
    assert looked["last_look"].iloc[0] == pd.Timestamp("2026-06-01T03:00:00Z")
    assert hot["seizures"].sum() == 1
    assert hot["seizures_unpatrolled"].sum() == 1
    assert (hot.loc[hot["patrol_h"] < 2, "state"] == "not_looked").all()
    # 0.051 degrees of longitude from 112.0 lie in the reach whose middle is nearest
    assert abs(looked["lon"].iloc[0] - 112.051) < 0.0026
    summary = run.summary
    assert summary["seizures_left_out"] == {"total": 4, "unpatrolled": 1, "no_place": 1, "off_river": 1, "elsewhere": 1}
    assert summary["unlocated_minutes"] == 0
    assert summary["counts"]["positions"] == 181
    assert summary["counts"]["patrol_hours"] == pytest.approx(3.0)
    assert list(summary["timings"]) == ["read", "river", "locate", "joins", "effort", "hotspots"]
    assert list(dict.fromkeys(told)) == list(summary["timings"])
    assert (summary["data_from"], summary["data_to"]) == ("2026-06-01T00:00:00Z", "2026-06-20T12:00:00Z")
    assert json.loads(json.dumps(summary)) == workspace.run().summary


def test_the_same_data_give_the_same_tables(workspace: Workspace) -> None:
    one, two = workspace.analyse(now=NOW), workspace.analyse(now=NOW)
    assert one.run_id != two.run_id
    for name in ("hotspots", "reaches", "effort", "seizure_links"):
        assert one.table(name).equals(two.table(name))


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-06-01", "2026-06-02", 3.0),
        ("2026-06-01T09:00", "2026-06-01T10:00", 59 / 60),  # 09:00 counts, 10:00 does not: fixes 09:00 ... 09:59
        ("2026-06-01T02:00Z", None, 1.0),
        (None, "2026-06-01", 0.0),
    ],
)
def test_period_in_shanghai_time(workspace: Workspace, start: str | None, end: str | None, hours: float) -> None:
    run = workspace.analyse(start, end, now=NOW)
    assert run.table("hotspots")["patrol_h"].sum() == pytest.approx(hours, abs=1e-9)


def test_as_of_uses_only_what_had_been_received(workspace: Workspace) -> None:
    assert workspace.analyse(as_of="2026-06-01T12:00Z", now=NOW).summary["counts"]["positions"] == 0
    then = workspace.analyse(as_of="2026-06-02T00:00Z", now=NOW)
    assert then.summary["counts"]["positions"] == 181
    assert then.summary["counts"]["seizures"] == 0
    workspace.withdraw("r-tracks", "错发", now=datetime(2026, 6, 10, tzinfo=UTC))
    assert workspace.analyse(now=NOW).summary["counts"]["positions"] == 0
    assert workspace.analyse(as_of="2026-06-09T00:00Z", now=NOW).summary["counts"]["positions"] == 181


def test_reach_length_and_methods(workspace: Workspace) -> None:
    short = len(workspace.analyse(reach_length=500, methods="rates, gistar", now=NOW).table("reaches"))
    # 19.3 km: 38 or 39 pieces of 500 m, 9 or 10 of 2 km
    assert short in (38, 39)
    assert len(workspace.analyse(reach_length=2000, now=NOW).table("reaches")) in (9, 10)
    with pytest.raises(Usage, match="no method"):
        workspace.analyse(methods="magic")
    with pytest.raises(Usage, match="no method"):
        workspace.analyse(methods="")
    with pytest.raises(Usage, match="50 to 50000"):
        workspace.analyse(reach_length=0)
    with pytest.raises(Usage, match="not before"):
        workspace.analyse("2026-06-02", "2026-06-02")
    with pytest.raises(Usage, match="not understood"):
        workspace.analyse("yesterday")
    assert len(workspace.table("runs")) == 2


def test_inputs_need_no_run(workspace: Workspace) -> None:
    for name in ("positions", "units", "zones", "seizures", "patrols", "jurisdictions", "receipts", "quality", "audit"):
        assert tuple(workspace.table(name).columns) == tables.table(name).names
    with pytest.raises(Usage, match="no results"):
        workspace.table("hotspots")
    with pytest.raises(Usage, match="no table"):
        workspace.table("boats")
    assert workspace.table("quality")["rows_read"].tolist() == [1, 181, 5]


def test_patrols_are_those_told_and_those_found(workspace: Workspace, tmp_path: Path) -> None:
    told = pd.DataFrame(
        {
            "patrol_id": ["told"],
            "unit_id": ["b"],
            "started_at": pd.to_datetime(["2026-06-05T00:00:00Z"]),
            "ended_at": pd.to_datetime(["2026-06-05T02:00:00Z"]),
            "river": ["江"],
            "km_from": [2.0],
            "km_to": [4.0],
            "how": ["reported"],
        }
    )
    put(workspace, tmp_path, "patrols", told, "r-patrols", "2026-06-06T00:00:00Z")
    assert workspace.table("patrols")["patrol_id"].tolist() == ["told"]
    run = workspace.analyse(now=NOW)
    patrols = run.table("patrols")
    assert patrols["how"].tolist() == ["reported", "tracked"]
    effort = run.table("effort")
    # two hours over km 2 to 4, and the three hours of the stake-out
    assert effort["minutes"].sum() == pytest.approx(300.0)
    assert effort["reported_minutes"].sum() == pytest.approx(120.0)


def test_settings_of_the_workspace(workspace: Workspace) -> None:
    (workspace.root / "settings.toml").write_text("looked_h = 5.0\n", encoding="utf-8")
    assert (workspace.analyse(now=NOW).table("hotspots")["state"] == "not_looked").all()
    (workspace.root / "settings.toml").write_text("loked_h = 5.0\n", encoding="utf-8")
    with pytest.raises(Refused, match="loked_h"):
        workspace.analyse(now=NOW)


def test_a_zone_version_holds_in_its_time(workspace: Workspace, tmp_path: Path) -> None:
    day = pd.to_datetime(["2026-06-01T01:30:00Z"] * 2, utc=True)
    zones = pd.DataFrame(
        {
            "zone_id": ["z", "z"],
            "version": [1, 2],
            "valid_from": [pd.NaT, day[0]],
            "valid_to": [day[0], pd.NaT],
            "geometry": [shapely.box(112.04, 29.9, 112.06, 30.1)] * 2,
        }
    )
    put(workspace, tmp_path, "zones", zones, "r-zones", "2026-05-02T00:00:00Z")
    visits = workspace.analyse(now=NOW).table("zone_visits").sort_values("entered_at")
    assert visits["zone_version"].tolist() == [1, 2]
    assert visits["minutes"].sum() == pytest.approx(180.0, abs=1.1)


def test_bare_dates_are_shanghai_days() -> None:
    assert moment("2026-06-01") == datetime(2026, 5, 31, 16, tzinfo=UTC)
    assert moment("2026/06/01") == datetime(2026, 5, 31, 16, tzinfo=UTC)
    assert moment(datetime(2026, 6, 1, tzinfo=UTC)) == datetime(2026, 6, 1, tzinfo=UTC)


def test_opening_without_making(tmp_path: Path) -> None:
    from geo_monitor.workspace import open_workspace as strict

    with pytest.raises(Usage, match="no workspace"):
        strict(tmp_path / "typo", create=False)


def test_unknown_kinds_and_missing_files(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(Usage, match="no kind"):
        workspace.import_file("boats", tmp_path / "x.csv")
    with pytest.raises(Usage, match="no file"):
        workspace.import_file("zones", tmp_path / "x.csv")


def test_an_upload_of_several_files_is_one_file_and_always_the_same(tmp_path: Path) -> None:
    from geo_monitor.store.files import sha256
    from geo_monitor.workspace import one_file

    folder = tmp_path / "zones"
    folder.mkdir()
    for name, content in {"a.shp": b"1", "a.dbf": b"2", "a.shp.xml": b"3", "b.dbf": b"4"}.items():
        (folder / name).write_bytes(content)
    hashes = []
    for path in (folder / "a.shp", folder / "a.shp", folder):
        with one_file(path) as whole, zipfile.ZipFile(whole) as archive:
            hashes.append((sha256(whole), archive.namelist()))
    assert hashes[0] == hashes[1]
    assert hashes[0][1] == ["a.dbf", "a.shp", "a.shp.xml"]
    assert hashes[2][1] == ["a.dbf", "a.shp", "a.shp.xml", "b.dbf"]
    (folder / "a.dbf").write_bytes(b"5")
    with one_file(folder / "a.shp") as whole:
        assert sha256(whole) != hashes[0][0]
    with one_file(folder / "b.dbf") as whole:
        assert whole == folder / "b.dbf"
    (tmp_path / "empty").mkdir()
    with pytest.raises(Usage, match="empty"), one_file(tmp_path / "empty"):
        pass


def sent(workspace: Workspace, folder: Path, name: str, wide: bool = False) -> Receipt:
    """An upload of the river, or of one with a lake in it."""
    shapes = [shapely.LineString([(112.0, 30.0), (112.2, 30.0)]), *([shapely.box(112.08, 29.99, 112.1, 30.01)] * wide)]
    rows = [
        {"type": "Feature", "properties": {"name": f"江{at}"}, "geometry": shapely.geometry.mapping(shape)}
        for at, shape in enumerate(shapes)
    ]
    path = folder / name
    path.write_text(json.dumps({"type": "FeatureCollection", "features": rows}), encoding="utf-8")
    return workspace.import_file("river", path)


def test_an_analysis_does_not_wait_for_a_river_that_was_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = open_workspace(tmp_path / "ws")
    told: list[str] = []
    for name, wide in (("a.geojson", False), ("b.geojson", True)):
        receipt = sent(workspace, tmp_path, name, wide)
        assert receipt.status != "rejected", receipt.to_json("en")
        workspace.build_river(receipt, lambda stage, share: told.append(stage))
    assert set(told) == {"river"}

    def built(*given: object, **more: object) -> None:
        raise AssertionError("built again")

    monkeypatch.setattr("geo_monitor.river.build", built)
    reaches = workspace.analyse(now=NOW).table("reaches")
    assert set(reaches["river"]) == {"江0", "江1"}


def test_a_river_that_cannot_be_built_is_told_by_the_analysis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = open_workspace(tmp_path / "ws")
    receipt = sent(workspace, tmp_path, "a.geojson")

    def refused(*given: object, **more: object) -> None:
        raise Refused("river_empty")

    monkeypatch.setattr("geo_monitor.river.build", refused)
    workspace.build_river(receipt)
    with pytest.raises(Refused) as told:
        workspace.analyse(now=NOW)
    assert told.value.code == "river_empty"


def test_a_folder_that_holds_the_workspace_is_no_upload(tmp_path: Path) -> None:
    """Its bytes would be kept as those of an upload: the database, everybody's reports in it, with them."""
    workspace = Workspace.create(tmp_path / "workspace")
    (tmp_path / "a.csv").write_text("unit_id,time,lon,lat\nA,2026-05-01 10:00,112,30\n")
    for folder in (tmp_path, workspace.root):
        with pytest.raises(Usage) as told:
            workspace.import_file("tracks", folder)
        assert told.value.code == "folder_holds_workspace"
    assert not list((workspace.root / "raw").glob("*"))


def test_a_file_whose_log_lies_beside_it_is_not_taken_alone(tmp_path: Path) -> None:
    """As while a program still has it open: what was written last stands in the log alone."""
    workspace = Workspace.create(tmp_path / "ws")
    (tmp_path / "z.gpkg").write_bytes(b"SQLite format 3\0")
    (tmp_path / "z.gpkg-wal").write_bytes(b"\0" * 32)
    with pytest.raises(Usage) as told:
        workspace.import_file("zones", tmp_path / "z.gpkg")
    assert (told.value.code, told.value.params["log"]) == ("log_left_behind", "z.gpkg-wal")
    (tmp_path / "z.gpkg-wal").write_bytes(b"")  # a log that was taken in
    assert workspace.import_file("zones", tmp_path / "z.gpkg").errors[0].code == "gpkg_broken"
