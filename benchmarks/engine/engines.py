"""One engine on one workspace, in a process of its own: `python -m benchmarks.engine.engines NAME WORKSPACE [rows]`.

Prints JSON: seconds, zone_pairs (fixes by zones they lie in, border included), located (fixes that have a reach within
its tolerance) and minutes (of time between fixes at most 600 s apart). The others do these joins alone, on positions read
from the same files, with their own best practice; `ours` is the whole of `analyse` up to effort, with every rule, `analyse`
the command from its start to its end.
Needs what `pip install ".[bench]"` brings, and for `postgis` a server of its own that it starts (Debian: postgresql,
postgresql-postgis).
"""
# ruff: noqa: S608  the queries are made of file names and numbers of our own

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

GAP_S = 600.0
COLUMNS = ("unit_id", "patrol_id", "time", "platform", "role", "geometry")
WORDS = ["unit_id", "patrol_id", "platform", "role"]


def files(root: Path) -> list[Path]:
    """The positions of a workspace, by day."""
    return sorted(root.glob("positions/day=*/*.parquet"))


def small_side(root: Path) -> tuple[Any, Any]:
    """Reaches (Mercator metres, with the distance `reach_m` on the map within which a fix is theirs) and zones (WGS84),
    as the main job sees them; made once and kept beside the workspace, outside of every clock."""
    import geopandas as gpd

    from benchmarks.engine import worlds
    from geo_monitor.river.geodesy import scale

    kept = root / "reaches.parquet"
    if not kept.is_file():
        net = worlds.network()
        reaches = net.reaches[["reach_id", "lat", "geometry"]].assign(tolerance_m=net.tolerance_m)
        reaches = reaches.to_crs("EPSG:3395")
        reaches["reach_m"] = reaches["tolerance_m"] * scale(reaches["lat"].to_numpy())
        reaches.to_parquet(kept)
    return gpd.read_parquet(kept), gpd.read_file(root / "zones.geojson")


def widest(reaches: Any) -> float:
    """The distance on the map within which any reach of any fix lies."""
    return float(reaches["reach_m"].max())


def positions(root: Path, rows: int) -> pa.Table:
    """unit_id, time (ms), lon, lat of the first `rows` positions."""
    import pyarrow.compute as pc

    parts, left = [], rows
    for path in files(root):
        part = pq.read_table(path, columns=["unit_id", "time", "geometry"]).slice(0, left)
        point = part["geometry"]
        parts.append(
            pa.table(
                {
                    "unit_id": part["unit_id"].dictionary_encode(),
                    "time": part["time"].cast(pa.int64()),
                    "lon": pc.struct_field(point, "x"),
                    "lat": pc.struct_field(point, "y"),
                }
            )
        )
        left -= len(part)
        if left <= 0:
            break
    return pa.concat_tables(parts).unify_dictionaries()


def scan(root: Path, rows: int) -> dict[str, Any]:
    """The bare read of the columns the main job needs, in batches."""
    count = 0
    for path in files(root):
        for batch in pq.ParquetFile(path, read_dictionary=WORDS).iter_batches(columns=list(COLUMNS)):
            count += batch.num_rows
    return {"rows": count}


def geopandas(root: Path, rows: int) -> dict[str, Any]:
    """`sjoin`, `sjoin_nearest`, a million positions at a time, and `groupby`."""
    import geopandas as gpd
    import pandas as pd

    reaches, zones = small_side(root)
    frame = positions(root, rows).to_pandas()
    pairs = 0
    nears = []
    for start in range(0, len(frame), 1_000_000):
        part = frame.iloc[start : start + 1_000_000]
        points = gpd.GeoDataFrame(part, geometry=gpd.points_from_xy(part["lon"], part["lat"]), crs="EPSG:4326")
        pairs += len(gpd.sjoin(points, zones[["zone_id", "geometry"]], predicate="intersects"))
        near = gpd.sjoin_nearest(points.to_crs("EPSG:3395"), reaches, max_distance=widest(reaches), distance_col="away")
        near = near[near["away"] <= near["reach_m"]]
        nears.append(near.loc[~near.index.duplicated(), ["unit_id", "time", "reach_id"]])
    near = pd.concat(nears).sort_values(["unit_id", "time"])
    step = near.groupby("unit_id", observed=True)["time"].diff() / 1000
    near = near.assign(minutes=step.where(step <= GAP_S) / 60, day=(near["time"] + 28_800_000) // 86_400_000)
    minutes = float(near.groupby(["reach_id", "day"], observed=True)["minutes"].sum().sum())
    return {"zone_pairs": pairs, "located": len(near), "minutes": minutes}


def duckdb(root: Path, rows: int) -> dict[str, Any]:
    """DuckDB with its spatial extension: `ST_Intersects` join, `ST_DWithin` with `arg_min`, window and group by."""
    import duckdb as engine
    import duckdb_extension_spatial

    reaches, zones = small_side(root)
    con = engine.connect()
    con.execute("SET threads = 2")
    folder = Path(duckdb_extension_spatial.__file__).parent
    con.execute(f"LOAD '{next(folder.rglob('*.duckdb_extension'))}'")
    con.register("reach_rows", pa.table({"id": np.arange(len(reaches)), "m": reaches["reach_m"].to_numpy(),
                                         "wkb": reaches.geometry.to_wkb().to_numpy()}))  # fmt: skip
    con.register("zone_rows", pa.table({"id": zones["zone_id"].to_numpy(), "wkb": zones.geometry.to_wkb().to_numpy()}))
    con.execute("CREATE TABLE reaches AS SELECT id, m, ST_GeomFromWKB(wkb) AS shape FROM reach_rows")
    con.execute("CREATE TABLE zones AS SELECT id, ST_GeomFromWKB(wkb) AS shape FROM zone_rows")
    names = ", ".join(f"'{path}'" for path in files(root))
    con.execute(
        f"CREATE TABLE fixes AS SELECT row_number() OVER () AS n, unit_id, epoch_ms(time) AS t, "
        f"geometry.x AS lon, geometry.y AS lat FROM read_parquet([{names}]) LIMIT {rows}"
    )
    pairs = con.execute(
        "SELECT count(*) FROM fixes f JOIN zones z ON ST_Intersects(z.shape, ST_Point(f.lon, f.lat))"
    ).fetchone()
    e = 0.08181919084262149
    con.execute(
        "CREATE TABLE near AS SELECT n, arg_min(id, away) AS reach FROM (SELECT f.n, r.id, r.m, "
        "ST_Distance(r.shape, f.shape) AS away FROM (SELECT n, ST_Point(6378137 * radians(lon), 6378137 * "
        f"(asinh(tan(radians(lat))) - {e} * atanh({e} * sin(radians(lat))))) AS shape FROM fixes) f "
        f"JOIN reaches r ON ST_DWithin(r.shape, f.shape, {widest(reaches)})) WHERE away <= m GROUP BY n"
    )
    answer = con.execute(
        "SELECT count(*), sum(minutes) FROM (SELECT reach, (t + 28800000) // 86400000 AS day, "
        "sum(CASE WHEN step <= 600000 THEN step / 60000 END) AS minutes FROM (SELECT reach, t, "
        "t - lag(t) OVER (PARTITION BY unit_id ORDER BY t) AS step FROM fixes JOIN near USING (n)) GROUP BY 1, 2)"
    ).fetchone()
    located = con.execute("SELECT count(*) FROM near").fetchone()
    assert pairs and answer and located
    return {"zone_pairs": pairs[0], "located": located[0], "minutes": answer[1]}


def sedona(root: Path, rows: int) -> dict[str, Any]:
    """SedonaDB: `ST_Intersects` and `ST_DWithin` joins; the nearest of the candidates and effort by Arrow."""
    import sedonadb

    reaches, zones = small_side(root)
    table = positions(root, rows)
    con = sedonadb.connect()
    from geo_monitor.river.geodesy import to_mercator

    lon, lat = table["lon"].to_numpy(), table["lat"].to_numpy()
    x, y = to_mercator(lon, lat)
    fixes = pa.table({"n": np.arange(len(table)), "lon": lon, "lat": lat, "x": x, "y": y})
    con.create_data_frame(fixes).to_view("fixes")
    con.create_data_frame(zones[["zone_id", "geometry"]].set_crs(None, allow_override=True)).to_view("zones")
    lines = reaches[["reach_m", "geometry"]].assign(id=np.arange(len(reaches)))
    con.create_data_frame(lines.set_crs(None, allow_override=True)).to_view("reaches")
    pairs = (
        con.sql("SELECT count(*) AS c FROM fixes f JOIN zones z ON ST_Intersects(z.geometry, ST_Point(f.lon, f.lat))")
        .to_arrow_table()["c"][0]
        .as_py()
    )
    near = con.sql(
        "SELECT n, min(away) AS away FROM (SELECT f.n, r.reach_m AS m, ST_Distance(r.geometry, ST_Point(f.x, f.y)) AS away "
        f"FROM fixes f JOIN reaches r ON ST_DWithin(r.geometry, ST_Point(f.x, f.y), {widest(reaches)})) "
        "WHERE away <= m GROUP BY n"
    ).to_pandas()
    frame = table.to_pandas().sort_values(["unit_id", "time"])
    step = frame.groupby("unit_id", observed=True)["time"].diff() / 1000
    return {"zone_pairs": int(pairs), "located": len(near), "minutes": float(step.where(step <= GAP_S).sum() / 60)}


def movingpandas(root: Path, rows: int) -> dict[str, Any]:
    """MovingPandas: trajectories of each unit clipped to every zone near them; zone by zone, as its users do."""
    import geopandas as gpd
    import movingpandas as mpd
    import pandas as pd
    import shapely

    _, zones = small_side(root)
    frame = positions(root, rows).to_pandas()
    frame["t"] = pd.to_datetime(frame["time"], unit="ms")
    points = gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(frame["lon"], frame["lat"]), crs="EPSG:4326")
    tracks = mpd.TrajectoryCollection(points.set_index("t"), traj_id_col="unit_id")
    window = shapely.box(*points.total_bounds)
    visits = sum(len(tracks.clip(shape)) for shape in zones.geometry if shape.intersects(window))
    return {"stays": visits}


def postgis(root: Path, rows: int) -> dict[str, Any]:
    """PostGIS: positions copied in and indexed outside of the clock; `ST_Intersects` and nearest neighbours by index."""
    import psycopg

    from tests.postgres import started

    reaches, zones = small_side(root)
    table = positions(root, rows)
    from geo_monitor.river.geodesy import to_mercator

    lon, lat = table["lon"].to_numpy(), table["lat"].to_numpy()
    x, y = to_mercator(lon, lat)
    with (
        started() as server,
        psycopg.connect(host="127.0.0.1", port=server.port, user="postgres", dbname="gm") as con,
    ):
        con.execute("CREATE EXTENSION IF NOT EXISTS postgis")
        con.execute("CREATE TABLE fixes (n int, unit_id text, t bigint, place geometry(Point), flat geometry(Point))")
        con.execute("CREATE TABLE zones (id text, shape geometry)")
        con.execute("CREATE TABLE reaches (id int, m float8, shape geometry)")
        with con.cursor() as cursor:
            with cursor.copy("COPY fixes FROM STDIN") as copy:
                units, times = table["unit_id"].to_pylist(), table["time"].to_pylist()
                for n, (unit, t) in enumerate(zip(units, times, strict=True)):
                    copy.write_row((n, unit, t, f"POINT({lon[n]} {lat[n]})", f"POINT({x[n]} {y[n]})"))
            cursor.executemany("INSERT INTO zones VALUES (%s, ST_GeomFromWKB(%s))",
                               list(zip(zones["zone_id"], zones.geometry.to_wkb(), strict=True)))  # fmt: skip
            cursor.executemany("INSERT INTO reaches VALUES (%s, %s, ST_GeomFromWKB(%s))",
                               [(i, m, w) for i, (m, w) in enumerate(zip(reaches["reach_m"].tolist(), reaches.geometry.to_wkb(),
                                                                         strict=True))])  # fmt: skip
        for name, column in (("zones", "shape"), ("reaches", "shape")):
            con.execute(f"CREATE INDEX ON {name} USING gist ({column})")
        con.execute("ANALYZE")
        began = time.perf_counter()
        pairs = con.execute("SELECT count(*) FROM fixes f JOIN zones z ON ST_Intersects(z.shape, f.place)").fetchone()
        con.execute(
            "CREATE TABLE near AS SELECT f.n, r.id FROM fixes f CROSS JOIN LATERAL (SELECT id, m, shape <-> f.flat AS away "
            "FROM reaches ORDER BY shape <-> f.flat LIMIT 1) r WHERE r.away <= r.m"
        )
        located = con.execute("SELECT count(*) FROM near").fetchone()
        answer = con.execute(
            "SELECT sum(minutes) FROM (SELECT id, (t + 28800000) / 86400000 AS day, sum(CASE WHEN step <= 600000 THEN "
            "step / 60000.0 END) AS minutes FROM (SELECT id, t, t - lag(t) OVER (PARTITION BY unit_id ORDER BY t) AS step "
            "FROM fixes JOIN near USING (n)) s GROUP BY 1, 2) d"
        ).fetchone()
        assert pairs and located and answer
        return {"seconds": round(time.perf_counter() - began, 3), "zone_pairs": pairs[0], "located": located[0],
                "minutes": float(answer[0])}  # fmt: skip


def ours(root: Path, rows: int) -> dict[str, Any]:
    """Locating, zone visits, who was near and effort as `analyse` does them, with every rule, nothing kept before; indexes
    are built and the tables written within the clock, code is loaded and the river read and built outside of it, as for the
    others."""
    from tempfile import TemporaryDirectory
    from threading import Thread

    from benchmarks.engine import worlds
    from geo_monitor import effort, engine, geoparquet, inputs, joins, tables
    from geo_monitor.engine import warm
    from geo_monitor.engine.work import Job, areas
    from geo_monitor.settings import Settings
    from geo_monitor.stages import Stages
    from geo_monitor.store import Store

    settings, stage = Settings(), Stages()
    loading = Thread(target=warm.load)
    loading.start()
    given = inputs.read(Store(root), inputs.Period(), settings)
    network = worlds.network()
    loading.join()
    with TemporaryDirectory() as folder:
        began = time.perf_counter()
        with stage("locate"), ThreadPoolExecutor(1) as beside:
            ahead = engine.ahead("local", given, settings, Path(folder))
            zones = beside.submit(areas, given, settings)
            places = joins.places(given.seizures, network)
            job = Job.of(given, network, zones.result(), places, settings)
            found = engine.run("local", job, given.plan, Path(folder), stage, ahead)
        with stage("joins"):
            visits = joins.visits_table(found.visits, job.areas)
            near = found.near(len(given.seizures))
            links = joins.seizure_links(given.seizures, near, given.zones, network, settings, place=places)
        with stage("effort"):
            looked = effort.sum_up(found.looked, network, settings, given.reported)
        with stage("write"):
            made = {"zone_visits": visits, "seizure_links": links, "effort": looked.table, "effort_gaps": looked.gaps,
                    "patrols": looked.patrols}  # fmt: skip
            for name, frame in made.items():
                geoparquet.write(tables.table(name).to_arrow(frame), Path(folder) / f"{name}.parquet")
        seconds = time.perf_counter() - began
    return {"seconds": round(seconds, 3), "rows": found.positions, "located": found.positions - found.unlocated,
            "minutes": 60 * float(looked.hours.sum()) + looked.unlocated_minutes, "stages": stage.timings}  # fmt: skip


def command(root: Path) -> dict[str, Any]:
    """What `geo-monitor analyse --json` prints, as people type it, and `seconds` from its start to its end."""
    began = time.perf_counter()
    line = [sys.executable, "-m", "geo_monitor", "--workspace", str(root), "analyse", "--json"]
    done = subprocess.run(line, stdout=subprocess.PIPE, check=True)
    seconds = time.perf_counter() - began
    told: dict[str, Any] = json.loads(done.stdout)
    return {**told, "seconds": round(seconds, 3)}


def forget(root: Path) -> None:
    """Lets go of what analyses before have kept, but for the river, which an import leaves."""
    from geo_monitor.engine.work import KINDS_OF_WORK

    for name in (*KINDS_OF_WORK, "earlier"):
        shutil.rmtree(root / "derived" / name, ignore_errors=True)


def analyse(root: Path, rows: int) -> dict[str, Any]:
    """The whole command on all positions of a workspace, of which nothing is kept: start-up, hotspots and writing included."""
    forget(root)
    told = command(root)
    counts, peak = told["counts"], resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    made = root / "runs" / told["run_id"]
    minutes = np.asarray(pq.read_table(made / "effort.parquet", columns=["minutes"])["minutes"]).sum()
    shutil.rmtree(made)
    return {"seconds": told["seconds"], "peak_mb": round(peak), "rows": counts["positions"],
            "located": counts["positions"] - counts["positions_unlocated"],
            "minutes": float(minutes) + told["unlocated_minutes"], "stages": told["timings"]}  # fmt: skip


ENGINES: dict[str, Callable[[Path, int], dict[str, Any]]] = {
    "scan": scan, "ours": ours, "analyse": analyse, "geopandas": geopandas, "duckdb": duckdb, "sedona": sedona,
    "postgis": postgis, "movingpandas": movingpandas,
}  # fmt: skip


def main() -> None:
    name, root, *more = sys.argv[1:]
    rows = int(float(more[0])) if more else 1 << 62
    if name not in ("scan", "ours", "analyse"):
        small_side(Path(root))
    began = time.perf_counter()
    answer = ENGINES[name](Path(root), rows)
    seconds = round(time.perf_counter() - began, 3)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak_mb": round(peak), **answer}))


if __name__ == "__main__":
    main()
