"""Two counties in one workspace, made through the command line; every word that only 宜昌 may read holds the mark YC."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from geo_monitor.cli.commands import run

MARK = "YC"
WORD = "江豚与中华鲟同游十里"
ENGLISH = ("--lang", "en")


class Office:
    """The command line of one workspace, as one account after the other."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __call__(self, account: str | None, *arguments: object, stdin: str = "") -> tuple[int, str]:
        told, said, given = io.StringIO(), io.StringIO(), io.StringIO(stdin)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdout", told)
            patch.setattr(sys, "stderr", said)
            patch.setattr(sys, "stdin", given)
            if account:
                patch.setenv("GEO_MONITOR_ACCOUNT", account)
                patch.setenv("GEO_MONITOR_PASSWORD", WORD)
            code = run(["--workspace", str(self.root), "--json", *ENGLISH, *(str(one) for one in arguments)])
        return code, told.getvalue() + said.getvalue()

    def json(self, account: str | None, *arguments: object, stdin: str = "") -> dict:
        code, told = self(account, *arguments, stdin=stdin)
        assert code == 0, told
        return json.loads(told)


def county(folder: Path, mark: str, lon: float) -> dict[str, Path]:
    """A county's files: a boat on the river for two nights, three reports, a list of units, a patrol told on paper."""
    fixes = [f"{mark}艇01,2026-05-0{day} {hour:02d}:{minute:02d}:00,{lon + 0.001 * (hour * 60 + minute) / 10:.5f},30.0"
             for day in (1, 2) for hour in (0, 1, 2) for minute in range(0, 60, 5)]  # fmt: skip
    reports = [f"{mark}案{n},2026-05-0{n} 01:30:00,{lon + 0.01 * n:.3f},30.0,{mark}码头,{mark}地笼" for n in (1, 2)]
    reports += [f"{mark}案3,,,,{mark}错行,"]
    files = {
        "tracks": ["终端编号,定位时间,经度,纬度", *fixes],
        "seizures": ["案件编号,查获时间,经度,纬度,地点,渔具", *reports],
        "units": ["unit_id,name,platform", f"{mark}艇01,{mark}渔政01,boat"],
        "patrols": ["patrol_id,unit_id,started_at,ended_at,river,km_from,km_to",
                    f"{mark}巡1,{mark}艇01,2026-05-03 20:00,2026-05-03 22:00,试河,10,12"],
    }  # fmt: skip
    made = {}
    for kind, lines in files.items():
        made[kind] = folder / f"{mark}-{kind}.csv"
        made[kind].write_text("\n".join(lines) + "\n", encoding="utf-8")
    return made


def box(west: float, east: float) -> list:
    return [[[west, 29.5], [east, 29.5], [east, 30.5], [west, 30.5], [west, 29.5]]]


def features(path: Path, *rows: tuple[dict, str, list]) -> Path:
    told = [{"type": "Feature", "properties": p, "geometry": {"type": t, "coordinates": c}} for p, t, c in rows]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": told}, ensure_ascii=False), encoding="utf-8")
    return path


def office(folder: Path) -> Office:
    """The workspace below `folder`, analysed by 荆州; accounts 管理员 (admin), 宜昌员 and 荆州员 with one password, `WORD`."""
    held = Office(folder / "w")
    held.json(None, "init")
    river = features(folder / "r.geojson", ({"name": "试河"}, "LineString", [[110.0, 30.0], [113.0, 30.0]]))
    places = features(
        folder / "j.geojson",
        ({"name": "宜昌", "adcode": "420500", "level": "city"}, "Polygon", box(109.0, 111.5)),
        ({"name": "荆州", "adcode": "421000", "level": "city"}, "Polygon", box(111.5, 114.0)),
    )
    zone = features(folder / "z.geojson", ({"zone_id": "全河", "name": "禁捕"}, "Polygon", box(109.0, 114.0)))
    held.json(None, "import", "river", river, "--accuracy", 50)
    held.json(None, "import", "jurisdictions", places)
    held.json(None, "import", "zones", zone)
    held.json(None, "agencies", "add", "宜昌渔政", "--adcode", "420500")
    held.json(None, "agencies", "add", "荆州渔政", "--adcode", "421000")
    held.json(None, "accounts", "add", "管理员", "--role", "admin", stdin=WORD + "\n")
    for name, agency in (("宜昌员", "宜昌渔政"), ("荆州员", "荆州渔政")):
        held.json("管理员", "accounts", "add", name, "--role", "analyst", "--role", "commander", "--agency", agency,
                  stdin=WORD + "\n")  # fmt: skip
    for name, mark, lon in (("宜昌员", MARK, 110.5), ("荆州员", "JZ", 112.0)):
        for kind, path in county(folder, mark, lon).items():
            told = held.json(name, "import", kind, path)
            assert told["agency"] == f"{name[:2]}渔政"
            assert told["rows"]["accepted"], told
    held.json("荆州员", "analyse", "--reach-length", 5000, "--methods", "all")
    return held
