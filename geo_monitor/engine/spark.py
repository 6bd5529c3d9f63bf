"""The main job over positions on a Spark cluster: the same blocks and the same functions as on this machine.

Spark reads the positions, sends each unit to one lane, and sorts a lane by days, unit and time; a lane is then worked on
as a stream, in a Python process that sees Arrow batches (`mapInArrow`) and holds the days at hand and those on both sides,
however large the whole. River, zones and settings go to each process once. No spatial library runs in Java. A lane gives
the same arrays each time, so one that is run again elsewhere, because its machine was lost, changes nothing.

Where: the session that is active; else `GEO_MONITOR_SPARK` (such as spark://host:7077 or yarn); else this machine.
"""

from __future__ import annotations

import errno
import os
import pickle
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from geo_monitor.engine import work
from geo_monitor.engine.blocks import BLOCK_DAYS, SCHEMA, WORDS, Block, Plan, Span
from geo_monitor.engine.kept import of_bytes, to_bytes
from geo_monitor.engine.work import Found, Job, Laid
from geo_monitor.errors import Usage
from geo_monitor.store import positions
from geo_monitor.store.positions import Part
from geo_monitor.tracks import DAY_MS, SHANGHAI_MS

if TYPE_CHECKING:
    from geo_monitor.engine.kept import Arrays
    from geo_monitor.stages import Stages

MASTER = "GEO_MONITOR_SPARK"
LANE_ROWS = 5_000_000  # a lane has about as many: some minutes of work, which is what is lost with a machine
GOING_ON = ("moored.", "underway.")
GIVEN = pa.schema([("what", pa.string()), ("arrays", pa.binary())])


def session() -> Any:
    """The Spark session to work in. Raises `Usage("engine_missing")` without pyspark or Java."""
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise Usage("engine_missing", missing="pyspark") from None
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        raise Usage("engine_missing", missing="Java")
    active = SparkSession.getActiveSession()
    if active is not None:
        return active
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # the environment's own, not the system's
    master = os.environ.get(MASTER, "local[*]")
    building = SparkSession.builder.appName("geo_monitor").master(master)
    if master.startswith("local"):  # nothing listens to the outside
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        building = building.config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
    return building.config("spark.ui.enabled", "false").getOrCreate()


def run(job: Job, plan: Plan, stage: Stages) -> Found:
    """Goes over all positions of `plan`. Gives what `local.run` gives; nothing is kept."""
    parts = sorted({part for block in plan.blocks for part in block.parts})
    return positions.following(parts, partial(_run, job, plan, stage)) if parts else Found()


def _run(job: Job, plan: Plan, stage: Stages, parts: Sequence[Part]) -> Found:
    """Raises `FileNotFoundError` where the parts were laid elsewhere meanwhile."""
    try:
        return _found(job, plan, stage, parts)
    except Exception:
        gone = [part.path for part in parts if not part.path.exists()]
        if gone:  # what Spark says of it is a fault of Java
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(gone[0])) from None
        raise


def _found(job: Job, plan: Plan, stage: Stages, parts: Sequence[Part]) -> Found:
    found = Found()
    spark = session()
    from pyspark.sql import functions as sql

    frame = _frame(spark, parts)
    ms = sql.unix_millis("time")
    inside = (ms >= max(plan.span.start, -(1 << 62))) & (ms < min(plan.span.end, 1 << 62))
    frame = frame.where(inside).withColumn("block", sql.floor((ms + SHANGHAI_MS) / (DAY_MS * BLOCK_DAYS)))
    lanes = max(1, -(-plan.rows // LANE_ROWS), spark.sparkContext.defaultParallelism)
    frame = frame.repartition(lanes, "unit_id").sortWithinPartitions("block", "unit_id", "time")
    bare = replace(job.network)  # a river without what can be worked out from it
    sent = spark.sparkContext.broadcast(pickle.dumps(replace(job, network=bare)))
    rows = frame.mapInArrow(_lane(sent, plan.span), "what string, arrays binary").toLocalIterator()
    for row in rows:
        content = row["arrays"]
        if row["what"] == "effort":
            found.effort.append(content)
        elif row["what"] == "visits":
            found.visited.append(content)
        else:
            arrays = of_bytes(content)
            found.add_near(arrays.pop("rows"), arrays)
    sent.unpersist()
    stage.done(1.0)
    return found


def _frame(spark: Any, parts: Sequence[Part]) -> Any:
    """The rows of the parts: words, time, x, y."""
    from pyspark.sql import functions as sql

    frames = []
    for mixed in (False, True):
        some = [part for part in parts if part.mixed is mixed]
        if some:
            frame = spark.read.parquet(*(str(part.path.absolute()) for part in some))
            if mixed:
                own = {name for part in some for name in part.receipts}
                frame = frame.where(sql.col("receipt_id").isin(sorted(own)))
            frames.append(frame.select(*WORDS, "time", "geometry.x", "geometry.y"))
    return frames[0].union(frames[1]) if len(frames) > 1 else frames[0]


def _lane(sent: Any, span: Span) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """What a lane does with its batches."""

    def do(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        job: Job = pickle.loads(sent.value)  # noqa: S301  our own, from the driver
        for what, arrays in lane(job, batches, span):
            yield pa.RecordBatch.from_arrays(
                [pa.array([what]), pa.array([to_bytes(arrays)], pa.binary())], schema=GIVEN
            )

    return do


def lane(job: Job, batches: Iterable[pa.RecordBatch], span: Span) -> Iterator[tuple[str, Arrays]]:
    """What a stream of positions gives: columns of `blocks.SCHEMA` (lon, lat as x, y) and `block`, days / BLOCK_DAYS; by
    block, and whole units. Gives ("effort" | "visits" | "near", arrays) as `work` packs them, with the `rows` of who was near."""
    from geo_monitor.effort import Moored
    from geo_monitor.joins.visits import Underway

    moored, underway = Moored.nowhere(), Underway.nobody()
    for number, table, alone in _with_halo(_beside(_by_block(batches)), job.halo_ms):
        block = Block(number * BLOCK_DAYS, (number + 1) * BLOCK_DAYS, (), (), ())
        rows = work.reports(job, block.span)
        near = ["near"] if len(rows) else []
        wanted = near if alone else ["effort", "visits", *near]
        if not wanted:
            continue
        laid = Laid.of(table, block, job.platforms)
        chunk = work.located(laid.chunk, job)[0] if "effort" in wanted else laid.chunk
        part = work.part(laid, chunk, job, wanted, moored, underway)
        given = work.together([part], laid, job, moored, underway)
        if not alone:
            moored, underway = work.stays(given["effort"]), work.visits_underway(given["visits"])
            for what in ("effort", "visits"):  # nobody outside of the lane needs what goes on in it
                yield what, {name: array for name, array in given[what].items() if not name.startswith(GOING_ON)}
        if "near" in given:
            yield "near", {"rows": rows, **given["near"]}
    yield (
        "visits",
        work.packed_visits([(underway.finished(job.areas, job.settings), Underway.nobody())], Underway.nobody()),
    )


def _by_block(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[int, pa.Table]]:
    """The rows of each block."""
    parts: list[pa.Table] = []
    current: int | None = None
    for batch in batches:
        table = pa.Table.from_batches([batch])
        block = np.asarray(table["block"], dtype=np.int64)
        edges = [0, *(np.flatnonzero(np.diff(block)) + 1).tolist(), len(block)]
        for low, high in pairwise(edges):
            if high == low:
                continue
            if current is not None and block[low] != current:
                yield current, pa.concat_tables(parts)
                parts = []
            current = int(block[low])
            parts.append(_columns(table.slice(low, high - low)))
    if current is not None:
        yield current, pa.concat_tables(parts)


def _columns(table: pa.Table) -> pa.Table:
    """Rows of Spark as `blocks.SCHEMA` has them."""
    columns = {"lon": table["x"], "lat": table["y"], "time": table["time"].cast(SCHEMA.field("time").type)}
    return pa.table(
        [
            columns[name] if name in columns else table[name].cast(pa.string()).dictionary_encode()
            for name in SCHEMA.names
        ],
        names=SCHEMA.names,
    ).cast(SCHEMA)


def _beside(blocks: Iterable[tuple[int, pa.Table]]) -> Iterator[tuple[int, pa.Table]]:
    """Blocks, and without rows those beside them in which nobody sent anything: there may be a report there."""
    last: int | None = None
    for number, table in blocks:
        between = {number - 1} if last is None else {last + 1, number - 1} - {last, number}
        for other in sorted(between):
            yield other, SCHEMA.empty_table()
        yield number, table
        last = number
    if last is not None:
        yield last + 1, SCHEMA.empty_table()


def _with_halo(blocks: Iterable[tuple[int, pa.Table]], halo_ms: int) -> Iterator[tuple[int, pa.Table, bool]]:
    """Each block with the end of the one before and the beginning of the one after it, and whether that is all there is."""
    before: list[pa.Table] = []
    held: tuple[int, pa.Table] | None = None

    def cut(table: pa.Table, start: int, end: int) -> list[pa.Table]:
        time = np.asarray(table["time"].cast(pa.int64()), dtype=np.int64)
        return [table.take(pa.array(np.flatnonzero((time >= start) & (time < end))))]

    for number, table in blocks:
        if held is not None:
            end = Block(0, (held[0] + 1) * BLOCK_DAYS, (), (), ()).span.end
            yield held[0], pa.concat_tables([*before, held[1], *cut(table, end, end + halo_ms)]), not len(held[1])
            start = Block(number * BLOCK_DAYS, 0, (), (), ()).span.start
            before = cut(held[1], start - halo_ms, start)
        held = number, table
    if held is not None:
        yield held[0], pa.concat_tables([*before, held[1]]), not len(held[1])
