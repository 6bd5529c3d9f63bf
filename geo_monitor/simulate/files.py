"""A simulated world as files, the way agencies send them, with the truth beside.

Out, in one folder: `<kind>_<agency>_模拟数据.<ext>` for every upload (Chinese columns, Shanghai times without a zone,
GBK or UTF-8, CSV, XLSX, GPX, GeoJSON, a zipped shapefile), README.md, manifest.json, truth/reaches.csv and
truth/totals.json; of a planted world also truth/plants.csv and truth/steps.csv.
Equal worlds give equal bytes: archives carry a fixed date instead of the clock's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo_monitor.errors import Refused
from geo_monitor.simulate import formats
from geo_monitor.simulate.planted import named
from geo_monitor.simulate.worlds import World, world

if TYPE_CHECKING:
    import pandas as pd

MARK = "模拟数据"
REAL = f"河道为真实数据,随{MARK}附送"
BANK = {"left": "左岸", "right": "右岸", "mid": "江心"}
SETTING = {"water": "水上", "bank": "岸边", "market": "市场", "road": "公路", "restaurant": "餐馆", "shop": "渔具店"}
ORIGIN = {"patrol": "巡护", "tip": "举报", "camera": "监控", "check": "检查"}
DISPOSITION = {
    "none": "无", "advice": "劝导", "education": "教育", "warning": "警告", "administrative": "行政处罚",
    "criminal": "刑事立案",
}  # fmt: skip
PLATFORM = {"boat": "船艇", "foot": "徒步", "drone": "无人机", "vehicle": "车辆", "camera": "摄像头"}


@dataclass(frozen=True)
class AgencyFile:
    """One upload: what `import` is told of it."""

    kind: str
    path: Path
    agency: str


DAYS = 90  # of a world in which nothing is planted
PLANT_KM = 45.0  # main stem of the river of a planted world: short enough to look at all of it in every step
PLANT_FIXES_A_DAY = 1_400  # of a planted world: two years stay under a million


def make(
    seed: int, folder: Path | str, days: int | None = None, units: int = 16, plant: str | None = None
) -> tuple[World, list[AgencyFile]]:  # fmt: skip
    """A made-up river and a world on it, written to `folder`: what `geo-monitor simulate` does.

    `days`: default `DAYS`; of a planted world (`plant`, a kind of `PLANTS`) as many as the plant needs, on a short river.
    Raises `Refused("simulate_folder")` where `folder` holds anything, and what `world` raises.
    """
    from geo_monitor.river import build
    from geo_monitor.simulate.made_up_river import river

    _empty(Path(folder))
    wanted = named(plant)
    if wanted is None:
        lines = river(seed)
        made = world(build(lines), seed, days=DAYS if days is None else days, units=units, mean_rate=0.12, lines=lines)
    else:
        lines = river(seed, PLANT_KM)
        days = wanted.days if days is None else days
        limit = PLANT_FIXES_A_DAY * days
        made = world(build(lines), seed, days=days, units=units, fixes_max=limit, lines=lines, plant=wanted)
    return made, write(made, folder)


def write(world: World, folder: Path | str) -> list[AgencyFile]:
    """Write `world` to `folder` (made where missing) and return the uploads, in an order that can be imported.

    Raises `Refused("simulate_folder")` where `folder` holds anything: nothing is overwritten.
    """
    folder = Path(folder)
    _empty(folder)
    (folder / "truth").mkdir(parents=True, exist_ok=True)
    uploads = [
        _river(world, folder),
        _zones(world, folder),
        _units(world, folder),
        *_tracks(world, folder),
        _patrols(world, folder),
        *_seizures(world, folder),
    ]
    for name, table in (("reaches", world.truth), ("plants", world.plants), ("steps", world.steps)):
        if table is not None:
            marked = table.copy()
            marked.insert(0, "simulated", MARK)
            marked.to_csv(folder / "truth" / f"{name}.csv", index=False, lineterminator="\n")
    _json(folder / "truth" / "totals.json", world.totals)
    _json(
        folder / "manifest.json",
        {
            "simulated": True,
            "label": world.totals["label"],
            "seed": world.totals["seed"],
            "files": [{"kind": one.kind, "file": one.path.name, "agency": one.agency} for one in uploads],
        },
    )
    (folder / "README.md").write_text(_readme(world, uploads), encoding="utf-8")
    return uploads


def _empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused("simulate_folder", folder=str(folder))


def _json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _short(agency: str) -> str:
    return agency.removeprefix("模拟")


def _made_up(world: World) -> bool:
    """Whether the river itself is made up; a real one must not be called simulated."""
    return bool(world.lines["river"].astype(str).str.startswith("模拟").all())


def _river(world: World, folder: Path) -> AgencyFile:
    made_up = _made_up(world)
    path = folder / (f"river_{MARK}.geojson" if made_up else f"river_真实河道_随{MARK}附送.geojson")
    columns = {"river": "河名", "accuracy_m": "accuracy_m", "mouth": "mouth", "main_stem": "main_stem"}
    frame = world.lines[[*columns, "geometry"]].rename(columns=columns)
    frame["备注"] = MARK if made_up else REAL
    formats.geojson(frame, path, MARK if made_up else REAL)
    return AgencyFile("river", path, "模拟水文处" if made_up else "真实河道")


def _zones(world: World, folder: Path) -> AgencyFile:
    path = folder / f"zones_渔政支队_{MARK}.zip"
    frame = world.zones.drop(columns=["version", "agency"])
    for name in ("valid_from", "valid_to"):
        frame[name] = formats.shanghai(frame[name]).str.slice(0, 10)
    # names of at most 10 bytes in GBK: what a shapefile can hold
    columns = {
        "zone_id": "编号", "name": "名称", "category": "类别", "rule": "规定", "season_from": "禁渔期起",
        "season_to": "禁渔期止", "valid_from": "生效日期", "valid_to": "失效日期",
    }  # fmt: skip
    frame = frame.rename(columns=columns)
    frame["备注"] = MARK
    formats.zipped_shapefile(frame, path, f"禁捕区_{MARK}")
    return AgencyFile("zones", path, "模拟渔政支队")


def _units(world: World, folder: Path) -> AgencyFile:
    path = folder / f"units_{MARK}.csv"
    columns = {
        "unit_id": "终端编号", "mmsi": "MMSI", "name": "名称", "platform": "平台", "agency": "单位", "base": "驻地"
    }  # fmt: skip
    frame = world.units.assign(platform=world.units["platform"].map(PLATFORM)).rename(columns=columns)
    frame["备注"] = MARK
    formats.csv(frame, path, "utf-8-sig")
    return AgencyFile("units", path, "模拟渔政支队")


def _tracks(world: World, folder: Path) -> list[AgencyFile]:
    """River police: UTF-8 with BOM, terminal numbers, knots. Fishery: GBK, boat names, 东经/北纬. Guards: GPX."""
    uploads = []
    tracks = world.tracks
    for agency in sorted(tracks["agency"].unique()):
        mine = tracks[tracks["agency"] == agency]
        if agency == "模拟护渔队":
            path = folder / f"tracks_{_short(agency)}_{MARK}.gpx"
            formats.gpx(mine, path, MARK)
        elif agency == "模拟长航公安":
            path = folder / f"tracks_{_short(agency)}_{MARK}.csv"
            frame = _columns(
                mine,
                {"终端编号": "unit_id", "巡护编号": "patrol_id", "定位时间": "time", "经度": "lon", "纬度": "lat"},
            )
            frame["航速(节)"] = (mine["speed"].to_numpy() / 0.514444).round(2)
            frame["航向"] = mine["heading"].to_numpy()
            frame["平台"] = mine["platform"].map(PLATFORM).to_numpy()
            formats.csv(frame, path, "utf-8-sig")
        else:
            path = folder / f"tracks_{_short(agency)}_{MARK}.csv"
            frame = _columns(
                mine, {"船名": "unit_id", "巡护编号": "patrol_id", "时间": "time", "东经": "lon", "北纬": "lat"}
            )
            frame["平台"] = mine["platform"].map(PLATFORM).to_numpy()
            formats.csv(frame, path, "gb18030")
        uploads.append(AgencyFile("tracks", path, agency))
    return uploads


def _columns(frame: pd.DataFrame, columns: dict[str, str]) -> pd.DataFrame:
    """`frame` under other names: {theirs: ours}; times as Shanghai text."""
    picked = frame[list(columns.values())].set_axis(list(columns), axis=1).reset_index(drop=True)
    for theirs, ours in columns.items():
        if ours in ("time", "started_at", "ended_at"):
            picked[theirs] = formats.shanghai(picked[theirs])
    return picked


def _patrols(world: World, folder: Path) -> AgencyFile:
    path = folder / f"patrols_护渔队_{MARK}.csv"
    frame = _columns(
        world.patrols,
        {"巡护编号": "patrol_id", "终端编号": "unit_id", "开始时间": "started_at", "结束时间": "ended_at",
         "河流": "river", "起点里程": "km_from", "终点里程": "km_to", "人数": "persons"},
    )  # fmt: skip
    frame["平台"] = PLATFORM["foot"]
    frame["备注"] = MARK
    formats.csv(frame, path, "utf-8-sig")
    return AgencyFile("patrols", path, "模拟护渔队")


def _seizures(world: World, folder: Path) -> list[AgencyFile]:
    """River police: XLSX. Fishery: GBK CSV. Guards: UTF-8 CSV without BOM."""
    columns = {
        "案件编号": "report_id", "查获时间": "time", "经度": "lon", "纬度": "lat", "河流": "river",
        "里程(公里)": "km", "岸别": "bank", "查获地点": "place", "场所": "setting", "来源": "origin", "渔具": "gear",
        "数量": "quantity", "渔获重量(公斤)": "catch_kg", "价值(元)": "value_cny", "涉案船舶": "vessels",
        "涉案人数": "suspects", "处理结果": "disposition", "巡护编号": "patrol_id",
    }  # fmt: skip
    words = {"bank": BANK, "setting": SETTING, "origin": ORIGIN, "disposition": DISPOSITION}
    uploads = []
    for agency in sorted(world.seizures["agency"].unique()):
        mine = world.seizures[world.seizures["agency"] == agency]
        mine = mine.assign(**{name: mine[name].map(table) for name, table in words.items()})
        frame = _columns(mine, columns)
        frame["备注"] = MARK
        stem = f"seizures_{_short(agency)}_{MARK}"
        if agency == "模拟长航公安":
            path = folder / f"{stem}.xlsx"
            formats.xlsx(frame, path, MARK)
        else:
            path = folder / f"{stem}.csv"
            formats.csv(frame, path, "gb18030" if agency == "模拟渔政支队" else "utf-8")
        uploads.append(AgencyFile("seizures", path, agency))
    return uploads


def _readme(world: World, uploads: list[AgencyFile]) -> str:
    totals = world.totals
    river_zh = "河道亦为虚构" if _made_up(world) else "河道中心线为真实数据"
    river_en = "The river is made up, too." if _made_up(world) else "The centre lines of the river are real."
    rows = "\n".join(f"| {one.kind} | {one.path.name} | {one.agency} |" for one in uploads)
    return f"""# 模拟数据 / Simulated data

本文件夹中的巡护、轨迹、禁捕区、案件全部由程序生成,**不是真实数据**,单位与编号均为虚构;{river_zh}。
种子 {totals["seed"]},自 {totals["start"]} 起 {totals["days"]} 天,
巡护 {totals["patrols"]} 次,定位点 {totals["fixes"]} 个,案件 {totals["seizures"]} 起。

Everything here (patrols, tracks, zones, reports) was made by a program and **is not real**; agencies and numbers are
invented. {river_en} Seed {totals["seed"]}, {totals["days"]} days from {totals["start"]}.
Times in CSV and XLSX are Shanghai time without a zone, as agencies send them.

| kind | file | agency |
|---|---|---|
{rows}

`truth/reaches.csv`: per reach the true rate (`rate_per_h`, cases an hour of looking finds), the same at the hours
patrols were there (`rate_met_per_h`), and the true minutes looked, by platform. `truth/totals.json`: sums of it all.
真值见 `truth/`:各江段真实发案率与真实巡护分钟数。
{_readme_plant(world)}"""


def _readme_plant(world: World) -> str:
    if world.plants is None:
        return ""
    return f"""
`truth/plants.csv`: what is planted ({world.totals["plant"]["kind"]}), where and when; `truth/steps.csv`: minutes looked
and cases to expect by reach and step of 28 days. 植入情形见 `truth/plants.csv`:何处、何时、发案率变为几倍。
"""
