"""Imports every file of a set of hostile uploads as an agency would, through the command line, and judges what came out.

    python checks/hostile.py [FOLDER] [--only WORD] [--keep]

FOLDER holds the files and their `manifest.json` (default: ../shared/hostile/files), whose `conventions` say what each
field means. Every file goes into a fresh workspace, in Chinese, from an empty folder; looked at are verdict, counts,
words, texts, points, boxes, times, what must appear nowhere, the peak memory of all processes together, the time, the
disk, and that nothing was written outside the workspace and nobody knocked on 127.0.0.1:18099. Prints a line for each
failure and how many files came out right; exit code 1 unless all did.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import shapely

import geo_monitor as gm
from geo_monitor.ingest.kinds import TABLES

ROOT = Path(__file__).resolve().parents[1]
STATUS = {"accepted": "accept", "accepted_with_warnings": "accept_with_warning", "rejected": "reject"}
ID = {"zones": "zone_id", "seizures": "report_id", "tracks": "unit_id"}
LISTENER = ("127.0.0.1", 18099)
SECONDS, MEMORY_MB = 60, 1024  # where the manifest names no limit
BOX_DEGREES = 1e-4
METRES = 111_195.0  # a degree of latitude


class Listener:
    """Counts who knocks; nobody may."""

    def __init__(self) -> None:
        self.knocks = 0
        self.socket = socket.create_server(LISTENER)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            with suppress(OSError):
                self.socket.accept()[0].close()
                self.knocks += 1


class Outcome:
    """One run of the command line: its JSON, everything it printed, seconds, peak megabytes of memory and disk."""

    def __init__(self, arguments: list[str], place: Path) -> None:
        self.place = place
        aside = {name: place / name for name in ("cwd", "tmp", "home")}
        for folder in aside.values():
            folder.mkdir(exist_ok=True)
        environment = {**os.environ, "TMPDIR": str(aside["tmp"]), "HOME": str(aside["home"]), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-B", "-m", "geo_monitor", "--workspace", str(place / "workspace"), "--lang", "zh"]
        before = _megabytes(place)
        begun = time.monotonic()
        with (place / "out").open("wb") as out, (place / "err").open("wb") as err:
            process = subprocess.Popen(
                [*command, *arguments], stdout=out, stderr=err, cwd=aside["cwd"], env=environment
            )
            self.memory = self.disk = 0.0
            while process.poll() is None:
                self.memory = max(self.memory, _tree_megabytes(process.pid))
                self.disk = max(self.disk, _megabytes(place) - before)
                time.sleep(0.01)
                if time.monotonic() - begun > 5 * SECONDS:
                    process.kill()
        self.seconds = time.monotonic() - begun
        self.exit_code = process.returncode
        self.out = (place / "out").read_text(encoding="utf-8", errors="replace")
        self.err = (place / "err").read_text(encoding="utf-8", errors="replace")
        self.strayed = [str(path) for folder in aside.values() for path in folder.rglob("*")]
        try:
            self.receipt = json.loads(self.out)
        except ValueError:
            self.receipt = {}


def _tree_megabytes(pid: int) -> float:
    total = 0
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.Error):
                total += one.memory_info().rss
    return total / 1e6


def _megabytes(folder: Path) -> float:
    total = 0
    for at, _, names in os.walk(folder):  # passes over what is removed meanwhile
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(at, name)).st_size
    return total / 1e6


def judge(
    file: dict[str, Any], base: Path, place: Path, listener: Listener, used: list[tuple[float, float, str]]
) -> Iterator[str]:
    """What is wrong about the outcome of one file of the manifest; adds to `used` seconds, megabytes and its name."""
    upload = base / file["name"]
    source = upload.parent if "/" in file["name"] else upload
    sent = [source] if source.is_file() else sorted(source.iterdir())
    bytes_sent = [path.read_bytes() for path in sent]
    knocks = listener.knocks
    Outcome(["init"], place)
    if "after" in file:
        Outcome(["import", file["kind"], str(base / file["after"]), "--json"], place)
    workspace = gm.open(place / "workspace")
    held = len(workspace.table(TABLES[file["kind"]]))
    outcome = Outcome(["import", file["kind"], str(upload), "--json"], place)
    used.append((outcome.seconds, outcome.memory, file["name"]))
    receipt = outcome.receipt
    if "status" not in receipt:
        yield f"no receipt (exit {outcome.exit_code}): {(outcome.out + outcome.err)[:300]}"
        return
    table = workspace.table(TABLES[file["kind"]])
    status = "duplicate" if receipt["status"] == "duplicate" else STATUS[receipt["status"]]
    wanted = "duplicate" if file["case"] == "same_file_twice" else file["expect"]
    if status != wanted and (wanted == "duplicate" or status not in file.get("also_ok", ())):
        yield f"{status}, should be {wanted}: {[note['code'] for note in receipt['errors'] + receipt['warnings']]}"
    if outcome.exit_code != (3 if status == "reject" else 0):
        yield f"exit code {outcome.exit_code} for {status}"
    yield from _counts(file, receipt, status, len(table) - held)
    yield from _words(file, receipt, status)
    if status != "reject":
        yield from _landed(file, table, receipt, workspace, place)
    yield from _safe(file, outcome, upload)
    if [path.read_bytes() for path in sent] != bytes_sent:
        yield "the upload itself was changed"
    if listener.knocks != knocks:
        yield "an address was asked for"


def _counts(file: dict[str, Any], receipt: dict[str, Any], status: str, new: int) -> Iterator[str]:
    rows = receipt["rows"]
    if rows["read"] != sum(rows.values()) - rows["read"]:
        yield f"rows do not add up: {rows}"
    good = rows["accepted"] + rows["corrected"] + rows["unchanged"] - file.get("duplicates", 0)
    if status == file["expect"]:
        for name, found in (("rows_ok", good), ("rows_quarantined", rows["quarantined"])):
            if file.get(name) is not None and found != file[name]:
                yield f"{name} {found}, should be {file[name]}"
    if status != "reject":
        if "rows_total" in file and rows["read"] != file["rows_total"] and status != "duplicate":
            yield f"{rows['read']} rows read of {file['rows_total']}"
        if good < file.get("rows_clean", 0):
            yield f"{good} rows taken, {file['rows_clean']} are clean"
        layers = file.get("check", {}).get("layers")
        if layers and good != sum(layers):
            yield f"{good} rows of layers {layers}"
    if "rows_new" in file and new != file["rows_new"]:
        yield f"the store grew by {new}, should be {file['rows_new']}"
    kept = receipt["quarantine"]
    if rows["quarantined"] and status != "duplicate":
        with open(kept, encoding="utf-8-sig", newline="") as refused:
            lines = list(csv.DictReader(refused))
        if len(lines) != rows["quarantined"] or not all(line["reason_zh"] for line in lines):
            yield f"the quarantine file has {len(lines)} rows with reasons, the receipt {rows['quarantined']}"


def _words(file: dict[str, Any], receipt: dict[str, Any], status: str) -> Iterator[str]:
    if status == "accept" or not file.get("words"):
        return
    told = [note["message"] + note.get("hint", "") for form in ("errors", "warnings") for note in receipt[form]]
    if status == "duplicate":
        told += [note["message"] for note in receipt["notes"]]
    said = " ".join(told).replace(Path(file["name"]).name, "").replace(Path(file["name"]).stem, "").lower()
    if not any(word.lower() in said for word in file["words"]):
        yield f"none of {file['words']} in: {said[:200]}"


def _landed(
    file: dict[str, Any], table: pd.DataFrame, receipt: dict[str, Any], workspace: Any, place: Path
) -> Iterator[str]:
    check = file.get("check", {})
    cells = {str(cell) for name in table.columns if name != "geometry" for cell in table[name].tolist()}
    headers = {"名称", "编号"}  # a header is told by its column having been understood
    for text in check.get("text", ()):
        if text not in headers and not any(text in cell for cell in cells):
            yield f"text not found: {text}"
    if "bbox" in check:
        if "geometry" in table:
            found = shapely.total_bounds(table["geometry"].to_numpy(dtype=object))
        else:
            found = np.array([table["lon"].min(), table["lat"].min(), table["lon"].max(), table["lat"].max()])
        if not np.allclose(found, check["bbox"], rtol=0, atol=BOX_DEGREES):
            yield f"box {found.tolist()}, should be {check['bbox']}"
    rows = table.drop_duplicates(ID[file["kind"]], keep="last").set_index(ID[file["kind"]]) if check else table
    for name, (lon, lat) in check.get("points", {}).items():
        row = rows.loc[name]
        metres = math.hypot((row["lon"] - lon) * math.cos(math.radians(lat)), row["lat"] - lat) * METRES
        if not metres <= check["tol_m"]:
            yield f"{name} is {metres:,.1f} m off"
    slack = pd.Timedelta(seconds=check.get("time_tol_s", 0.5))
    for name, when in check.get("times_utc", {}).items():
        if not abs(rows.loc[name]["time"] - pd.Timestamp(when)) <= slack:
            yield f"{name} at {rows.loc[name]['time']}, should be {when}"
    for key, found in (("first_utc", "min"), ("last_utc", "max")):
        if key in check and not abs(getattr(table["time"], found)() - pd.Timestamp(check[key])) <= slack:
            yield f"{key} {getattr(table['time'], found)()}, should be {check[key]}"
    for name, values in check.get("changed", {}).items():
        for key, value in values.items():
            cell = rows.loc[name][{"kg": "catch_kg"}.get(key, key)]
            if not abs(cell - value) < 1e-6:
                yield f"{name}: {key} {cell}, should be {value}"
    if "max_leg_ms" in check and "track_cut" not in {note["code"] for note in receipt["warnings"]}:
        yield from _legs(table, check["max_leg_ms"])
    if check.get("defuse_on_export"):
        yield from _defused(workspace, TABLES[file["kind"]], place)


def _legs(table: pd.DataFrame, most: float) -> Iterator[str]:
    for unit, track in table.sort_values("time").groupby("unit_id"):
        seconds = track["time"].diff().dt.total_seconds().to_numpy()[1:]
        lat = track["lat"].to_numpy()
        across = np.diff(track["lon"].to_numpy()) * np.cos(np.radians(lat[:-1]))
        speed = np.hypot(across, np.diff(lat)) * METRES / np.maximum(seconds, 1e-3)
        if len(speed) and speed.max() > most:
            yield f"{unit}: a leg at {speed.max():,.0f} m/s"


def _defused(workspace: Any, table: str, place: Path) -> Iterator[str]:
    import openpyxl

    workspace.export(table, place / "out.csv")
    workspace.export(table, place / "out.xlsx")
    with (place / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    for row in openpyxl.load_workbook(place / "out.xlsx").active.iter_rows():
        cells += [cell.value for cell in row if isinstance(cell.value, str)]
        if any(cell.data_type == "f" for cell in row):
            yield "a formula in the workbook"
    if risky := [cell for cell in cells if cell[:1] in ("=", "+", "-", "@") and not cell[1:2].isdigit()]:
        yield f"cells a spreadsheet would run: {risky[:3]}"


def _safe(file: dict[str, Any], outcome: Outcome, upload: Path) -> Iterator[str]:
    limits = file.get("limits", {})
    for name, found, most in (
        ("seconds", outcome.seconds, limits.get("seconds", SECONDS)),
        ("MB of memory", outcome.memory, limits.get("mem_mb", MEMORY_MB)),
        ("MB on disk", outcome.disk, limits.get("disk_mb", math.inf)),
    ):
        if found > most:
            yield f"{found:,.1f} {name}, allowed {most}"
    said = outcome.out + outcome.err
    workspace = outcome.place / "workspace"
    if "Traceback" in said or (workspace / "faults").exists():
        yield f"a traceback: {said[-300:]}"
    if outcome.strayed:
        yield f"written outside the workspace: {outcome.strayed[:3]}"
    if left := [path.name for path in workspace.iterdir() if path.name.startswith(".tmp")]:
        yield f"left over: {left}"
    must_not = file.get("must_not", {})
    names = set(must_not.get("exist", ()))
    for folder in (outcome.place, upload.parent, outcome.place.parent):
        if written := sorted(names & {path.name for path in folder.rglob("*")}):
            yield f"written: {written}"
    secrets = set(must_not.get("contain", ()))
    with suppress(OSError):
        host = Path("/etc/hostname").read_text().strip()
        secrets |= {host} if len(host) > 6 and file["group"] in ("file", "parser") else set()
    for path in (path for path in workspace.rglob("*") if path.is_file() and path.parent.name != "raw"):
        said += path.read_bytes().decode("utf-8", "replace")
    for secret in secrets:
        if secret in said:
            yield f"told: {secret}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT.parent / "shared" / "hostile" / "files")
    parser.add_argument("--only", default="", help="only files with this in name, case or group")
    parser.add_argument("--keep", action="store_true", help="keep the workspaces")
    asked = parser.parse_args()
    manifest = json.loads((asked.folder / "manifest.json").read_text(encoding="utf-8"))
    files = [file for file in manifest["files"] if asked.only in f"{file['name']} {file['case']} {file['group']}"]
    listener = Listener()
    right = 0
    used: list[tuple[float, float, str]] = []
    place = Path(tempfile.mkdtemp(prefix="hostile-"))
    for file in files:
        mine = place / file["case"]
        mine.mkdir()
        wrong = list(judge(file, asked.folder.resolve(), mine, listener, used))
        for reason in wrong:
            print(f"{file['name']} ({file['case']}): {reason}", flush=True)
        right += not wrong
        if not asked.keep:
            shutil.rmtree(mine)
    seconds, _, slow = max(used)
    _, memory, large = max(used, key=lambda use: use[1])
    print(f"slowest {seconds:.1f} s ({slow}), most memory {memory:,.0f} MB ({large})")
    print(f"{right} of {len(files)} right")
    return 0 if right == len(files) else 1


if __name__ == "__main__":
    raise SystemExit(main())
