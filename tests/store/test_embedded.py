"""`Store`: what is in force when. Expected values are worked out by hand."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import sqlalchemy as sql

from geo_monitor.errors import GeoMonitorError, Refused, Usage
from geo_monitor.store import Store, database, schema, unfinished
from geo_monitor.store.database import URL_FILE
from geo_monitor.store.held import Held
from geo_monitor.store.schema import RECORDS
from geo_monitor.store.versions import superseded
from tests import postgres
from tests.store.uploads import at, fixes, seizures, upload


def kept(store: Store, tmp_path: Path, *args, **kwargs):
    return store.commit(*upload(tmp_path, *args, **kwargs))


def test_create_twice_keeps_everything(store: Store, tmp_path: Path) -> None:
    kept(store, tmp_path, "seizures", seizures(report_id=["a"]), "r1")
    assert len(Store.create(store.root).records("seizures")) == 1


def test_create_in_a_folder_of_other_things_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("mine")
    with pytest.raises(Refused, match=r"thesis\.docx"):
        Store.create(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.docx"]


def missed(store: Store, **asked: Any) -> list[str]:
    """The files that a reader is told of as missing."""
    with suppress(Refused):
        store.positions(**asked)
        return []
    with pytest.raises(Refused) as told:
        store.positions(**asked)
    assert told.value.code == "positions_unreadable"
    return list(told.value.params["files"])


def test_a_file_that_is_gone_is_missed_wherever_its_rows_are_asked_for(store: Store, tmp_path: Path) -> None:
    """Two uploads, each of two days; the first file of one goes."""
    both = pd.concat([fixes("u", f"2026-05-0{day}T01:00:00+00:00", 3) for day in (1, 2)], ignore_index=True)
    kept(store, tmp_path, "tracks", both, "r1", "2026-05-10T00:00:00+00:00", agency="a")
    kept(store, tmp_path, "tracks", both.assign(unit_id="v"), "r2", "2026-05-20T00:00:00+00:00", agency="b")
    assert missed(store) == []
    (store.root / "positions" / "day=2026-05-01" / "r2.parquet").unlink()
    gone = ["day=2026-05-01/r2.parquet"]
    assert missed(store) == gone
    assert missed(store, start=at("2026-05-02T00:00:00+08:00")) == []
    assert missed(store, end=at("2026-05-02T00:00:00+08:00")) == gone
    assert missed(store, as_of=at("2026-05-15T00:00:00+00:00")) == []  # it had not come yet
    assert (missed(store, agencies=["a"]), missed(store, agencies=["b"])) == ([], gone)
    assert (missed(store, receipts=["r1"]), missed(store, receipts=["r2"])) == ([], gone)
    store.withdraw("r2", "漏", at("2026-05-21T00:00:00+00:00"))
    assert missed(store) == []
    assert missed(store, as_of=at("2026-05-20T12:00:00+00:00")) == gone
    (store.root / "positions" / "day=2026-05-02").rename(tmp_path / "elsewhere")  # the folder of a day, too
    assert missed(store) == ["day=2026-05-02/r1.parquet"]


def test_what_somebody_else_put_beside_the_days_is_none(store: Store, tmp_path: Path) -> None:
    kept(store, tmp_path, "tracks", fixes("u", "2026-05-01T01:00:00+00:00", 3), "r1")
    for name in ("day=2026-05-01 - 副本", "day=x"):
        (store.root / "positions" / name).mkdir()
    (store.root / "positions" / "day=2026-05-02").write_text("")
    assert len(store.positions()) == 3
    assert store.orphans() == []


def test_opening_what_is_no_workspace_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(Usage, match="no workspace"):
        Store(tmp_path / "typo")
    assert not (tmp_path / "typo").exists()


def test_rows_come_back_as_they_went_in(store: Store, tmp_path: Path) -> None:
    rows = pd.DataFrame(
        {
            "zone_id": ["z1"],
            "name": ["宜昌中华鲟保护区"],
            "version": [1],
            "valid_from": pd.to_datetime(["2021-01-01T00:00:00Z"]),
            "geometry": [shapely.box(111, 30, 112, 31)],
        }
    )
    kept(store, tmp_path, "zones", rows, "r1", agency="hubei")
    zones = store.records("zones")
    assert isinstance(zones, gpd.GeoDataFrame)
    assert zones.crs.to_epsg() == 4326
    assert zones.geometry[0].equals(shapely.box(111, 30, 112, 31))
    assert zones.loc[0, ["zone_id", "name", "agency", "receipt_id", "version"]].tolist() == [
        "z1",
        "宜昌中华鲟保护区",
        "hubei",
        "r1",
        1,
    ]
    assert zones["valid_from"][0] == pd.Timestamp("2021-01-01T00:00:00Z")
    assert pd.isna(zones["valid_to"][0])


def test_corrected_rows_and_the_withdrawal_of_the_correction(store: Store, tmp_path: Path) -> None:
    kept(store, tmp_path, "seizures", seizures(report_id=["a", "b"], catch_kg=[1.0, 2.0]), "r1", "2026-01-01T00:00:00Z")
    kept(
        store,
        tmp_path,
        "seizures",
        seizures(report_id=["a"], catch_kg=[9.0], version=[2]),
        "r2",
        "2026-01-02T00:00:00Z",
    )
    assert dict(store.records("seizures")[["report_id", "catch_kg"]].to_numpy()) == {"a": 9.0, "b": 2.0}
    assert sorted(store.records("seizures", all_versions=True)["catch_kg"]) == [1.0, 2.0, 9.0]
    store.withdraw("r2", "发错文件", at("2026-01-03T00:00:00Z"))
    assert dict(store.records("seizures")[["report_id", "catch_kg"]].to_numpy()) == {"a": 1.0, "b": 2.0}
    history = store.history("seizures")
    assert len(history) == 3
    gone = history[history["receipt_id"] == "r2"].iloc[0]
    assert (gone["catch_kg"], gone["withdrawn_reason"]) == (9.0, "发错文件")


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        ("2025-12-31T23:59:59Z", {}),
        ("2026-01-01T00:00:00Z", {"a": 1.0}),
        ("2026-01-02T00:00:00Z", {"a": 9.0}),
        ("2026-01-02T23:59:59Z", {"a": 9.0}),  # not withdrawn yet
        ("2026-01-03T00:00:00Z", {"a": 1.0}),  # withdrawn by then
    ],
)
def test_as_of(store: Store, tmp_path: Path, as_of: str, expected: dict[str, float]) -> None:
    kept(store, tmp_path, "seizures", seizures(report_id=["a"], catch_kg=[1.0]), "r1", "2026-01-01T00:00:00Z")
    kept(
        store,
        tmp_path,
        "seizures",
        seizures(report_id=["a"], catch_kg=[9.0], version=[2]),
        "r2",
        "2026-01-02T00:00:00Z",
    )
    store.withdraw("r2", "wrong", at("2026-01-03T00:00:00Z"))
    assert dict(store.records("seizures", as_of=as_of)[["report_id", "catch_kg"]].to_numpy()) == expected


def test_the_same_id_of_two_agencies_is_two_records(store: Store, tmp_path: Path) -> None:
    kept(store, tmp_path, "seizures", seizures(report_id=["1"]), "r1", agency="hubei")
    kept(store, tmp_path, "seizures", seizures(report_id=["1"]), "r2", agency="hunan")
    assert sorted(store.records("seizures")["agency"]) == ["hubei", "hunan"]


def test_jurisdictions_are_named_by_their_name(store: Store, tmp_path: Path) -> None:
    rows = pd.DataFrame({"adcode": ["1", "2"], "name": ["甲县", "乙县"], "geometry": [shapely.box(0, 0, 1, 1)] * 2})
    kept(store, tmp_path, "jurisdictions", rows, "r1")
    kept(store, tmp_path, "jurisdictions", rows.iloc[[1]].assign(adcode="3", version=2), "r2")
    assert store.records("jurisdictions")[["adcode", "name"]].to_numpy().tolist() == [["1", "甲县"], ["3", "乙县"]]


def test_records_are_named_as_the_door_names_them() -> None:
    from geo_monitor.ingest.kinds import IDENTITY, TABLES

    assert {TABLES[kind]: column for kind, column in IDENTITY.items()} == RECORDS


def test_zones_stay_beside_a_successor_of_another_time(store: Store, tmp_path: Path) -> None:
    day = pd.to_datetime(["2021-01-01", "2023-01-01", "2025-01-01"], utc=True)
    rows = pd.DataFrame(
        {
            "zone_id": ["z", "z", "z", "y", "y"],
            "version": [1, 2, 3, 1, 2],
            "valid_from": [day[0], day[1], day[1], pd.NaT, pd.NaT],
            "valid_to": [day[1], day[2], pd.NaT, pd.NaT, pd.NaT],
            "geometry": [shapely.box(0, 0, 1, 1)] * 5,
        }
    )
    sent = rows.assign(agency=None, receipt_id=["r1", "r2", "r3", "r1", "r2"])
    assert superseded(sent).tolist() == [False, True, False, True, False]
    for name, part in sent.groupby("receipt_id"):
        kept(store, tmp_path, "zones", part.drop(columns="receipt_id"), str(name))
    assert store.records("zones")[["zone_id", "version"]].to_numpy().tolist() == [["z", 1], ["y", 2], ["z", 3]]


def test_withdrawing_needs_a_receipt_in_force_and_a_reason(store: Store, tmp_path: Path) -> None:
    now = at("2026-02-01T00:00:00Z")
    kept(store, tmp_path, "seizures", seizures(report_id=["a"]), "r1")
    kept(store, tmp_path, "seizures", None, "r2", status="rejected")
    with pytest.raises(Usage, match="reason"):
        store.withdraw("r1", " ", now)
    with pytest.raises(Usage, match="no receipt"):
        store.withdraw("nobody", "x", now)
    with pytest.raises(Refused, match="rejected"):
        store.withdraw("r2", "x", now)
    store.withdraw("r1", "x", now)
    with pytest.raises(Refused, match="before"):
        store.withdraw("r1", "x", now)


def test_raw_bytes_and_refused_rows_are_kept(store: Store, tmp_path: Path) -> None:
    refused = pd.DataFrame(
        {"编号": ["a", "=1+1"], "reason_zh": ["无时间", "无时间"], "reason_en": ["no time", "no time"]}
    )
    receipt = kept(
        store, tmp_path, "seizures", seizures(report_id=["b"]), "r1", content=b"\x00raw\xff", quarantine=refused
    )
    assert store.raw(hashlib.sha256(b"\x00raw\xff").hexdigest()).read_bytes() == b"\x00raw\xff"
    text = Path(receipt.quarantine).read_bytes()
    assert text.startswith(b"\xef\xbb\xbf")
    assert "'=1+1" in text.decode("utf-8-sig")


def test_a_file_that_changed_while_it_was_read_is_refused(store: Store, tmp_path: Path) -> None:
    made, path = upload(tmp_path, "seizures", seizures(report_id=["a"]), "r1")
    path.write_bytes(b"something else")
    with pytest.raises(Refused, match="changed"):
        store.commit(made, path)
    assert len(store.book("receipts")) == 0
    assert list((store.root / "raw").iterdir()) == []


def test_positions_are_cut_by_shanghai_day_and_sorted(store: Store, tmp_path: Path) -> None:
    # 15:58Z is 23:58 in Shanghai: fixes at :58, :59 belong to 1 May, :00, :01 to 2 May
    night = fixes("b", "2026-05-01T15:58:00+00:00", 4)
    other = fixes("a", "2026-05-01T15:59:30+00:00", 1)
    kept(store, tmp_path, "tracks", pd.concat([night.iloc[::-1], other]), "r1")
    files = sorted(path.relative_to(store.root).as_posix() for path in store.root.glob("positions/*/*"))
    assert files == ["positions/day=2026-05-01/r1.parquet", "positions/day=2026-05-02/r1.parquet"]
    assert len(gpd.read_parquet(store.root / files[0])) == 3
    table = store.positions()
    assert table["unit_id"].to_pylist() == ["a", "b", "b", "b", "b"]
    assert [value.strftime("%H:%M") for value in table["time"].to_pylist()[1:]] == ["15:58", "15:59", "16:00", "16:01"]
    assert table["lon"].to_pylist()[1:] == [112.0, 112.001, 112.002, 112.003]
    part = store.positions(start="2026-05-01T15:59:00Z", end="2026-05-01T16:00:00Z", columns=["lon", "unit_id"])
    assert part.column_names == ["lon", "unit_id"]
    assert part["unit_id"].to_pylist() == ["a", "b"]


def test_positions_of_two_receipts_are_merged_in_time_order(store: Store, tmp_path: Path) -> None:
    rows = fixes("b", "2026-05-01T00:00:00+00:00", 10)
    kept(store, tmp_path, "tracks", rows.iloc[::2], "r1", content=b"1")
    kept(store, tmp_path, "tracks", rows.iloc[1::2], "r2", content=b"2")
    times = np.asarray(store.positions()["time"].cast("int64"))
    assert len(times) == 10
    assert (np.diff(times) == 60_000).all()
    assert len(store.positions(units=["nobody"])) == 0
    assert str(store.positions(encoded=True).schema.field("unit_id").type).startswith("dictionary")
    store.withdraw("r1", "x", at("2026-06-01T00:00:00Z"))
    assert len(store.positions()) == 5
    assert len(store.positions(as_of="2026-05-31T00:00:00Z")) == 10


def test_runs_stay_and_the_latest_is_read(store: Store) -> None:
    for number in (1, 2):
        links = pd.DataFrame({"reach_a": ["a"], "reach_b": ["b"], "distance_m": [float(number)]})
        run = {"run_id": f"run{number}", "made_at": pd.Timestamp("2026-01-01", tz="UTC"), "summary": "{}"}
        store.write_run(run, {"links": links})
    assert store.result("links")["distance_m"].tolist() == [2.0]
    assert store.result("links", "run1")["distance_m"].tolist() == [1.0]
    with pytest.raises(Usage, match='no run "run3"'):
        store.result("links", "run3")
    with pytest.raises(Usage, match='no table "effort"'):
        store.result("effort")


def test_a_workspace_without_runs_says_so(store: Store) -> None:
    with pytest.raises(Usage, match="no results yet"):
        store.result("hotspots")


def test_uncommitted_files_are_not_read_and_are_swept(store: Store, tmp_path: Path) -> None:
    kept(store, tmp_path, "tracks", fixes("b", "2026-05-01T00:00:00+00:00", 2), "r1")
    day = store.root / "positions" / "day=2026-05-01"
    (day / "r9.parquet").write_bytes((day / "r1.parquet").read_bytes())
    (day / ".tmp-1-r8.parquet").write_bytes(b"half")
    (store.root / "runs" / "run9").mkdir()
    (store.root / "raw" / ("0" * 64)).write_bytes(b"nobody's")
    assert len(store.positions()) == 2
    with store.writing():  # its mark stands now
        Store(store.root)  # somebody writes: nothing may be swept
        assert (day / "r9.parquet").exists()
    assert len(store.orphans()) == 4
    (store.root / ".unfinished").touch()
    again = Store(store.root)
    assert again.orphans() == []
    assert not (store.root / ".unfinished").exists()
    assert sorted(path.name for path in day.iterdir()) == ["r1.parquet"]
    assert list((store.root / "runs").iterdir()) == []
    assert len(again.positions()) == 2


WRITER = """
import sys
from pathlib import Path
import pandas as pd
from geo_monitor.store import Store
from tests.store.uploads import fixes, seizures, upload
root, folder, name = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
print("ready", flush=True)
store = Store(root)
for number in range(int(sys.argv[4])):
    key = f"{name}-{number}"
    # 6 days: many files stand on the disk before the commit
    rows = pd.concat([fixes(key, f"2026-05-0{day}T00:00:00+00:00", 50) for day in range(1, 7)])
    with store.writing():
        store.commit(*upload(folder, "tracks", rows, f"t-{key}", content=key.encode()))
        held = len(store.records("seizures"))
        store.commit(*upload(folder, "seizures", seizures(report_id=[f"{key}-a", f"{key}-b"], value_cny=[held, held]),
                             f"s-{key}", content=key.encode() * 2))
    print(key, flush=True)
"""


def start(store: Store, tmp_path: Path, name: str, count: int) -> subprocess.Popen[str]:
    repo = Path(__file__).parents[2]
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(store.root), str(tmp_path), name, str(count)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=repo,
        env={**os.environ, "PYTHONPATH": str(repo)},
    )


def test_two_processes_at_once_see_each_other(store: Store, tmp_path: Path) -> None:
    both = [start(store, tmp_path, name, 5) for name in ("x", "y")]
    for process in both:
        process.communicate(timeout=120)
        assert process.returncode == 0
    held = store.records("seizures")
    assert len(held) == 20
    # each saw exactly what was committed before it: 0, 2, 4 ... 18, no number twice
    assert sorted(held.groupby("receipt_id")["value_cny"].first()) == [float(2 * n) for n in range(10)]
    assert len(store.positions()) == 2 * 5 * 300


def test_bytes_are_held_while_no_upload_before_them_was_withdrawn(store: Store, tmp_path: Path) -> None:
    """r2 repeats row a of r1 and so stores only b. Without r1, row a is held by nobody: r2 has to be read again."""
    kept(store, tmp_path, "seizures", seizures(report_id=["a"]), "r1", "2026-01-01T00:00:00Z", content=b"1")
    kept(store, tmp_path, "seizures", seizures(report_id=["b"]), "r2", "2026-01-02T00:00:00Z", content=b"2")
    held = Held(store)
    one, two = (hashlib.sha256(content).hexdigest() for content in (b"1", b"2"))
    assert (held.sha256(one, "seizures"), held.sha256(two, "seizures")) == ("r1", "r2")
    assert held.sha256(one, "zones") is None
    store.withdraw("r1", "x", at("2026-01-03T00:00:00Z"))
    assert held.sha256(one, "seizures") is None
    assert held.sha256(two, "seizures") is None
    kept(store, tmp_path, "seizures", seizures(report_id=["a"]), "r3", "2026-01-04T00:00:00Z", content=b"2")
    assert held.sha256(two, "seizures") == "r3"


def test_what_a_reader_of_uploads_is_told(store: Store, tmp_path: Path) -> None:
    kept(store, tmp_path, "tracks", fixes("b", "2026-05-01T00:00:00+00:00", 3), "r1")
    kept(store, tmp_path, "units", pd.DataFrame({"unit_id": ["b", "c"], "mmsi": ["413000001", None]}), "r2")
    held = Held(store)
    found = held.positions(["b"], at("2026-05-01T00:00:00Z"), at("2026-05-01T00:01:00Z"))
    assert found["time"].tolist() == [pd.Timestamp("2026-05-01T00:00:00Z"), pd.Timestamp("2026-05-01T00:01:00Z")]
    assert list(found.columns) == ["unit_id", "time", "lon", "lat", "seen"]
    assert held.mmsi() == {"413000001"}
    assert held.records("units")["receipt_id"].tolist() == ["r2", "r2"]
    assert len(held.records("raster")) == 0


def test_a_folder_knows_its_own_records(
    tmp_path: Path, server: postgres.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Positions lie in the folder: with the records of another workspace they would be nobody's, and be swept."""
    url = server.url()
    store = Store.create(tmp_path / "ws", url)
    kept(store, tmp_path, "seizures", seizures(report_id=["a"]), "r1")
    with pytest.raises(GeoMonitorError) as raised:
        Store.create(tmp_path / "another", url)
    assert raised.value.code == "database_of_another"
    assert not (tmp_path / "another" / URL_FILE).exists()
    other = server.url()
    Store.create(tmp_path / "other", other)
    monkeypatch.setenv("GEO_MONITOR_DATABASE", other)
    with pytest.raises(GeoMonitorError, match="another workspace"):
        Store(store.root)


def test_no_password_is_written(tmp_path: Path, server: postgres.Server) -> None:
    url = server.url()
    Store.create(tmp_path / "ws", url.replace("gm@", "gm:geheim@"))
    assert (tmp_path / "ws" / URL_FILE).read_text(encoding="utf-8").splitlines()[0] == url
    assert "geheim" not in "".join(
        path.read_text(errors="replace") for path in (tmp_path / "ws").rglob("*") if path.is_file()
    )


@pytest.mark.parametrize("url", ["postgresql://gm@127.0.0.1:1/gm", "postgresql://nobody@127.0.0.1:{port}/gm"])
def test_a_server_out_of_reach_is_told_and_leaves_no_workspace(
    tmp_path: Path, server: postgres.Server, url: str
) -> None:
    with pytest.raises(GeoMonitorError) as raised:
        Store.create(tmp_path / "ws", url.format(port=server.port))
    assert raised.value.code == "database_unreachable"
    with pytest.raises(Usage, match="no workspace"):
        Store(tmp_path / "ws")


def test_what_is_read_inside_is_of_one_moment(store: Store, tmp_path: Path) -> None:
    kept(store, tmp_path, "seizures", seizures(report_id=["a"]), "r1")
    with store.reading():
        assert len(store.records("seizures")) == 1
        with ThreadPoolExecutor(1) as other:  # reading is by thread: the writer is somebody else
            other.submit(kept, store, tmp_path, "seizures", seizures(report_id=["b"]), "r2").result()
        assert len(store.records("seizures")) == 1
        assert len(store.book("receipts")) == 1
    assert len(store.records("seizures")) == 2


def test_a_commit_under_way_is_waited_for(tmp_path: Path, server: postgres.Server) -> None:
    """Of a writer killed while its COMMIT was under way the lock is free at once; the next start must not judge yet."""
    store = Store.create(tmp_path / "ws", server.url())
    files = tmp_path / "ws" / "positions" / "day=2026-05-01"
    files.mkdir()
    (files / "late.parquet").write_bytes(b"fixes")
    unfinished.begin(store.root, unfinished.Work("import", "late.csv", "late"))
    with ThreadPoolExecutor(1) as other:
        with store.transaction() as connection:  # the killed writer's, still alive in the server
            again = other.submit(Store, store.root)
            with pytest.raises(TimeoutError):
                again.result(timeout=1)
            row = {"receipt_id": "late", "kind": "tracks", "file": "late.csv", "sha256": "0", "status": "accepted"}
            connection.execute(schema.SQL["receipts"].insert().values(**row, received_at=0, receipt="{}"))
        fallen = again.result(timeout=60).fallen
    assert fallen is not None
    assert (fallen.code, fallen.left) == ("fallen.import.finished", ())
    assert (files / "late.parquet").exists()


def test_a_lost_lock_stops_the_commit(tmp_path: Path, server: postgres.Server) -> None:
    """A server that was restarted during an import gave the lock away: the import must not go on as if it had it."""
    store = Store.create(tmp_path / "ws", server.url())

    def import_over_a_restart() -> None:
        with store.writing():
            server.end_others()
            kept(store, tmp_path, "seizures", seizures(report_id=["a"]), "r1")

    with pytest.raises(GeoMonitorError, match="cannot be reached"):
        import_over_a_restart()
    assert len(store.book("receipts")) == 0
    kept(store, tmp_path, "seizures", seizures(report_id=["a"]), "r1")
    assert len(store.records("seizures")) == 1


def test_a_killed_writer_whose_server_has_not_missed_it_yet_is_waited_for(
    tmp_path: Path, server: postgres.Server
) -> None:
    """The killed writer's lock in the folder is free at once; that on the server when its statement is through."""
    store = Store.create(tmp_path / "ws", server.url())
    unfinished.begin(store.root, unfinished.Work("import", "a.csv"))
    with ThreadPoolExecutor(1) as other:
        with store.engine.connect() as connection:  # what is left of the killed writer in the server
            key = database._key("writer")
            connection.execute(sql.select(sql.func.pg_advisory_lock(key)))
            again = other.submit(Store, store.root)
            with pytest.raises(TimeoutError):
                again.result(timeout=0.5)
            connection.execute(sql.select(sql.func.pg_advisory_unlock(key)))
        fallen = again.result(timeout=60).fallen
    assert fallen is not None
    assert fallen.code == "fallen.import.undone"
