"""A file read in tiny parts comes out as one read at once: the same receipt, rows, refused rows and stored bytes."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geo_monitor import ingest
from geo_monitor.errors import Refused
from geo_monitor.ingest import handover, limited, raw, text
from geo_monitor.ingest.kinds import tracks
from geo_monitor.ingest.readers import delimited
from geo_monitor.ingest.receipt import Receipt
from geo_monitor.ingest.spool import FIXES, Fixes, Spool
from geo_monitor.settings import Settings
from geo_monitor.store import Store, positions
from tests.ingest.made import NOW, codes, counts, give, write
from tests.ingest.variants import cases

HEAD = "船名,时间,经度,纬度,航速,航向,巡护编号,平台"
TROUBLES = (
    (1, "从未"), (1, ""), (1, "1970-01-01 00:00:00"), (1, "2030-01-01 00:00:00"), (2, ""), (2, "东边"), (2, "117.5"), (0, ""),
    (4, "很快"), (5, "400"), (7, "气球"), (7, "无人机"),
)  # fmt: skip


@contextmanager
def tiny(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pieces of seven bytes, parts of five rows, shares of eleven fixes."""
    with monkeypatch.context() as patch:
        patch.setattr(text, "PIECE", 7)
        patch.setattr(delimited, "BLOCK", 1)
        patch.setattr(raw, "PART_ROWS", 5)
        patch.setattr(tracks, "SHARE_ROWS", 11)
        yield


def alike(one: ingest.Upload, other: ingest.Upload) -> None:
    assert one.receipt.to_json() == other.receipt.to_json()
    for mine, theirs in ((one.rows, other.rows), (one.quarantine, other.quarantine)):
        assert (mine is None) == (theirs is None)
        if mine is not None and theirs is not None:
            pd.testing.assert_frame_equal(mine, theirs)


def dirty(seed: int, n: int = 240) -> str:
    """A CSV of five boats with every trouble in it, anywhere."""
    rng = random.Random(seed)
    rows = []
    for i in range(n):
        boat, step = i % 5, i // 5
        minute = step * 3 + 23 * 60  # from 23:00 on, over midnight
        time = f"2026-05-{1 + minute // 1440:02d} {minute % 1440 // 60:02d}:{minute % 60:02d}:00"
        cells = [f"渔政{boat}", time, f"{112 + boat + step * 2e-3:.4f}", "30.5", "3.6", "90", f"P{step // 20}", "船"]
        if rng.random() < 0.2:
            place, trouble = rng.choice(TROUBLES)
            cells[place] = trouble
        if rng.random() < 0.03:
            cells = cells[: rng.randrange(2, 8)] if rng.random() < 0.5 else [*cells, "多", "余"]
        rows.append(",".join([""] * 8 if rng.random() < 0.02 else cells))
        if rng.random() < 0.03:
            rows.append(rows[rng.randrange(len(rows))])
    rng.shuffle(rows)
    return "\n".join([HEAD, *rows]) + "\n"


def quoted(n: int, *places: int) -> str:
    """A CSV with a lone quote in some of its rows."""
    start = np.datetime64("2026-05-01T08:00")
    rows = [f"A,{start + i},112.0,30.0,{chr(34) if i in places else 'x'}" for i in range(n)]
    return "\n".join(["船名,时间,经度,纬度,备注", *rows]) + "\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("seed", [1, 2])
def test_tiny_parts_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, encoding: str) -> None:
    path = write(tmp_path / "a.csv", dirty(seed), encoding)
    whole = give("tracks", path)
    assert {"fix_jump", "time_missing", "coordinate_unreadable"} <= codes(whole, "errors")
    assert {"unit_from_file_some", "word_unknown", "heading_beyond", "number_unreadable"} <= codes(whole, "warnings")
    with tiny(monkeypatch):
        alike(give("tracks", path), whole)


def test_tiny_parts_of_every_variant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = 0
    for case in cases(tmp_path, 3):
        if case.kind == "tracks":
            whole = give(case.kind, case.path, **case.options)
            with tiny(monkeypatch):
                alike(give(case.kind, case.path, **case.options), whole)
            seen += 1
    assert seen > 5


@pytest.mark.parametrize(
    ("content", "told"),
    [
        # only the last row tells that days come first
        ("船名,时间,经度,纬度\n" + "".join(f"A,03/04/2026 08:{i:02d}:00,112.0,30.0\n" for i in range(20))
         + "A,25/04/2026 08:00:00,112.0,30.0\n", "dates_day_first"),
        # only the last row has nothing but a time of day
        ("船名,日期,时间,经度,纬度\n" + "".join(f"A,2026-05-01,2026-05-01 08:{i:02d}:00,112.0,30.0\n" for i in range(20))
         + "A,2026-05-01,09:00:00,112.0,30.0\n", "time_zone_assumed"),
        # most rows have the axes the other way round, the first do not
        ("船名,时间,经度,纬度\n" + "A,2026-05-01 07:59:00,112.0,30.0\n"
         + "".join(f"A,2026-05-01 08:{i:02d}:00,30.0,112.0\n" for i in range(40)), "axes_swapped"),
        # a grid whose zone stands in front of the easting
        ("船名,时间,x,y\n" + "".join(f"A,2026-05-01 08:{i:02d}:00,38{500_000 + i},{3_300_000 + i}\n" for i in range(20)),
         "crs_from_numbers"),
        # a quote that is never closed, in the middle
        (quoted(20, 9), "quotes_unclosed"),
        ("船名,时间,经度,纬度\n" + "".join(f"A,2026-05-01 08:{i:02d}:00,112.0,30.0\n" for i in range(20)) + "A\x00,2026-05-01 09:00:00,112,30\n",
         "control_characters"),
    ],
)  # fmt: skip
def test_what_only_all_rows_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, told: str) -> None:
    path = write(tmp_path / "a.csv", content)
    whole = give("tracks", path)
    assert told in codes(whole) | codes(whole, "warnings")
    with tiny(monkeypatch):
        alike(give("tracks", path), whole)


def test_quotes_that_show_only_in_a_later_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.csv", quoted(600, 309, 590))  # what stands between them is longer than any row may be
    monkeypatch.setattr(delimited, "BLOCK", 1)
    whole = give("tracks", path)
    assert counts(whole)[:2] == (600, 600)
    assert "quotes_unclosed" in codes(whole, "warnings")
    with tiny(monkeypatch):
        alike(give("tracks", path), whole)


def test_nothing_but_a_header_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.csv", HEAD + "\n")
    with tiny(monkeypatch):
        assert codes(give("tracks", path), "errors") == {"file_no_rows"}


@pytest.mark.parametrize("geo", [False, True])
def test_parquet_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, geo: bool) -> None:
    import geopandas as gpd

    n = 60
    times = pd.date_range("2026-05-01T15:00:00Z", periods=n, freq="5min")
    columns = {"unit_id": [f"船{i % 4}" for i in range(n)], "time": times, "speed": [None, *[2.5] * (n - 1)]}
    lon, lat = 112 + np.arange(n) * 1e-3, np.full(n, 30.0)
    lon[7], lat[9] = 0.0, np.nan
    path = tmp_path / "a.parquet"
    if geo:
        gpd.GeoDataFrame(columns, geometry=gpd.points_from_xy(lon, lat), crs=4326).to_parquet(path)
    else:
        lat[7] = 0.0
        pd.DataFrame({**columns, "lon": lon, "lat": lat}).to_parquet(path, row_group_size=13)
    whole = give("tracks", path)
    assert whole.receipt.rows["read"] == n
    assert whole.receipt.rows["quarantined"] > 0
    with tiny(monkeypatch):
        alike(give("tracks", path), whole)


def test_a_parquet_that_breaks_off_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.parquet"
    table = pa.table({"unit_id": [f"u{i}" for i in range(500)], "time": ["2026-05-01 08:00:00"] * 500, "lon": [112.0] * 500,
                      "lat": np.random.default_rng(1).random(500)})  # fmt: skip
    pq.write_table(table, path, row_group_size=50, compression="zstd")
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 200] = bytes(200)
    path.write_bytes(data)
    with tiny(monkeypatch):
        upload = give("tracks", path)
    assert (codes(upload, "errors"), upload.rows) == ({"parquet_broken"}, None)


# --- what is stored ---------------------------------------------------------------------------------------------------


def stored(root: Path, path: Path) -> dict[str, str]:
    """What an import leaves in a new workspace: hashes by name."""
    from geo_monitor.workspace import Workspace

    workspace = Workspace.create(root)
    receipt = workspace.import_file("tracks", path, now=NOW)
    book = Store(root).book("receipts")["receipt"].tolist()
    held = {
        p.relative_to(root).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in root.rglob("positions/*/*")
    }
    assert receipt.quarantine is not None
    return {**held, "quarantine": Path(receipt.quarantine).read_text(encoding="utf-8-sig"), "book": book[0]}


def test_stored_bytes_are_those_of_all_rows_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.csv", dirty(4))
    monkeypatch.setattr(positions, "ROW_GROUP", 16)
    monkeypatch.setattr(limited, "reading", here)
    whole = stored(tmp_path / "whole", path)
    assert len(whole) == 4  # two days
    with tiny(monkeypatch):
        assert stored(tmp_path / "parts", path) == whole
    upload = give("tracks", path)
    assert upload.rows is not None
    for made in positions.write(tmp_path / "old", upload.rows, upload.receipt.receipt_id):
        name = f"positions/{made.relative_to(tmp_path / 'old').as_posix()}"
        assert hashlib.sha256(made.read_bytes()).hexdigest() == whole[name]


@contextmanager
def here(
    kind: str, path: Path, options: Any, held: Any, settings: Settings, now: Any, folder: Path | None = None
) -> Iterator[ingest.Upload]:
    """As `limited.reading`, in this process, where parts can be made tiny; checked as what a parser hands over is."""
    from geo_monitor.ingest import door

    blank = Receipt.blank(kind, path.name, hashlib.sha256(path.read_bytes()).hexdigest(), options.agency, now)
    with limited.scratch(folder) as place:
        handover.write_upload(door.fill(blank, path, options, held, settings, now, place), place)
        yield handover.read_upload(blank, place)


# --- what a parser hands over is not believed -------------------------------------------------------------------------


def batch(**changed: Any) -> pa.RecordBatch:
    """Three fixes of 1 May 2026, in order."""
    noon = 1_777_608_000_000
    columns: dict[str, Any] = {
        "unit_id": ["a", "a", "b"], "patrol_id": [None] * 3, "time": [noon, noon + 1000, noon], "lon": [112.0] * 3,
        "lat": [30.0] * 3, "speed": [None] * 3, "heading": [None] * 3, "platform": ["boat"] * 3, "role": ["patrol"] * 3,
        "source": [None] * 3, "row": [1, 2, 3], **changed,
    }  # fmt: skip
    plain = {"time": pa.int64()}
    arrays = []
    for one in FIXES:
        cells = columns[one.name]
        word = pa.types.is_dictionary(one.type) and not isinstance(cells, pa.Array)
        made = (
            cells
            if isinstance(cells, pa.Array)
            else pa.array(cells, plain.get(one.name, pa.string() if word else one.type))
        )
        arrays.append(made.dictionary_encode() if word else made.cast(one.type))
    return pa.RecordBatch.from_arrays(arrays, schema=FIXES)


DAY = 20_574  # 2026-05-01


def handed(folder: Path, batches: list[pa.RecordBatch], day: int = DAY, accepted: int = 3) -> Fixes | None:
    for one in batches:
        Fixes(folder).of(day).add(one)
    blank = Receipt.blank("tracks", "a.csv", "0" * 64, None, NOW)
    rows = {**dict.fromkeys(handover.COUNTS, 0), "read": accepted, "accepted": accepted}
    handover.write_upload(ingest.Upload(replace(blank, status="accepted", rows=rows)), folder)
    return handover.read_upload(blank, folder).fixes


def test_fixes_in_order_are_taken(tmp_path: Path) -> None:
    fixes = handed(tmp_path, [batch(), batch(unit_id=["b", "b", "c"])], accepted=6)
    assert fixes is not None
    frame = fixes.frame("R1")
    assert frame is not None
    assert sorted(frame["unit_id"]) == ["a", "a", "b", "b", "b", "c"]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"unit_id": ["a", "b", "a"]}, "out of order"),
        ({"time": [1_777_608_001_000, 1_777_608_000_000, 1_777_608_000_000]}, "out of order"),
        ({"unit_id": ["b", "b", "a"]}, "units out of order"),
        ({"time": [1_777_608_000_000, 1_777_708_000_000, 1_777_608_000_000]}, "another day"),
        ({"unit_id": ["a", None, "b"]}, "missing"),
        ({"lon": [112.0, 200.0, 112.0]}, "lon: 200.0 is more than 180"),
        ({"lat": [30.0, float("nan"), 30.0]}, "not a number"),
        ({"role": ["patrol", "pirate", "patrol"]}, "role: other words"),
        ({"unit_id": pa.DictionaryArray.from_arrays(pa.array([0, 0, 1], pa.int32()), pa.array(["a", None]))}, "a word is missing"),
    ],
)  # fmt: skip
def test_fixes_against_the_rules_are_not_taken(tmp_path: Path, changed: dict[str, Any], why: str) -> None:
    with pytest.raises(handover.Garbled, match=why):
        handed(tmp_path, [batch(**changed)])


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda folder: handed(folder, [batch()], accepted=4), "3 rows where the receipt counts 4"),
        (lambda folder: handed(folder, [batch(), batch()], accepted=6), "out of order"),
        (lambda folder: handed(folder, [batch()], day=DAY + 1), "another day"),
        (lambda folder: handed(folder, [batch().drop_columns(["row"])]), "other columns"),
        (lambda folder: (Fixes(folder).of(DAY).path.write_bytes(b"x" * 64), handed(folder, [])), "fixes-20574.arrow"),
        (lambda folder: (Fixes(folder).of(DAY).path.symlink_to("/etc/passwd"), handed(folder, [])), "leads elsewhere"),
    ],
)  # fmt: skip
def test_files_that_are_not_what_was_agreed(tmp_path: Path, make: Callable[[Path], Any], why: str) -> None:
    with pytest.raises(handover.Garbled, match=why):
        make(tmp_path)


def test_lists_in_messages_are_plain_and_cut() -> None:
    (layers,) = handover.message(["several_layers", {"layers": ["x" * 3000, *["b"] * 60]}, []]).params.values()
    assert layers == ["x" * handover.PARAM_CHARACTERS + "…", *["b"] * (handover.LISTED - 1), "…"]
    for odd in ([["a"]], [{"a": 1}], {"a": 1}):
        with pytest.raises(handover.Garbled, match="no plain values"):
            handover.message(["several_layers", {"layers": odd}, []])


def test_a_spool_gives_back_what_was_put_in(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "a.arrow")
    assert list(spool) == []
    spool.add(pa.record_batch({"a": [1, 2]}))
    spool.add(pa.record_batch({"a": [3]}))
    assert [one["a"].to_pylist() for one in spool] == [[1, 2], [3]] == [one["a"].to_pylist() for one in spool]


def test_an_encoding_that_does_not_fit_names_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.csv", HEAD + "\n")
    path.write_bytes(path.read_bytes() + b"A\nB\n\xff\n")
    with tiny(monkeypatch), pytest.raises(Refused) as error:
        text.Decoded(text.file_pieces(path), "utf-8", 0.8, "a.csv")
    assert error.value.params["line"] == 4


def test_a_sentence_inside_a_message_is_held_to_the_same() -> None:
    inner = {"code": "xml_broken", "params": {"file": "a.kml", "detail": "x" * 3000}}
    told = handover.message(["member_skipped", {"member": "a.kml", "why": inner}, []]).params["why"]
    assert told["code"] == "xml_broken" and len(told["params"]["detail"]) < 3000
    nested = {"code": "member_skipped", "params": {"member": "a", "why": inner}}
    for odd in (
        {},
        {"code": "xml_broken"},
        {**inner, "more": 1},
        {**inner, "code": "no such"},
        {**inner, "params": []},
        nested,
    ):
        with pytest.raises(handover.Garbled):
            handover.message(["member_skipped", {"member": "a.kml", "why": odd}, []])
