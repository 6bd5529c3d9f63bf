"""Frames to the bytes agencies send: CSV in Chinese encodings, GPX, GeoJSON, XLSX, a zipped GBK shapefile.

Nothing here asks the clock: where a format insists on a date of its own, it gets `SEALED`.
"""

from __future__ import annotations

import io
import json
import re
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

SEALED = (2025, 1, 1, 0, 0, 0)  # date of members in archives
XML_DATE = "2025-01-01T00:00:00Z"


def shanghai(times: Any) -> pd.Series:
    """UTC times as Shanghai text without zone, to the second; missing stays missing.

    >>> import pandas as pd
    >>> shanghai(pd.Series(pd.to_datetime(["2025-03-01T16:00:00Z", None], utc=True))).tolist()
    ['2025-03-02 00:00:00', None]
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    values = pa.Array.from_pandas(times, type=pa.timestamp("s", tz="UTC"), safe=False)
    local = pc.local_timestamp(values.cast(pa.timestamp("s", tz="Asia/Shanghai")))
    return pd.Series(pc.strftime(local, format="%Y-%m-%d %H:%M:%S").to_pylist(), dtype=object)


def csv(frame: pd.DataFrame, path: Path, encoding: str) -> None:
    """`frame` as CSV, missing values empty. A text that would need quotes is an error of pyarrow: ours has none."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    table = pa.Table.from_pandas(frame, preserve_index=False)
    buffer = io.BytesIO()
    arrow_csv.write_csv(table, buffer, arrow_csv.WriteOptions(include_header=False, quoting_style="none"))
    body = buffer.getvalue()
    if encoding in ("utf-8", "utf-8-sig"):
        head = (",".join(frame.columns) + "\n").encode(encoding)
        path.write_bytes(head + body)
    else:
        path.write_bytes((",".join(frame.columns) + "\n" + body.decode("utf-8")).encode(encoding))


def gpx(tracks: pd.DataFrame, path: Path, mark: str) -> None:
    """Tracks as GPX 1.1: a track a patrol, named after its unit; times in UTC as receivers write them."""
    import numpy as np

    times = np.char.add(
        np.datetime_as_string(tracks["time"].dt.tz_localize(None).to_numpy().astype("datetime64[s]")).astype(str), "Z"
    )
    patrol = tracks["patrol_id"].to_numpy(dtype=object)
    first = np.flatnonzero(np.concatenate([[True], patrol[1:] != patrol[:-1]]))
    last = np.append(first[1:], len(patrol))
    points = [
        f'<trkpt lat="{lat:.6f}" lon="{lon:.6f}"><time>{time}</time></trkpt>\n'
        for lat, lon, time in zip(tracks["lat"].tolist(), tracks["lon"].tolist(), times.tolist(), strict=True)
    ]
    unit = tracks["unit_id"].to_numpy(dtype=object)
    with path.open("w", encoding="utf-8", newline="\n") as out:
        out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
        out.write('<gpx version="1.1" creator="geo_monitor" xmlns="http://www.topografix.com/GPX/1/1">\n')
        out.write(f"<metadata><name>{mark}</name><desc>{mark} simulated data</desc></metadata>\n")
        for a, b in zip(first, last, strict=True):
            out.write(f"<trk><name>{unit[a]}</name><desc>{mark}</desc><trkseg>\n")
            out.writelines(points[a:b])
            out.write("</trkseg></trk>\n")
        out.write("</gpx>\n")


def geojson(frame: gpd.GeoDataFrame, path: Path, name: str) -> None:
    """`frame` (EPSG:4326) as a FeatureCollection called `name`; coordinates as given, missing values null."""
    import pandas as pd
    import shapely

    columns = [column for column in frame.columns if column != frame.geometry.name]
    features = []
    for values, geometry in zip(frame[columns].itertuples(index=False, name=None), frame.geometry, strict=True):
        shown = {key: None if pd.isna(value) else value for key, value in zip(columns, values, strict=True)}
        features.append({"type": "Feature", "properties": shown, "geometry": shapely.geometry.mapping(geometry)})
    body = {"type": "FeatureCollection", "name": name, "features": features}
    path.write_text(json.dumps(body, ensure_ascii=False) + "\n", encoding="utf-8")


def xlsx(frame: pd.DataFrame, path: Path, sheet: str) -> None:
    """`frame` as a workbook of one sheet; texts that are times become date cells."""
    from datetime import datetime

    import openpyxl
    import pandas as pd

    book = openpyxl.Workbook(write_only=True)
    page = book.create_sheet(sheet)
    page.append(list(frame.columns))
    for row in frame.itertuples(index=False, name=None):
        page.append([_cell(value, datetime, pd) for value in row])
    buffer = io.BytesIO()
    book.save(buffer)
    with zipfile.ZipFile(buffer) as made:
        members = {name: made.read(name) for name in made.namelist()}
    dates = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")
    members["docProps/core.xml"] = dates.sub(rb"\g<1>" + XML_DATE.encode(), members["docProps/core.xml"])
    _archive(path, members)


MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


def _cell(value: Any, datetime: Any, pd: Any) -> Any:
    if pd.isna(value):
        return None
    if isinstance(value, str) and MOMENT.fullmatch(value):
        return datetime.strptime(value, "%Y-%m-%d %H:%M:%S")
    return value


def zipped_shapefile(frame: gpd.GeoDataFrame, path: Path, name: str) -> None:
    """`frame` as a zipped shapefile in GBK, with its .cpg and .prj."""
    import pyogrio

    with tempfile.TemporaryDirectory() as scratch:
        pyogrio.write_dataframe(frame, Path(scratch) / "zones.shp", driver="ESRI Shapefile", encoding="GBK")
        members = {f"{name}{part.suffix}": part.read_bytes() for part in sorted(Path(scratch).iterdir())}
    table = bytearray(members[f"{name}.dbf"])
    table[1:4] = bytes([SEALED[0] - 1900, SEALED[1], SEALED[2]])  # date of last change, in the header
    members[f"{name}.dbf"] = bytes(table)
    _archive(path, members)


def _archive(path: Path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name, SEALED)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            out.writestr(entry, content)
