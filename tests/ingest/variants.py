"""Uploads with the troubles agencies' files have, made up by rule, each with what must come of it known beforehand.

`cases(folder, seed)` gives them. Other places, names, columns, encodings and ways of writing than in any file we were
shown; the truth is known because every file is written from it. Coordinates in other systems come from PROJ, GCJ-02
and BD-09 from the published formulas.
"""

from __future__ import annotations

import functools
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
from pyproj import CRS, Transformer

from geo_monitor.ingest import datum
from tests.ingest.made import box, shapefile, workbook, write

EAST8 = timezone(timedelta(hours=8))
# counties along the river and where they lie (degrees, to 0.1)
COUNTIES = {
    "叙州区": (104.5, 28.7), "江安县": (105.1, 28.7), "合江县": (105.8, 28.8), "巴南区": (106.6, 29.4), "长寿区": (107.1, 29.8),
    "涪陵区": (107.4, 29.7), "石柱土家族自治县": (108.1, 30.0), "忠县": (108.0, 30.3), "云阳县": (108.7, 30.9), "奉节县": (109.5, 31.0),
    "秭归县": (110.7, 30.8), "枝江市": (111.8, 30.4), "松滋市": (111.8, 30.2), "公安县": (112.2, 30.1), "监利市": (112.9, 29.8),
    "华容县": (112.6, 29.5), "洪湖市": (113.5, 29.8), "赤壁市": (113.9, 29.7), "蔡甸区": (114.0, 30.6), "鄂州市": (114.9, 30.4),
    "浠水县": (115.3, 30.4), "蕲春县": (115.4, 30.2), "武穴市": (115.6, 29.9), "湖口县": (116.2, 29.7), "彭泽县": (116.6, 29.9),
    "望江县": (116.7, 30.1), "枞阳县": (117.2, 30.7), "铜官区": (117.8, 30.9), "繁昌区": (118.2, 31.1), "当涂县": (118.5, 31.6),
    "仪征市": (119.2, 32.3), "扬中市": (119.8, 32.2), "靖江市": (120.3, 32.0), "如皋市": (120.6, 32.4), "启东市": (121.7, 31.8),
}  # fmt: skip
TRADITIONAL = (
    "漢陽區",
    "岳陽縣",
    "銅陵縣",
    "鎮江縣",
    "貴池縣",
    "雲陽縣",
    "萬縣",
    "監利縣",
    "華容縣",
    "鄱陽縣",
    "豐都縣",
    "長壽縣",
)
RARE = ("㳇水", "长吻𬶏", "𬶋亚科", "䱗鱼", "𬭸水", "㵐河")  # outside GBK
HEADS = (
    ("编号", "查获时间", "经度", "纬度", "地点", "渔获重量", "渔具"),
    ("案件编号", "案发时间", "东经", "北纬", "案发地点", "渔获物(kg)", "作案工具"),
    ("立案号", "查处时间", "经度(E)", "纬度(N)", "详细地址", "渔获物重量（公斤）", "渔具名称"),
    ("Case No.", "Date_Time", "Longitude", "Latitude", "Location", "Catch (kg)", "Fishing gear"),
    ("记录编号", "发现时间", "GPS经度", "GPS纬度", "位置", "渔获公斤", "网具"),
)


@dataclass
class Case:
    """A file and what must come of it: statuses allowed, accepted and refused rows, codes among all messages (one of
    them at least), texts, true points by id, true UTC times by id, metres and seconds allowed."""

    label: str
    kind: str
    path: Path
    status: tuple[str, ...] = ("accepted",)
    accepted: int | None = None
    refused: int | None = None
    codes: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    points: dict[str, tuple[float, float]] = field(default_factory=dict)
    times: dict[str, datetime] = field(default_factory=dict)
    box: tuple[float, float, float, float] | None = None
    metres: float = 2.0
    options: dict[str, Any] = field(default_factory=dict)


GOOD, WARNED, REFUSED = ("accepted",), ("accepted_with_warnings",), ("rejected",)


@dataclass
class Report:
    """One seizure, as it truly was."""

    id: str
    time: datetime
    lon: float
    lat: float
    place: str
    kg: float


def reports(rng: random.Random, n: int) -> list[Report]:
    found = []
    for i in range(n):
        county, (lon, lat) = rng.choice(list(COUNTIES.items()))
        time = datetime(
            2025, rng.randint(1, 12), rng.randint(1, 28), rng.randint(0, 23), rng.choice([0, 15, 30, 45]), tzinfo=EAST8
        )
        found.append(Report(f"{rng.choice('川渝鄂湘赣皖苏')}渔罚〔2025〕{100 + i}号", time, round(lon + rng.uniform(0, 0.09), 6),
                            round(lat + rng.uniform(0, 0.09), 6), f"{county}江段{rng.randint(1, 30)}号标下游", rng.randint(1, 900) / 10))  # fmt: skip
    return found


def csv(
    folder: Path, name: str, rows: Sequence[Report], head: Sequence[str] = HEADS[0], encoding: str = "utf-8",
    time: Callable[[Report], str] | None = None, xy: Callable[[Report], tuple[str, str]] | None = None, line: str = "\n",
    delimiter: str = ",", extra: tuple[str, Callable[[Report], str]] | None = None,
) -> Path:  # fmt: skip
    time = time or (lambda r: r.time.strftime("%Y-%m-%d %H:%M"))
    xy = xy or (lambda r: (f"{r.lon:.6f}", f"{r.lat:.6f}"))
    lines = [delimiter.join([*head, *([extra[0]] if extra else [])])]
    for r in rows:
        cells = [r.id, time(r), *xy(r), r.place, f"{r.kg}", "刺网"]
        lines.append(delimiter.join([*cells, *([extra[1](r)] if extra else [])]))
    return write(folder / name, line.join(lines) + line, encoding)


def _same(word: str, report: Report) -> str:
    return word


def _styled(style: Callable[[datetime], str], report: Report) -> str:
    return style(report.time)


def truth(rows: Sequence[Report]) -> dict[str, Any]:
    return {
        "accepted": len(rows), "refused": 0, "points": {r.id: (r.lon, r.lat) for r in rows},
        "times": {r.id: r.time for r in rows}, "texts": tuple(r.place for r in rows),
    }  # fmt: skip


def zones(rng: random.Random, n: int) -> tuple[list[str], list[list[tuple[float, float]]]]:
    names = rng.sample(list(COUNTIES), n)
    rings = []
    for name in names:
        lon, lat = COUNTIES[name]
        west, south = round(lon + rng.uniform(0, 0.05), 6), round(lat + rng.uniform(0, 0.05), 6)
        rings.append(box(west, south, west + 0.02, south + 0.01))
    return [f"{name}长江禁捕区" for name in names], rings


def bounds(rings: Sequence[Sequence[tuple[float, float]]]) -> tuple[float, float, float, float]:
    flat = [xy for ring in rings for xy in ring]
    return (*map(min, zip(*flat, strict=True)), *map(max, zip(*flat, strict=True)))


def cases(folder: Path, seed: int) -> Iterator[Case]:
    rng = random.Random(seed)
    for make in (_texts, _shapefile_texts, _systems, _datums, _axes, _degrees, _times, _rows, _geometry, _motion):
        yield from make(folder, rng)


def _texts(folder: Path, rng: random.Random) -> Iterator[Case]:
    for encoding in ("utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16", "utf-16-le", "utf-16-be"):
        rows, head = reports(rng, 8), rng.choice(HEADS)
        yield Case(
            f"csv {encoding}",
            "seizures",
            csv(folder, f"上报_{encoding}.csv", rows, head, encoding, line="\r\n"),
            **truth(rows),
        )
    rows = reports(rng, 6)
    for r in rows:
        r.place = f"{rng.choice(RARE)}口{r.place}"
    yield Case("csv gb18030 four bytes", "seizures", csv(folder, "rare.csv", rows, HEADS[1], "gb18030"), **truth(rows))
    rows = reports(rng, 8)
    for i, r in enumerate(rows):
        r.id, r.place = f"T{i}", f"{rng.choice(TRADITIONAL)}江段橋下"
    yield Case("csv big5", "seizures", _big5(folder, rows), **truth(rows))
    rows = reports(rng, 5)
    for i, r in enumerate(rows):
        r.id, r.place = f"L{i}", rng.choice(["Café Müller", "Señora Peña", "Ångström quay", "naïve dock"])
    path = csv(folder, "latin.csv", rows, HEADS[3])
    path.write_bytes(path.read_text(encoding="utf-8").replace("刺网", "filet").encode("latin-1"))
    yield Case("csv latin-1", "seizures", path, **truth(rows))
    rows = reports(rng, 12)
    lines = csv(folder, "mixed.csv", rows).read_text(encoding="utf-8").split("\n")
    (folder / "mixed.csv").write_bytes(
        b"\n".join(line.encode("gbk" if i in (3, 7) else "utf-8") for i, line in enumerate(lines))
    )
    yield Case("csv mixed by row", "seizures", folder / "mixed.csv", WARNED, codes=("encoding_mixed",), **truth(rows))
    for delimiter, name in (("\t", "tab"), (";", "semicolon"), ("|", "bar")):
        rows = reports(rng, 5)
        yield Case(
            f"csv {name}",
            "seizures",
            csv(folder, f"{name}.csv", rows, rng.choice(HEADS), "gbk", delimiter=delimiter),
            **truth(rows),
        )


def _big5(folder: Path, rows: Sequence[Report]) -> Path:
    path = csv(folder, "big5.csv", rows, ("案件編號", "查獲時間", "經度", "緯度", "地點", "漁獲重量", "漁具"))
    return write(path, path.read_text(encoding="utf-8").replace("刺网", "刺網"), "big5")


def _shapefile_texts(folder: Path, rng: random.Random) -> Iterator[Case]:
    heads = {"编号": "Z{}", "禁渔区名称全称": "{}", "主管部门": "{}农业农村局"}
    for number, (encoding, cpg, language) in enumerate([
        ("utf-8", None, 0), ("utf-8", None, 0x4D), ("utf-8", None, 0x57), ("utf-8", "GBK", 0), ("utf-8", "UTF-8", 0), ("utf-8", "65001", 0),
        ("gbk", None, 0), ("gbk", None, 0x4D), ("gbk", None, 0x57), ("gbk", "UTF-8", 0), ("gbk", "CP936", 0), ("gb18030", "GB18030", 0),
        ("gbk", "OEM", 0x4D), ("gbk", "ANSI 936", 0), ("utf-8", "ISO-8859-1", 0x57), ("utf-8", None, 0x4F)]):  # fmt: skip
        names, rings = zones(rng, rng.choice([3, 12, 30]))
        table: dict[str, Sequence[str]] = {head: [form.format(name if "{}农" not in form else name[:3]) if "Z" not in form else f"Z{i}"
                        for i, name in enumerate(names)] for head, form in heads.items()}  # fmt: skip
        path = shapefile(
            folder / f"shp{number}", "禁渔区", [[ring] for ring in rings], table, encoding=encoding, cpg=cpg
        )
        data = bytearray(path.with_suffix(".dbf").read_bytes())
        data[29] = language
        path.with_suffix(".dbf").write_bytes(data)
        lying = (cpg is not None and cpg in ("GBK", "ISO-8859-1") and encoding == "utf-8") or (
            cpg == "UTF-8" and encoding == "gbk"
        )
        yield Case(f"shp {encoding} cpg {cpg} byte {language:#x}", "zones", path.parent, (*GOOD, *WARNED) if lying or language else GOOD,
                   len(names), 0, texts=tuple(names), box=bounds(rings))  # fmt: skip


def _systems(folder: Path, rng: random.Random) -> Iterator[Case]:
    def written(epsg: int, rings: Sequence[Any], back: bool = True) -> list[list[list[tuple[float, float]]]]:
        base = CRS.from_epsg(epsg).geodetic_crs
        start = base if base is not None and base.to_epsg() == 4490 else "EPSG:4326"
        to = Transformer.from_crs(start, epsg, always_xy=True)
        return [[[to.transform(*xy) for xy in ring]] for ring in rings]

    # 3-degree and 6-degree zones with and without the number in the easting; middle meridian, EPSG, warned
    grids = [(4523, 105), (4524, 108), (4525, 111), (4526, 114), (4527, 117), (4528, 120), (4544, 105), (4545, 108), (4547, 114),
             (4548, 117), (4549, 120), (4496, 105), (4497, 111), (4498, 117), (4507, 105), (4508, 111), (4509, 117),
             (2412, 108), (2416, 120), (2434, 111), (2437, 120), (21418, 105), (2362, 114), (2382, 111), (2334, 117)]  # fmt: skip
    for number, (epsg, middle) in enumerate(grids):
        near = sorted(COUNTIES, key=lambda name: abs(COUNTIES[name][0] - middle))[:3]
        rings = [box(x, y, x + 0.02, y + 0.01) for x, y in (COUNTIES[name] for name in near)]
        old = not 4490 < epsg < 4560
        for how in ("prj", "no prj", "swapped"):
            shapes = written(epsg, rings)
            if how == "swapped":
                shapes = [[[(y, x) for x, y in ring] for ring in parts] for parts in shapes]
            named = shapefile(
                folder / f"grid{number}{how}",
                "layer",
                shapes,
                {"名称": near},
                prj=None if how == "no prj" else f"EPSG:{epsg}",
            )
            prefixed = shapes[0][0][0][0 if how != "swapped" else 1] > 1e7
            if how == "no prj" and not prefixed:
                yield Case(f"{epsg} {how}", "zones", named.parent, REFUSED, 0, None, ("choice_needed",))
                continue
            yield Case(f"{epsg} {how}", "zones", named.parent, WARNED if old or how != "prj" else GOOD, 3, 0,
                       ("crs_from_numbers",) if how == "no prj" else ("axes_swapped",) if how == "swapped" else (),
                       tuple(near), box=bounds(rings), metres=100 if old and how == "no prj" else 2)  # fmt: skip
    names, rings = zones(rng, 4)
    lies: list[tuple[str, list[Any], str]] = [
        ("degrees under a grid", [[ring] for ring in rings], "EPSG:4526"),
        ("degrees under Web Mercator", [[ring] for ring in rings], "EPSG:3857"),
        ("degrees under UTM", [[ring] for ring in rings], "EPSG:32650"),
        ("numbered metres under degrees", written(4526, rings), "EPSG:4490"),
        ("zone 38 under zone 39", written(4526, rings), "EPSG:4527"),
        ("zone 38 under the meridian of 39", written(4526, rings), "EPSG:4548"),
    ]
    for number, (label, shapes, prj) in enumerate(lies):
        path = shapefile(folder / f"lie{number}", "layer", shapes, {"名称": names}, prj=prj)
        yield Case(label, "zones", path.parent, WARNED, 4, 0, ("crs_contradicts",), tuple(names), box=bounds(rings))


def _datums(folder: Path, rng: random.Random) -> Iterator[Case]:
    for name, words in (
        ("gcj02", ("GCJ-02", "gcj02", "火星坐标系", "高德", "GCJ02坐标")),
        ("bd09", ("BD-09", "百度坐标", "bd09ll", "百度")),
    ):
        for word in words:
            rows = reports(rng, 5)

            def shifted(r: Report, name: str = name) -> tuple[str, str]:
                lon, lat = datum.FORWARD[name](np.array([r.lon]), np.array([r.lat]))
                return f"{lon[0]:.7f}", f"{lat[0]:.7f}"

            head = rng.choice(("坐标系", "坐标类型", "坐标系统", "coord_system"))
            path = csv(
                folder,
                f"{name}{len(word)}{word[0]}.csv",
                rows,
                rng.choice(HEADS),
                xy=shifted,
                extra=(head, functools.partial(_same, word)),
            )
            yield Case(
                f"{name} told as {word}", "seizures", path, WARNED, codes=("datum_converted",), metres=1, **truth(rows)
            )


def _axes(folder: Path, rng: random.Random) -> Iterator[Case]:
    rows = reports(rng, 9)
    path = csv(folder, "swapped.csv", rows, HEADS[2], "gbk", xy=lambda r: (f"{r.lat:.6f}", f"{r.lon:.6f}"))
    yield Case("csv swapped", "seizures", path, WARNED, codes=("axes_swapped",), **truth(rows))
    names, rings = zones(rng, 4)
    features = [{"type": "Feature", "properties": {"区域名称": n}, "geometry": {"type": "Polygon", "coordinates": [[[y, x] for x, y in ring]]}}
                for n, ring in zip(names, rings, strict=True)]  # fmt: skip
    path = write(
        folder / "swapped.geojson", json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)
    )
    yield Case("geojson swapped", "zones", path, WARNED, 4, 0, ("axes_swapped",), tuple(names), box=bounds(rings))


def _dms(value: float) -> tuple[int, int, float]:
    minutes, seconds = divmod(round(value * 3600, 2), 60)
    return int(minutes // 60), int(minutes % 60), round(seconds, 2)


DMS = ("{0}°{1}′{2}″", "{0}º{1}'{2}\"", "{0}度{1}分{2}秒", "{0}-{1}-{2}", "{0} {1} {2}", "{0}:{1}:{2}", "{0}˚{1}’{2}”", "{0}゜{1}′{2}″",
       "{0}d{1}m{2}s", "{0}° {1}' {2}''", "{0}°{1}´{2}´´")  # fmt: skip
FULL = str.maketrans("0123456789.", "０１２３４５６７８９．")


def _degrees(folder: Path, rng: random.Random) -> Iterator[Case]:
    for number, (east, north) in enumerate(
        [("", ""), ("E", "N"), ("东经", "北纬"), ("东经：", "北纬："), ("e ", "n ")]
    ):
        rows = reports(rng, len(DMS) + 1)
        full = iter(range(99))

        def written(r: Report, east: str = east, north: str = north, full: Iterator[int] = full) -> tuple[str, str]:
            form = (*DMS, "{0}度{1}分{2}秒")[next(full)]
            return east + form.format(*_dms(r.lon)), north + form.format(*_dms(r.lat))

        wide = rows[-1]
        path = csv(folder, f"dms{number}.csv", rows, rng.choice(HEADS), xy=written, delimiter="\t")
        text = path.read_text(encoding="utf-8").split("\n")
        cells = text[-2].split("\t")
        text[-2] = "\t".join([*cells[:2], cells[2].translate(FULL), cells[3].translate(FULL), *cells[4:]])
        write(path, "\n".join(text))
        assert wide.id in text[-2]
        yield Case(f"degrees with {east or 'nothing'}", "seizures", path, (*GOOD, *WARNED), **truth(rows))
    rows = reports(rng, 5)
    bad = reports(rng, 2)
    for r in bad:
        r.id += "坏"
    forms = iter(
        [(f"{r.lon:.6f}", f"{r.lat:.6f}") for r in rows] + [("112°61′10″", "30°10′10″"), ("112°10′10″", "30°10′75″")]
    )
    path = csv(folder, "dmsbad.csv", [*rows, *bad], xy=lambda r: next(forms))
    yield Case(
        "minutes over 59", "seizures", path, WARNED, codes=("coordinate_unreadable",), **{**truth(rows), "refused": 2}
    )
    for number, form in enumerate(
        [
            "{0},{1}",
            "({0}, {1})",
            "{1} {0}",
            "POINT({0} {1})",
            "经度{0} 纬度{1}",
            "N{1} E{0}",
            "{0}E {1}N",
            "lng:{0},lat:{1}",
            "{0};{1}",
        ]
    ):
        rows = reports(rng, 4)
        path = folder / f"pair{number}.csv"
        write(
            path,
            "\n".join(
                [
                    "编号\t案发时间\t坐标\t地点",
                    *(f"{r.id}\t{r.time:%Y-%m-%d %H:%M}\t{form.format(r.lon, r.lat)}\t{r.place}" for r in rows),
                ]
            ),
        )
        yield Case(f"both in one cell: {form}", "seizures", path, (*GOOD, *WARNED), **truth(rows))


def _times(folder: Path, rng: random.Random) -> Iterator[Case]:
    def half(t: datetime, words: tuple[str, str] = ("上午", "下午")) -> str:
        return f"{words[t.hour >= 12]}{(t.hour - 1) % 12 + 1}:{t.minute:02d}"

    excel = datetime(1899, 12, 30, tzinfo=EAST8)
    styles: dict[str, Callable[[datetime], str]] = {
        "Excel day": lambda t: f"{(t - excel).total_seconds() / 86400:.6f}",
        "epoch s": lambda t: str(int(t.timestamp())),
        "epoch ms": lambda t: str(int(t.timestamp() * 1000)),
        "上午 下午": lambda t: f"{t:%Y/%m/%d} {half(t)}" if t.hour not in (0, 12) else f"{t:%Y/%m/%d %H:%M}",
        "AM PM": lambda t: f"{t:%Y-%m-%d} {half(t, ('AM', 'PM'))[2:]} {'PM' if t.hour >= 12 else 'AM'}",
        "年月日时": lambda t: f"{t.year}年{t.month}月{t.day}日 {t.hour}时{t.minute}分",
        "年月日点半": lambda t: (
            f"{t.year}年{t.month:02d}月{t.day:02d}日{t.hour}点{'半' if t.minute == 30 else f'{t.minute}分'}"
        ),
        "day first": lambda t: f"{t:%d/%m/%Y %H:%M}",
        "month name": lambda t: f"{t:%d %b %Y %H:%M}",
        "month name first": lambda t: f"{t:%b %d, %Y %H:%M}",
        "utc": lambda t: f"{t.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "offset": lambda t: f"{t.astimezone(timezone(timedelta(hours=9))):%Y-%m-%dT%H:%M:%S}+09:00",
        "compact": lambda t: f"{t:%Y%m%d%H%M%S}",
        "dots": lambda t: f"{t.year}.{t.month}.{t.day} {t.hour}:{t.minute:02d}",
        "full width": lambda t: f"{t:%Y-%m-%d %H:%M}".translate(FULL).replace(":", "："),
        "browser": lambda t: f"{t:%a %b %d %Y %H:%M:%S} GMT+0800",
    }
    for number, (label, style) in enumerate(styles.items()):
        rows = reports(rng, 9)
        rows[0].time = rows[0].time.replace(day=25)  # one that can only be day-first
        path = csv(
            folder,
            f"time{number}.csv",
            rows,
            rng.choice(HEADS),
            time=functools.partial(_styled, style),
            delimiter="\t",
        )
        yield Case(f"time {label}", "seizures", path, (*GOOD, *WARNED), **truth(rows))
    rows = reports(rng, 14)
    mixed = iter([style for label, style in styles.items() if label not in ("day first", "compact")])
    yield Case("times of every style", "seizures", csv(folder, "mixedtime.csv", rows, time=lambda r: next(mixed)(r.time), delimiter="\t"),
               (*GOOD, *WARNED), **truth(rows))  # fmt: skip
    rows = reports(rng, 6)
    for r in rows[:2]:
        r.time = r.time.replace(hour=0, minute=0)
    late = {r.id: f"{r.time - timedelta(days=1):%Y-%m-%d} 24:00" for r in rows[:2]}
    bad = {
        rows[2].id: "2025-03-01 25:10",
        rows[3].id: "2025-02-30 10:00",
        rows[4].id: "1970-01-01 08:00",
        rows[5].id: "2061-01-01 08:00",
    }
    path = csv(folder, "wrongtime.csv", rows, HEADS[4], time=lambda r: {**late, **bad}[r.id])
    yield Case("24:00 and times that are none", "seizures", path, WARNED, **{**truth(rows[:2]), "refused": 4})
    rows = reports(rng, 5)
    path = workbook(
        folder / "book.xlsx",
        [
            ("2025年案件台账",),
            HEADS[1],
            *((r.id, r.time.replace(tzinfo=None), r.lon, r.lat, r.place, r.kg, "地笼") for r in rows),
        ],
    )
    yield Case("workbook with a title", "seizures", path, (*GOOD, *WARNED), **truth(rows))


def _rows(folder: Path, rng: random.Random) -> Iterator[Case]:
    rows = reports(rng, 7)
    yield Case(
        "rows twice",
        "seizures",
        csv(folder, "twice.csv", [*rows, *rows[:3]], HEADS[1]),
        WARNED,
        codes=("duplicate_rows",),
        **truth(rows),
    )
    rows = reports(rng, 6)
    for r, word in zip(
        rows,
        ('=HYPERLINK("http://x")', "+1+2", "@SUM(A1)", "'; DROP TABLE zones;--", "<script>x</script>", "-2+3"),
        strict=True,
    ):
        r.place = word.replace(",", "")
    path = csv(folder, "formula.csv", rows, delimiter="\t")
    yield Case("formulas, SQL, script", "seizures", path, (*GOOD, *WARNED), **truth(rows))
    rows = reports(rng, 6)
    cells = iter(
        [("NaN", "30"), ("inf", "30.1"), ("", "30.2"), ("-", "-")] + [(f"{r.lon}", f"{r.lat}") for r in rows[4:]]
    )
    kept = {**truth(rows[4:]), "accepted": None, "refused": None}
    yield Case(
        "coordinates that are none", "seizures", csv(folder, "nan.csv", rows, xy=lambda r: next(cells)), WARNED, **kept
    )


def _geometry(folder: Path, rng: random.Random) -> Iterator[Case]:
    def geojson(name: str, shapes: Sequence[Any], names: Sequence[str]) -> Path:
        features = [{"type": "Feature", "properties": {"禁渔区名称": n, "编号": f"G{i}"}, "geometry": shape}
                    for i, (n, shape) in enumerate(zip(names, shapes, strict=True))]  # fmt: skip
        return write(folder / name, json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False))

    def polygon(*rings: Any) -> dict[str, Any]:
        return {"type": "Polygon", "coordinates": [[list(xy) for xy in ring] for ring in rings]}

    names, rings = zones(rng, 6)
    good = [polygon(ring) for ring in rings]
    x, y = rings[0][0]
    bow = polygon([(x, y), (x + 0.02, y + 0.01), (x + 0.02, y), (x, y + 0.01), (x, y)])
    kept: tuple[tuple[str, Any, tuple[str, ...], tuple[str, ...]], ...] = (
        ("bow tie", bow, WARNED, ("geometry_repaired", "geometry_repaired_changed")),
        (
            "unclosed",
            polygon(rings[0][:-1]),
            WARNED,
            ("ring_closed", "geometry_unclosed", "rings_closed", "geometry_repaired"),
        ),
        ("repeated vertices", polygon([xy for xy in rings[0] for _ in range(3)]), (*GOOD, *WARNED), ()),
        ("z", polygon([(*xy, 12.5) for xy in rings[0]]), (*GOOD, *WARNED), ()),
        ("hole outside", polygon(rings[0], box(x + 0.5, y + 0.5, x + 0.51, y + 0.51)), WARNED, ()),
        ("sliver", polygon(box(x, y, x + 0.02, y + 1e-7)), WARNED, ("geometry_sliver",)),
        ("counter-clockwise", polygon(rings[0][::-1]), GOOD, ()),
        (
            "spike",
            polygon([*rings[0][:2], (x + 0.01, y + 0.01), (x + 0.01, y + 0.05), (x + 0.01, y + 0.01), *rings[0][2:]]),
            (*GOOD, *WARNED),
            (),
        ),
    )
    for label, shape, status, codes in kept:
        yield Case(
            label, "zones", geojson(f"{label}.geojson", [shape, *good[1:]], names), status, 6, 0, (), tuple(names[1:])
        )
        del codes
    lost: tuple[tuple[str, Any], ...] = (
        ("null", None), ("empty", {"type": "Polygon", "coordinates": []}), ("line", {"type": "LineString", "coordinates": [list(xy) for xy in rings[0]]}),
        ("point", {"type": "Point", "coordinates": list(rings[0][0])}), ("western", polygon([(-a, b) for a, b in rings[0]])),
        ("southern", polygon([(a, -b) for a, b in rings[0]])), ("null island", polygon(box(0, 0, 0, 0))),
    )  # fmt: skip
    for label, shape in lost:
        yield Case(
            f"one {label}",
            "zones",
            geojson(f"lost {label}.geojson", [shape, *good[1:]], names),
            WARNED,
            5,
            1,
            (),
            tuple(names[1:]),
        )


def _motion(folder: Path, rng: random.Random) -> Iterator[Case]:
    head = rng.choice(
        [
            "船名,时间,经度,纬度,航速",
            "终端编号,定位时间,东经,北纬,速度(km/h)",
            "执法艇,上报时间,GPS经度,GPS纬度,航速（节）",
        ]
    )
    lon, lat = COUNTIES[rng.choice(list(COUNTIES))]
    start = datetime(2025, 6, 3, 22, 0, tzinfo=EAST8)

    def fixes(n: int, unit: str, at: float = 0.0) -> list[tuple[str, datetime, float, float]]:
        return [(unit, start + timedelta(seconds=30 * i), lon + at + 0.001 * i, lat) for i in range(n)]

    def track(name: str, rows: Sequence[tuple[str, datetime, float, float]]) -> Path:
        return write(
            folder / name, "\n".join([head, *(f"{u},{t:%Y-%m-%d %H:%M:%S},{x:.6f},{y:.6f},6" for u, t, x, y in rows)])
        )

    rows = fixes(60, "鄂渔政42001")
    yield Case("a night", "tracks", track("night.csv", rows), GOOD, 60, 0, (), ("鄂渔政42001",))
    wild = [(u, t, x + (3 if i in (10, 30) else 0), y) for i, (u, t, x, y) in enumerate(rows)]
    yield Case("lone jumps", "tracks", track("jumps.csv", wild), WARNED, 58, 2, ("fix_jump",))
    moved = [(u, t, x + (2 if i >= 40 else 0), y) for i, (u, t, x, y) in enumerate(rows)]
    yield Case("a jump that stays", "tracks", track("moved.csv", moved), WARNED, 60, 0, ("track_cut",))
    shuffled = rows[:]
    rng.shuffle(shuffled)
    yield Case("out of order", "tracks", track("shuffled.csv", shuffled), (*GOOD, *WARNED), 60, 0)
    zero = [(u, t, 0.0 if i in (5, 6) else x, 0.0 if i in (5, 6) else y) for i, (u, t, x, y) in enumerate(rows)]
    yield Case("null island", "tracks", track("zero.csv", zero), WARNED, 58, 2, ("null_island",))
    two = [*rows, *fixes(60, "鄂渔政42001", 0.5)]
    yield Case("two devices, one id", "tracks", track("two.csv", two), WARNED, 60, 60, ("device_clash",))
    still = [(u, t, lon if i >= 20 else x, lat) for i, (u, t, x, _) in enumerate(fixes(150, "鄂渔政42001"))]
    still = [(u, t, x if i < 20 else rows[19][2], y) for i, (u, t, x, y) in enumerate(still)]
    yield Case("frozen", "tracks", track("frozen.csv", still), WARNED, 150, 0, ("track_frozen",))
