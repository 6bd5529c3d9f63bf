"""The process that parses: an honest file comes out as from our own process, and whatever a parser does is a receipt.

What a hostile file could make of the parser is played by small programs that take its place.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo_monitor import ingest
from geo_monitor.errors import GeoMonitorError, Refused, Usage
from geo_monitor.ingest import child, handover, limited
from geo_monitor.ingest.drivers import KEPT
from geo_monitor.settings import Settings
from geo_monitor.tables import table
from geo_monitor.workspace import Workspace
from tests.ingest.made import NOW, box, codes, counts, shapefile, write

ROOT = Path(__file__).resolve().parents[2]
SEIZURES = "编号,查获时间,经度,纬度,地点\nA1,2026-05-01 08:00:00,112.0,30.0,江边\nA2,没有,112.0,30.0,=1+1\n"
TRACKS = "船名,时间,经度,纬度\n渔政1,2026-05-01 08:00:00,112.0,30.0\n渔政1,2026-05-01 08:01:00,112.001,30.0\n"
WKT = '编号,名称,wkt\nZ1,禁渔区,"POLYGON((112 30,112.1 30,112.1 30.1,112 30.1,112 30))"\n'
JURISDICTIONS = '名称,wkt\n甲县,"POLYGON((112 30,112.1 30,112.1 30.1,112 30))"\n甲县,"POLYGON((113 30,113.1 30,113.1 30.1,113 30))"\n'

PRELUDE = f"""
import json, os, sys, time
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from geo_monitor.ingest import handover, sandbox
def take():
    return handover.loads(sys.stdin.buffer.readline())
def tell(what):
    sys.stdout.buffer.write(what if isinstance(what, bytes) else handover.dumps(what))
    sys.stdout.buffer.flush()
job = take()
tell({{"protections": sandbox.enter(job["limits"], job["readable"], job["writable"])}})
scratch = Path(job["scratch"])
job = take()
good = {{"status": "accepted", "rows": {{"read": 1, "accepted": 1, "quarantined": 0, "unchanged": 0, "corrected": 0}},
        "encoding": {{}}, "crs": {{}}, "notes": [], "warnings": [], "errors": []}}
"""

Read = Callable[..., ingest.Upload]


def honest(path: Path, kind: str, held: Any = None, **options: Any) -> ingest.Upload:
    told = ingest.Options(**options), held or ingest.Nothing(), Settings(), NOW, path.parent
    with limited.reading(kind, path, *told) as upload:
        return upload.gathered()


@pytest.fixture
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Read]:
    """A reader whose parser is the program given; afterwards nothing of it is left, neither files nor processes."""
    before = {process.pid for process in psutil.Process().children(recursive=True)}

    def read(program: str, held: Any = None, **settings: Any) -> ingest.Upload:
        monkeypatch.setattr(limited, "CHILD", write(tmp_path / "child.py", PRELUDE + program))
        path = write(tmp_path / "in" / "a.csv", SEIZURES)
        options, now = ingest.Options(agency="甲局"), NOW
        told = options, held or ingest.Nothing(), Settings(**settings), now, tmp_path
        with limited.reading("seizures", path, *told) as upload:
            return upload.gathered()

    yield read
    assert not list(tmp_path.glob(f"{limited.SCRATCH}*"))
    assert {process.pid for process in psutil.Process().children(recursive=True)} <= before


def only_error(upload: ingest.Upload) -> str:
    """The code of a receipt that says what happened, in both languages, and what to do."""
    assert (upload.receipt.status, upload.rows, upload.quarantine) == ("rejected", None, None)
    assert upload.receipt.agency == "甲局"
    for lang in ("zh", "en"):
        (error,) = upload.receipt.to_json(lang)["errors"]  # type: ignore[arg-type]
        assert "a.csv" in error["message"]
        assert error["hint"]
    return upload.receipt.errors[0].code


# --- an honest file --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "content"),
    [("seizures", SEIZURES), ("tracks", TRACKS), ("zones", WKT), ("jurisdictions", JURISDICTIONS), ("river", "x\n")],
)
def test_it_comes_out_as_from_our_own_process(tmp_path: Path, kind: str, content: str) -> None:
    path = write(tmp_path / "a.csv", content)
    there = honest(path, kind, agency="甲局")
    here = ingest.read(kind, path, ingest.Options(agency="甲局"), ingest.Nothing(), Settings(), NOW)
    assert there.receipt.to_json() == here.receipt.to_json()
    for mine, other in ((there.rows, here.rows), (there.quarantine, here.quarantine)):
        assert (mine is None) == (other is None)
        if mine is not None and other is not None:
            pd.testing.assert_frame_equal(pd.DataFrame(mine), pd.DataFrame(other), check_dtype=False)


def test_an_id_that_is_no_pair_of_surrogates(tmp_path: Path) -> None:
    feature = '{"type": "Feature", "properties": {"编号": "\\ud800"}, "geometry": null}'
    upload = honest(write(tmp_path / "a.geojson", feature), "zones")
    assert counts(upload) == (1, 0, 1, 0, 0)


class Knows:
    """A store that holds one zone, asked through the pipe."""

    def __init__(self, rows: pd.DataFrame) -> None:
        self.rows, self.asked = rows, list[tuple[Any, ...]]()

    def records(self, kind: str) -> pd.DataFrame:
        self.asked.append(("records", kind))
        return self.rows

    def positions(self, unit_ids: Any, first: Any, last: Any) -> pd.DataFrame:
        self.asked.append(("positions", unit_ids, first, last))
        moments = pd.to_datetime(["2026-05-01T00:00:00Z"]).as_unit("ms")
        return pd.DataFrame({"unit_id": ["渔政1"], "time": moments, "lon": [112.0], "lat": [30.0], "seen": [True]})

    def mmsi(self) -> set[str]:
        return {"412000001"}

    def sha256(self, digest: str, kind: str) -> str | None:
        return None

    def held_from(self) -> int | None:
        return 0

    def reference(self, west: float, south: float, east: float, north: float) -> pd.DataFrame:
        return ingest.Nothing().reference(west, south, east, north)


def test_the_store_is_asked_through_the_pipe(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", WKT)
    first = honest(path, "zones")
    assert first.rows is not None
    held = Knows(first.rows.assign(agency=None, version=1))
    again = honest(write(tmp_path / "b.csv", WKT + "\n"), "zones", held)
    assert again.receipt.status == "duplicate"
    assert held.asked == [("records", "zones")]
    tracks = honest(write(tmp_path / "t.csv", TRACKS), "tracks", held)
    assert counts(tracks) == (2, 1, 0, 1, 0)  # 08:00 in Shanghai is the fix held
    name, units, begun, ended = held.asked[-1]
    assert (name, units) == ("positions", ["渔政1"])
    assert (begun.isoformat(), ended.isoformat()) == ("2026-05-01T00:00:00+00:00", "2026-05-01T00:01:00+00:00")


def test_options_that_are_wrong_are_told_as_before(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", SEIZURES)
    with pytest.raises(Usage) as told:
        honest(path, "seizures", encoding="klingon")
    with pytest.raises(Usage) as same:
        ingest.read("seizures", path, ingest.Options(encoding="klingon"), ingest.Nothing(), Settings(), NOW)
    assert (told.value.code, told.value.params) == (same.value.code, same.value.params)


# --- what a parser may do --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "signal"),
    [("os.abort()", "SIGABRT"), ("import ctypes; ctypes.string_at(0)", "SIGSEGV"), ("sys.exit(7)", "exit 7")],
)
def test_a_crash_is_a_receipt(played: Read, program: str, signal: str) -> None:
    upload = played(program)
    assert only_error(upload) == "parser_crashed"
    assert upload.receipt.errors[0].params["signal"] == signal


def test_a_hang_is_a_receipt(played: Read) -> None:
    assert only_error(played("time.sleep(600)", upload_seconds=0.5)) == "parser_timeout"
    assert only_error(played("while True: pass", upload_seconds=0.5)) == "parser_timeout"


def test_a_memory_bomb_is_a_receipt(played: Read) -> None:
    slowly = "kept = []\nwhile True:\n    kept.append(os.urandom(10_000_000))"
    assert only_error(played(slowly, upload_memory_mb=150)) == "parser_memory"


def test_one_claim_beyond_all_memory_is_a_receipt(played: Read) -> None:
    program = "from geo_monitor.ingest import child\ntry:\n    bytearray(1 << 45)\nexcept BaseException as error:\n    tell(child._ending(error))"
    assert only_error(played(program)) == "parser_memory"


@pytest.mark.parametrize("megabytes", [1, 40])
def test_a_flood_of_files_is_a_receipt(played: Read, megabytes: int) -> None:
    """Many files are counted together; a single one is stopped by the system, which the parser tells."""
    program = f"""
from geo_monitor.ingest import child
try:
    for number in range(200):
        (scratch / str(number)).write_bytes(bytes({megabytes} << 20))
        time.sleep(0.02)
    time.sleep(60)
except OSError as error:
    tell(child._ending(error))
"""
    assert only_error(played(program, upload_output_mb=30)) == "parser_output"


def test_a_full_disk_is_an_error_and_leaves_nothing(played: Read) -> None:
    program = "import errno\nfrom geo_monitor.ingest import child\ntell(child._ending(OSError(errno.ENOSPC, 'full')))"
    with pytest.raises(Refused) as told:
        played(program)
    assert told.value.code == "scratch_full"


def test_a_fault_of_ours_comes_with_its_traceback(played: Read) -> None:
    program = "from geo_monitor.ingest import child\ntry:\n    1 / 0\nexcept BaseException as error:\n    tell(child._ending(error))"
    with pytest.raises(limited.ParserFault, match="ZeroDivisionError"):
        played(program)


def test_what_it_started_ends_with_it(played: Read, tmp_path: Path) -> None:
    upload = played(
        "import subprocess\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\nos.abort()"
    )
    assert only_error(upload) == "parser_crashed"


@pytest.mark.parametrize(
    "program",
    [
        "tell(b'no json\\n')",
        "tell(b'[' * 100000 + b'\\n')",
        "tell([1])",
        "tell({'ask': '_store', 'args': [], 'named': {}}); time.sleep(60)",
        "tell({'ask': '__init__', 'args': [], 'named': {}}); time.sleep(60)",
        "tell({'ask': 'mmsi', 'args': [1], 'named': {}}); time.sleep(60)",
        "tell({'error': 'Refused', 'code': 'no_such_code', 'params': {}, 'rows': []})",
        "tell({'done': True})",
        "(scratch / 'receipt.json').write_text('{}'); tell({'done': True})",
        "good['status'] = 'signed'; (scratch / 'receipt.json').write_bytes(handover.dumps(good)); tell({'done': True})",
        "good['rows']['read'] = 2; (scratch / 'receipt.json').write_bytes(handover.dumps(good)); tell({'done': True})",
        "good['notes'] = [['no_such_code', {}, []]]; (scratch / 'receipt.json').write_bytes(handover.dumps(good)); tell({'done': True})",
        "good['notes'] = [['file_empty', {}, []]]; (scratch / 'receipt.json').write_bytes(handover.dumps(good)); tell({'done': True})",
        "good['notes'] = [['file_empty', {'file': ['x']}, []]]; (scratch / 'receipt.json').write_bytes(handover.dumps(good)); tell({'done': True})",
        "(scratch / 'receipt.json').write_bytes(handover.dumps(good)); tell({'done': True})",
        "(scratch / 'receipt.json').write_bytes(handover.dumps(good)); (scratch / 'rows.arrow').write_bytes(bytes(999)); tell({'done': True})",
        "(scratch / 'receipt.json').symlink_to('/etc/hostname'); tell({'done': True})",
    ],
)  # fmt: skip
def test_what_is_not_agreed_is_refused(played: Read, program: str) -> None:
    assert only_error(played(program)) == "parser_garbled"


def rows_of(**changes: Any) -> str:
    """A program that hands over one seizure, with `changes`."""
    return f"""
import pyarrow as pa
from geo_monitor.tables import table
cells = {{"report_id": "A", "version": 1, "receipt_id": "R-other", "time": 1777593600000, **json.loads({json.dumps(json.dumps(changes))})}}
shape = table("seizures").arrow
row = pa.table({{field.name: pa.array([cells.get(field.name)], field.type) for field in shape}}, schema=shape)
handover.write_table(row, scratch / "rows.arrow")
(scratch / "receipt.json").write_bytes(handover.dumps(good))
tell({{"done": True}})
"""


def test_who_sent_what_is_never_what_the_parser_says(played: Read) -> None:
    upload = played("good['status'] = 'accepted'" + rows_of())
    assert upload.rows is not None
    assert upload.rows["receipt_id"].tolist() == [upload.receipt.receipt_id]
    extra = "good['agency'] = '乙局'; " + rows_of().lstrip()
    assert only_error(played(extra)) == "parser_garbled"
    assert only_error(played(rows_of(lon=200.0))) == "parser_garbled"
    assert only_error(played(rows_of(setting="moon"))) == "parser_garbled"
    assert only_error(played(rows_of(report_id=None))) == "parser_garbled"


# --- what it can reach -----------------------------------------------------------------------------------------------


def test_no_secret_reaches_it(played: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEO_MONITOR_DATABASE_PASSWORD", "ti9-secret")
    with pytest.raises(limited.ParserFault) as told:
        played("tell({'fault': json.dumps(dict(os.environ)) + ' '.join(sys.argv)})")
    assert "ti9-secret" not in str(told.value)
    assert "GEO_MONITOR" not in str(told.value)


def test_neither_files_nor_network_nor_processes_of_others(played: Read, tmp_path: Path) -> None:
    held, drivers = limited.protections()
    assert "limits" in held
    assert set(drivers) <= set(KEPT)
    secret = write(tmp_path / "other" / "secret.txt", "the key")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        tries = f"""
import socket, signal
from contextlib import suppress
done = []
with suppress(OSError):
    done.append(open({str(secret)!r}).read())
with suppress(OSError):
    open({str(tmp_path / "other" / "new.txt")!r}, "w").write("x"); done.append("wrote")
with suppress(OSError):
    socket.create_connection(("127.0.0.1", {port}), 2); done.append("network")
with suppress(OSError):
    os.kill({os.getpid()}, signal.SIGCONT); done.append("signal")
import resource
done.append(resource.getrlimit(resource.RLIMIT_CORE))
tell({{"fault": json.dumps(done)}})
"""
        with pytest.raises(limited.ParserFault) as told:
            played(tries)
    done = json.loads(str(told.value).splitlines()[-1])
    reached = [what for what in done if isinstance(what, str)]
    assert [0, 0] in done
    if "files" in held:
        assert not {"the key", "wrote"} & set(reached)
        assert not (tmp_path / "other" / "new.txt").exists()
    if "network" in held:
        assert "network" not in reached
    if sys.platform == "linux":
        assert {"limits", "network", "files", "orphan"} == set(held), "this kernel could protect more"


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = tmp_path / f"{limited.SCRATCH}{gone.pid}-abc"
    write(left / "deep" / "x", "x")
    ours = tmp_path / f"{limited.SCRATCH}{os.getpid()}-abc"
    ours.mkdir()
    with limited.scratch(tmp_path) as place:
        assert place.is_dir()
        assert not left.exists()
        assert ours.exists()  # of a process that lives
    assert sorted(tmp_path.iterdir()) == [ours]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_a_killed_parent_leaves_no_parser(tmp_path: Path) -> None:
    hanging = write(
        tmp_path / "child.py",
        PRELUDE + "print(os.getpid(), file=open(scratch / 'pid', 'w'), flush=True)\ntime.sleep(600)",
    )
    path = write(tmp_path / "a.csv", SEIZURES)
    program = f"""
from pathlib import Path
from datetime import UTC, datetime
from geo_monitor import ingest
from geo_monitor.ingest import limited
from geo_monitor.settings import Settings
limited.CHILD = Path({str(hanging)!r})
told = ingest.Options(), ingest.Nothing(), Settings(), datetime.now(UTC), Path({str(tmp_path)!r})
with limited.reading("seizures", Path({str(path)!r}), *told):
    pass
"""
    parent = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT)
    until = time.monotonic() + 60
    while not (found := [p for p in tmp_path.glob(f"{limited.SCRATCH}*/pid") if p.read_text().strip()]):
        assert time.monotonic() < until, "the parser never began"
        time.sleep(0.05)
    pid = int(found[0].read_text())
    parent.kill()
    parent.wait()
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < until, "the parser outlived its parent"
        time.sleep(0.05)


# --- the rules of a table --------------------------------------------------------------------------------------------


@given(
    lon=st.none() | st.floats(-400, 400, allow_nan=False), lat=st.none() | st.floats(-100, 100, allow_nan=False),
    setting=st.sampled_from([None, "water", "moon"]), report=st.sampled_from([None, "A"]),
)  # fmt: skip
def test_rows_are_judged_as_everywhere(
    lon: float | None, lat: float | None, setting: str | None, report: str | None
) -> None:
    shape = table("seizures")
    cells = {"report_id": report, "version": 1, "receipt_id": "R", "lon": lon, "lat": lat, "setting": setting}
    frame = shape.conform(pd.DataFrame({name: [value] for name, value in cells.items()}))
    try:
        shape.check(frame)
        fine = True
    except GeoMonitorError:
        fine = False
    assert (handover.flaws(shape, shape.to_arrow(frame)) is None) == fine


# --- through the workspace -------------------------------------------------------------------------------------------


def test_a_limit_reached_is_a_receipt_of_the_workspace(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "w")
    shapefile(tmp_path / "s", "z", [[box(112, 30, 112.1, 30.1)]], {"编号": ["Z1"], "名称": ["禁渔区"]})
    (workspace.root / "settings.toml").write_text("upload_seconds = 0.0\n")
    receipt = workspace.import_file("zones", tmp_path / "s")
    assert receipt.status == "rejected"
    assert codes(receipt, "errors") == {"parser_timeout"}
    assert receipt.file == "s"
    assert len(workspace.table("receipts")) == 1
    assert [path.name for path in (workspace.root / "raw").iterdir()] == [receipt.sha256]
    (workspace.root / "settings.toml").unlink()
    assert workspace.import_file("zones", tmp_path / "s", dry_run=True).rows["accepted"] == 1
    assert workspace.import_file("zones", tmp_path / "s").rows["accepted"] == 1
    assert not list(workspace.root.glob(f"{limited.SCRATCH}*"))


def test_limits_grow_with_the_file() -> None:
    small, large = (limited.limits(size, Settings(), 64_000) for size in (50, 1000))
    assert (small.seconds, small.memory_mb) == (60, 1024 + 400)
    assert (large.seconds, large.memory_mb, large.output_mb) == (600, 1024 + 8000, 4000 + 4000)
    tight = replace(Settings(), upload_memory_share=0.5)
    assert limited.limits(1000, tight, 8_000).memory_mb == 4_000


def test_what_passes_is_what_was_meant() -> None:
    told = child._ending(Refused("file_empty", rows=[3], file="a.csv"))
    error = limited._error(handover.loads(handover.dumps(told)))
    assert isinstance(error, Refused)
    assert (error.code, error.params, error.rows) == ("file_empty", {"file": "a.csv"}, [3])
    assert handover.loads(handover.dumps({"n": np.int64(3), "x": np.float64(0.5)})) == {"n": 3, "x": 0.5}
