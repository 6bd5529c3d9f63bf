"""The command line from outside: what it prints where, and how it ends."""

from __future__ import annotations

import csv
import errno
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geo_monitor.cli import command, hoisted, run
from geo_monitor.cli.commands import _pairs
from geo_monitor.messages import text
from geo_monitor.workspace import Workspace
from tests.store import worlds

REPO = Path(__file__).parents[1]


class Shell:
    """Runs commands in this process on one workspace."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self.capsys = root, capsys

    def __call__(self, *arguments: object) -> tuple[int, str, str]:
        self.capsys.readouterr()
        code = run(["--workspace", str(self.root), *map(str, arguments)])
        told = self.capsys.readouterr()
        return code, told.out, told.err

    def json(self, *arguments: object, code: int = 0) -> dict:
        ended, out, err = self(*arguments, "--json")
        assert ended == code, out + err
        assert out.count("\n") == 1
        return json.loads(out)


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path / "ws", capsys)


@pytest.fixture
def filled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(worlds.workspace(tmp_path).root, capsys)


def reports(path: Path, *rows: tuple[str, str, float, float]) -> Path:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["案件编号", "查获时间", "东经", "北纬"])
        writer.writerows(rows)
    return path


def test_init_twice(shell: Shell) -> None:
    assert shell.json("init") == {"workspace": str(shell.root.resolve()), "created": True}
    assert shell.json("init") == {"workspace": str(shell.root.resolve()), "created": False}
    code, out, err = shell("init", "--lang", "en")
    assert (code, err) == (0, "")
    assert "there already" in out


def test_without_a_workspace(shell: Shell) -> None:
    refused = shell.json("export", "zones", "-o", "z.csv", "--lang", "en", code=2)
    assert refused["error"]["code"] == "workspace_missing"
    assert "init" in refused["error"]["hint"]
    assert not shell.root.exists()
    code, out, err = shell("analyse")
    assert (code, out) == (2, "")
    assert "不是工作区" in err


def test_a_folder_of_other_things_is_refused(shell: Shell) -> None:
    shell.root.mkdir()
    (shell.root / "letter.txt").write_text("dear")
    assert shell.json("init", code=3)["error"]["code"] == "workspace_not_empty"


@pytest.mark.parametrize(
    "arguments",
    [
        ["boats"],
        ["import"],
        ["import", "boats", "x.csv"],
        ["import", "zones", "nowhere.shp"],
        ["import", "zones", __file__, "--datum", "mars"],
        ["import", "tracks", __file__, "--role", "pirate"],
        ["import", "river", __file__, "--accuracy", "-1"],
        ["import", "tracks", __file__, "--columns", "unit_id"],
        ["withdraw", "r-zones"],
        ["withdraw", "r-zones", "--reason", ""],
        ["withdraw", "nobody", "--reason", "x"],
        ["analyse", "--from", "yesterday"],
        ["analyse", "--from", "2026-02-01", "--to", "2026-01-01"],
        ["analyse", "--reach-length", "long"],
        ["analyse", "--reach-length", "-5"],
        ["analyse", "--methods", "magic"],
        ["export", "zones"],
        ["export", "boats", "-o", "x.csv"],
        ["export", "zones", "-o", "x.doc"],
        ["export", "units", "-o", "x.gpkg"],
        ["export", "hotspots", "-o", "x.csv", "--run", "nobody"],
        ["export", "zones", "-o", "x.csv", "--run", "nobody"],
        ["export", "positions", "-o", "x.csv", "--run", "nobody"],
        ["export", "receipts", "-o", "x.csv", "--run", "nobody"],
        ["simulate", "-o", "x"],
        ["simulate", "-o", "x", "--seed", "-1"],
        ["simulate", "-o", "x", "--seed", "1", "--days", "9" * 30],
        ["simulate", "-o", "x", "--seed", "1", "--units", "9" * 30],
        ["demo", "--seed", "-1"],
        ["shares", "end", "9" * 30],
        ["watch", "渔" * 99],
        ["import", "zones", "渔" * 99],
        ["rules", "test", "渔" * 99],
        ["backup", "-o", "渔" * 99],
        ["withdraw", "\udcd6\udcd0", "--reason", "x"],
        ["import", "zones", "\udcd6\udcd0.shp"],
        ["app", "--host", "0.0.0.0"],
        ["app", "--port", "99999"],
        ["--lang", "fr", "doctor"],
    ],
)
def test_wrong_usage(filled: Shell, arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    error = filled.json(*arguments, code=2)["error"]
    assert error["message"]
    assert not list(tmp_path.glob("x*"))


def test_a_receipt_and_its_withdrawal(shell: Shell, tmp_path: Path) -> None:
    shell("init")
    first = reports(
        tmp_path / "a.csv", ("A1", "2026-06-01 08:00", 112.05, 30.0), ("A2", "2026-06-02 08:00", 112.06, 30.0)
    )
    receipt = shell.json("import", "seizures", first, "--agency", "湖北")
    assert receipt["status"] == "accepted", receipt
    assert receipt["rows"] == {"read": 2, "accepted": 2, "quarantined": 0, "unchanged": 0, "corrected": 0}
    assert (shell.root / "raw" / receipt["sha256"]).read_bytes() == first.read_bytes()
    again = shell.json("import", "seizures", first, "--agency", "湖北")
    assert again["status"] == "duplicate"
    other = reports(
        tmp_path / "b.csv", ("A1", "2026-06-01 09:00", 112.05, 30.0), ("A2", "2026-06-02 08:00", 112.06, 30.0)
    )
    corrected = shell.json("import", "seizures", other, "--agency", "湖北")
    assert corrected["rows"]["corrected"] == 1
    workspace = Workspace(shell.root)
    hours = workspace.table("seizures").set_index("report_id")["time"].dt.hour
    assert hours.to_dict() == {"A1": 1, "A2": 0}  # 09:00 and 08:00 in Shanghai
    done = shell.json("withdraw", corrected["receipt_id"], "--reason", "错发")
    assert done["withdrawn_reason"] == "错发"
    assert set(workspace.table("seizures")["time"].dt.hour) == {0}
    assert len(workspace.table("seizures", all_versions=True)) == 3
    assert (
        shell.json("withdraw", corrected["receipt_id"], "--reason", "错发", code=3)["error"]["code"]
        == "receipt_withdrawn"
    )


def test_refused_input_changes_nothing(shell: Shell, tmp_path: Path) -> None:
    shell("init")
    path = tmp_path / "nothing.csv"
    path.write_text("apples,pears\n1,2\n")
    code, out, _ = shell("import", "seizures", path, "--json")
    assert code == 3
    told = json.loads(out)
    assert told["status"] == "rejected"
    assert told["errors"][0]["hint"]
    assert len(Workspace(shell.root).table("seizures")) == 0
    assert shell("import", "seizures", path)[0] == 3


def test_a_dry_run_keeps_nothing(shell: Shell, tmp_path: Path) -> None:
    shell("init")
    path = reports(tmp_path / "a.csv", ("A1", "2026-06-01 08:00", 112.05, 30.0))
    assert shell.json("import", "seizures", path, "--dry-run")["rows"]["accepted"] == 1
    assert len(Workspace(shell.root).table("receipts")) == 0
    assert list((shell.root / "raw").iterdir()) == []


def test_a_dry_run_never_says_that_a_file_is_in(shell: Shell, tmp_path: Path) -> None:
    shell("init")
    clean = reports(tmp_path / "a.csv", ("A1", "2026-06-01 08:00", 112.05, 30.0))
    twice = reports(tmp_path / "b.csv", *[("A1", "2026-06-01 08:00", 112.05, 30.0)] * 2)
    said = {
        (path, lang): shell("import", "seizures", path, "--dry-run", "--lang", lang)[1].splitlines()[:2]
        for path in (clean, twice)
        for lang in ("zh", "en")
    }
    assert said[clean, "zh"] == ["可以入库：a.csv", "试运行：未保存任何内容。"]
    assert said[clean, "en"] == ["Could be accepted: a.csv", "Dry run: nothing was kept."]
    assert said[twice, "zh"] == ["可以入库（有警告）：b.csv", "试运行：未保存任何内容。"]
    assert said[twice, "en"] == ["Could be accepted, with warnings: b.csv", "Dry run: nothing was kept."]


def test_export_replaces_and_tells(filled: Shell, tmp_path: Path) -> None:
    path = tmp_path / "h.csv"
    path.write_text("old")
    done = filled.json("export", "hotspots", "-o", path)
    assert done == {"table": "hotspots", "file": str(path), "format": "csv", "rows": 4, "notes": []}
    assert path.read_text(encoding="utf-8-sig").startswith("reach_id,river,km_from")
    code, out, _ = filled("export", "zones", "--run", worlds.RUN, "-o", tmp_path / "z.shp.zip", "--lang", "en")
    assert code == 0
    assert "Exported zones: 1 rows" in out


def test_files_in_analysis_out(shell: Shell, tmp_path: Path) -> None:
    """A boat lies at 112.05 E for two hours; a report from there. All through files."""
    shell("init")
    line = {"type": "LineString", "coordinates": [[round(112 + i / 500, 4), 30.0] for i in range(101)]}
    feature = {"type": "Feature", "properties": {"name": "江", "mouth": "end"}, "geometry": line}
    (tmp_path / "river.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    with (tmp_path / "tracks.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["unit_id", "time", "lon", "lat"])
        start = np.datetime64("2026-06-01T08:00")
        writer.writerows([("艇1", f"{start + minute}+08:00", 112.05, 30.0) for minute in range(121)])
    reports(tmp_path / "s.csv", ("A1", "2026-06-01 09:00", 112.05, 30.0))
    for kind, name in (("river", "river.geojson"), ("tracks", "tracks.csv"), ("seizures", "s.csv")):
        receipt = shell.json("import", kind, tmp_path / name)
        assert receipt["status"].startswith("accepted"), receipt
    assert list((shell.root / "derived" / "river").rglob("*.arrow")), (
        "built where it was sent, not where it is asked for"
    )
    summary = shell.json("analyse", "--from", "2026-06-01", "--to", "2026-06-02")
    assert summary["unlocated_minutes"] == 0
    assert summary["seizures_left_out"]["total"] == 0
    assert summary["period"] == {"from": "2026-05-31T16:00:00Z", "to": "2026-06-01T16:00:00Z"}
    assert set(summary["timings"]) == {"read", "river", "locate", "joins", "effort", "hotspots"}
    shell.json("export", "hotspots", "-o", tmp_path / "h.csv")
    with (tmp_path / "h.csv").open(encoding="utf-8-sig", newline="") as file:
        looked = [row for row in csv.DictReader(file) if float(row["patrol_h"]) > 0]
    assert [(float(row["patrol_h"]), row["seizures"]) for row in looked] == [(2.0, "1")]


def test_a_loose_shapefile_is_one_upload(shell: Shell, tmp_path: Path) -> None:
    shell("init")
    folder = tmp_path / "sent"
    folder.mkdir()
    zones = gpd.GeoDataFrame(
        {"zone_id": ["z1"], "name": ["保护区"]}, geometry=[shapely.box(112, 30, 112.1, 30.1)], crs=4326
    )
    zones.to_file(folder / "zones.shp", encoding="utf-8")
    receipt = shell.json("import", "zones", folder / "zones.shp", "--agency", "湖北")
    assert (receipt["file"], receipt["rows"]["accepted"]) == ("zones.shp", 1)
    with zipfile.ZipFile(shell.root / "raw" / receipt["sha256"]) as kept:
        assert {"zones.shp", "zones.dbf", "zones.shx", "zones.prj"} <= set(kept.namelist())
        assert kept.read("zones.dbf") == (folder / "zones.dbf").read_bytes()
    assert shell.json("import", "zones", folder, "--agency", "湖北")["status"] == "duplicate"
    # another attribute alone is another upload, though zones.shp is the same to the byte
    zones.assign(name="核心区").to_file(folder / "zones.shp", encoding="utf-8")
    assert shell.json("import", "zones", folder / "zones.shp", "--agency", "湖北")["rows"]["corrected"] == 1
    assert Workspace(shell.root).table("zones")["name"].tolist() == ["核心区"]


def test_compact_says_what_it_did(filled: Shell, tmp_path: Path) -> None:
    path = tmp_path / "more.csv"
    fixes = Workspace(filled.root).table("positions")
    first = fixes["time"].min()
    path.write_text(f"unit,time,lon,lat\n另一艇,{first.isoformat()},112.0,30.0\n", encoding="utf-8")
    assert filled.json("import", "tracks", path)["rows"]["accepted"] == 1
    day = f"{first.tz_convert('Asia/Shanghai'):%Y-%m-%d}"
    assert filled.json("compact", "--to", day)["days"] == 0
    code, out, err = filled("compact", "--from", day)
    assert (code, "已合并 1 天：2 个定位文件合为 1 个" in out) == (0, True), out + err
    done = filled.json("compact")
    assert (done["days"], done["files_before"], done["bytes_after"]) == (0, 0, 0)
    assert "No day needs compacting" in filled("compact", "--lang", "en")[1]
    assert len(Workspace(filled.root).table("positions")) == len(fixes) + 1
    assert filled.json("verify")["ok"]
    assert filled.json("doctor")["ok"]  # the fixes of every upload are there


def test_doctor(filled: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    told = filled.json("doctor")
    assert told["ok"]
    assert {"versions", "proj", "gdal", "fonts", "disk", "network", "workspace", "orphans", "raw", "positions"} <= {
        check["check"] for check in told["checks"]
    }
    monkeypatch.setattr("geo_monitor.cli.doctor.MANY_FILES", 0)
    (many,) = (check for check in filled.json("doctor")["checks"] if check["check"] == "files")
    assert (many["state"], "geo-monitor compact" in many["hint"]) == ("look", True)
    raw = next((filled.root / "raw").iterdir())
    raw.write_bytes(raw.read_bytes() + b"!")
    next(filled.root.glob("positions/*/*.parquet")).unlink()
    code, out, _ = filled("doctor", "--lang", "en")
    assert code == 1
    assert "1 of 4 raw uploads are lost or changed" in out
    assert "the fixes of these receipts are lost: r-tracks" in out


def test_a_fault_of_ours_has_a_reference(filled: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Workspace, *_: object, **__: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(Workspace, "export", broken)
    code, out, err = filled("export", "zones", "-o", "z.csv", "--json")
    assert code == 1
    error = json.loads(out)["error"]
    assert error["reference"] in error["message"]
    assert "secret" not in out + err
    assert "Traceback" not in err
    kept = next((filled.root / "faults").iterdir())
    assert error["reference"] in kept.name
    assert "ZeroDivisionError: secret" in kept.read_text(encoding="utf-8")
    assert "Traceback" in filled("export", "zones", "-o", "z.csv", "--debug")[2]


def test_global_options_may_stand_anywhere() -> None:
    assert hoisted(["export", "zones", "-o", "x.csv", "--lang", "en"]) == [
        "--lang",
        "en",
        "export",
        "zones",
        "-o",
        "x.csv",
    ]
    assert hoisted(["import", "--", "--json"]) == ["import", "--", "--json"]


def test_columns_as_people_type_them() -> None:
    assert _pairs("unit_id=艇号,time = 时刻,") == {"unit_id": "艇号", "time": "时刻"}
    assert _pairs("unit_id\uff1d艇号\uff0ctime=时刻") == {"unit_id": "艇号", "time": "时刻"}
    assert _pairs(None) == {}


def test_the_program_itself(tmp_path: Path) -> None:
    environment = {**os.environ, "GEO_MONITOR_WORKSPACE": str(tmp_path / "ws"), "PYTHONPATH": str(REPO)}
    program = [sys.executable, "-m", "geo_monitor"]
    made = subprocess.run([*program, "init", "--json"], capture_output=True, env=environment, cwd=tmp_path, check=True)
    assert json.loads(made.stdout)["created"]
    assert made.stderr == b""
    told = subprocess.run([*program, "--help"], capture_output=True, env=environment, cwd=tmp_path, check=True)
    assert "长江" in told.stdout.decode("utf-8")
    assert all(name in told.stdout.decode("utf-8") for name in command("zh").commands)
    subprocess.run([*program, "analyse"], capture_output=True, env=environment, cwd=tmp_path, check=True)
    # the database was closed: whoever copies its file has all of it
    assert not [*(tmp_path / "ws").glob("geo_monitor.sqlite?*")]
    wrong = subprocess.run([*program, "boats"], capture_output=True, env=environment, cwd=tmp_path, check=False)
    assert wrong.returncode == 2


def test_importing_the_package_is_light() -> None:
    """Neither the map nor the analysis is loaded by the import, nor by the help of the command line."""
    heavy = ("streamlit", "pyspark", "pandas", "numba", "geopandas", "scipy")
    code = f"import sys, geo_monitor, geo_monitor.cli; print([name for name in {heavy} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPO, check=True)
    assert told.stdout.strip() == "[]"


ENDING = """
import atexit, sys, threading, time
from geo_monitor.cli import commands
def command(arguments):
    atexit.register(print, "registered")
    threading.Thread(target=lambda: (time.sleep(0.3), print("thread"))).start()
    return 3
commands.run = command
commands.main()
"""


def test_a_command_ends_once_all_is_done_that_was_begun() -> None:
    ended = subprocess.run([sys.executable, "-c", ENDING], capture_output=True, text=True, cwd=REPO, check=False)
    assert (ended.returncode, ended.stdout.split(), ended.stderr) == (3, ["thread", "registered"], "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("asked", [["--help"], ["whoami"], ["whoami", "--json"]])
def test_what_could_not_be_written_is_no_success(filled: Shell, asked: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        program = [sys.executable, "-m", "geo_monitor", "--workspace", str(filled.root), "--lang", "en", *asked]
        ended = subprocess.run(program, stdout=full, stderr=subprocess.PIPE, text=True, cwd=REPO, check=False)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[0] == text("stdout_unwritable", "en", reason=os.strerror(errno.ENOSPC))
    assert not (filled.root / "faults").exists()


@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
def test_who_reads_no_further_is_told_nothing_and_the_command_goes_on(filled: Shell) -> None:
    """As `| true` in a shell, stdout closed in advance, and all three streams closed: the exit code is that of the command."""
    program = [sys.executable, "-m", "geo_monitor", "--workspace", str(filled.root), "verify", "--head", "f" * 64]
    read, write = os.pipe()
    os.close(read)
    gone = subprocess.run(program, stdout=write, stderr=subprocess.PIPE, text=True, cwd=REPO, check=False)
    os.close(write)
    assert gone.returncode == 3
    assert gone.stderr.strip() == text("verify.wrong.hint")
    for streams in (">&-", "<&- >&- 2>&-"):
        closed = subprocess.run(
            ["sh", "-c", f'"$@" {streams}', "sh", *program], capture_output=True, cwd=REPO, check=False
        )
        assert (closed.returncode, closed.stdout) == (3, b"")
    assert not (filled.root / "faults").exists()


def test_a_workspace_whose_name_is_too_long_or_garbled(capsys: pytest.CaptureFixture[str]) -> None:
    for name, told in (("渔" * 99, "name_too_long"), ("\udcd6\udcd0", "not_utf8")):
        for asked in (["init"], ["whoami"]):
            shell = Shell(Path(name), capsys)
            assert shell.json(*asked, code=2)["error"]["code"] == told


@pytest.mark.skipif(sys.platform != "linux", reason="where names of files are bytes")
def test_a_folder_with_a_file_whose_name_is_garbled(shell: Shell, tmp_path: Path) -> None:
    """As an archive of an older system is unpacked."""
    shell("init")
    path = tmp_path / "sent" / os.fsdecode("警情.csv".encode("gb18030"))
    path.parent.mkdir()
    reports(path, ("甲1", "2026-05-01 02:00", 112.0, 30.0))
    assert shell.json("import", "seizures", path.parent, code=2)["error"]["code"] == "not_utf8"
    path.rename(path.parent / "警情.csv")
    assert shell.json("import", "seizures", path.parent)["rows"]["accepted"] == 1


def test_an_output_that_cannot_be_written_is_no_fault(filled: Shell, tmp_path: Path) -> None:
    (tmp_path / "f.txt").write_text("")
    os.mkfifo(tmp_path / "pipe.csv")
    for place in (
        tmp_path / "f.txt" / "a.csv",
        tmp_path / ("渔" * 82 + ".csv"),
        Path("/proc/x.csv"),
        tmp_path / "pipe.csv",
    ):
        code, out, _ = filled("export", "zones", "-o", str(place), "--json")
        assert (code, json.loads(out)["error"]["code"]) == (2, "output_unwritable"), out
    assert (tmp_path / "pipe.csv").is_fifo()
    code, out, _ = filled("backup", "-o", str(tmp_path), "--json")
    assert (code, json.loads(out)["error"]["code"]) == (2, "output_unwritable"), out


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_year_that_is_none(filled: Shell, day: str) -> None:
    code, out, _ = filled("analyse", "--from", day, "--json")
    assert (code, json.loads(out)["error"]["code"]) == (2, "time_unreadable"), out


@pytest.mark.parametrize(
    ("name", "content", "code", "ended"),
    [
        ("geo_monitor.sqlite", b"no database" * 99, "database_damaged", 3),
        ("geo_monitor.sqlite", None, "database_damaged", 3),
        ("settings.toml", b'accuracy_m = "1', "settings_unreadable", 3),
        ("settings.toml", "渔".encode("gb18030"), "settings_unreadable", 3),
    ],
)
def test_a_damaged_workspace_is_told(filled: Shell, name: str, content: bytes | None, code: str, ended: int) -> None:
    path = filled.root / name
    path.write_bytes(path.read_bytes()[:20_000] if content is None else content)
    error = filled.json("analyse", code=ended)["error"]
    assert error["code"] == code
    assert str(filled.root) in error["message"]
    broken = [one for one in filled.json("doctor", code=1)["checks"] if one["state"] == "broken"]
    assert [(one["message"], one["hint"]) for one in broken] == [(error["message"], error["hint"])]


def test_a_workspace_that_cannot_be_opened_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    for root, asked in ((tmp_path / "file" / "ws", "init"), (Path("/proc/ws"), "init")):
        error = Shell(root, capsys).json(asked, code=2)["error"]
        assert error["code"] == "workspace_unwritable"


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="a program of Linux")
def test_a_workspace_that_is_not_ours_to_read_is_told(filled: Shell) -> None:
    (filled.root / "geo_monitor.sqlite").chmod(0)
    program = [sys.executable, "-m", "geo_monitor", "--workspace", str(filled.root), "whoami", "--json"]
    if os.geteuid() == 0:  # who may read everything
        program = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", *program]
    told = subprocess.run(program, capture_output=True, text=True, cwd=REPO, check=False)
    assert told.returncode == 2, told.stderr
    assert json.loads(told.stdout)["error"]["code"] == "workspace_unwritable"


@pytest.mark.parametrize(
    "asked", [["simulate", "--seed", "1", "--days", "2", "-o", "sim"], ["export", "zones", "-o", "z.csv"]]
)
def test_an_output_on_a_full_disk_is_no_fault(
    filled: Shell, asked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("geo_monitor.simulate.files.make", full)
    monkeypatch.setattr(Workspace, "export", full)
    assert filled.json(*asked, code=2)["error"]["code"] == "output_unwritable"
