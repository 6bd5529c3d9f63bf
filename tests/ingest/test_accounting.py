"""Whatever is in a file, every row of it is accounted for."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo_monitor import tables
from tests.ingest.made import counts, give

LON = st.sampled_from(
    ["112.0", "112.001", "112°30′", "", "181", "-112.0", "abc", "0", "1e400", "NaN", "'112.2", "东经112.3"]
)
LAT = st.sampled_from(["30.0", "30.001", "30°15′", "", "91", "-30", "x", "0", "inf", "30,5"])
TIME = st.sampled_from(["2025-06-01 08:00", "2025/6/1 8:01", "", "never", "2099-01-01", "1970-01-01", "45809.5", "31/5/2025 24:00",
                        "1748736000"])  # fmt: skip
NAME = st.sampled_from(["A", "B", "", "412000001", "=cmd()", "船\x00", 'a"b', "a\nb"])
ODD = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\r"), max_size=8)
KINDS = {
    "tracks": (["船名", "时间", "经度", "纬度", "航速"], st.tuples(NAME, TIME, LON, LAT, ODD)),
    "seizures": (["案号", "时间", "经度", "纬度", "渔获重量(斤)", "地点"], st.tuples(NAME, TIME, LON, LAT, ODD, ODD)),
    "patrols": (
        ["编号", "开始时间", "结束时间", "河流", "起点里程", "终点里程"],
        st.tuples(NAME, TIME, TIME, NAME, ODD, ODD),
    ),
    "units": (["编号", "名称", "类型"], st.tuples(NAME, NAME, ODD)),
}
FILE = st.sampled_from(sorted(KINDS)).flatmap(
    lambda kind: st.tuples(st.just(kind), st.lists(KINDS[kind][1], min_size=1, max_size=12))
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FILE)
def test_every_row_is_accounted_for(file: tuple[str, list[tuple[str, ...]]]) -> None:
    kind, rows = file
    out = io.StringIO(newline="")
    csv.writer(out).writerows([KINDS[kind][0], *rows])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f.csv"
        path.write_bytes(out.getvalue().encode("utf-8-sig"))
        upload = give(kind, path)
    read, accepted, quarantined, _, corrected = counts(upload)  # the sum is checked there
    if upload.receipt.status == "rejected" and not read:
        assert upload.receipt.errors
        return
    assert read == sum(any(cell.strip() for cell in row) for row in rows)  # a line of commas is no row
    assert (0 if upload.quarantine is None else len(upload.quarantine)) == quarantined
    assert (0 if upload.rows is None else len(upload.rows)) == accepted + corrected
    if upload.rows is not None:
        table = {"tracks": "positions"}.get(kind, kind)
        tables.table(table).check(tables.table(table).conform(upload.rows))
    if upload.quarantine is not None:
        named = sorted({row for message in upload.receipt.errors for row in message.rows})
        assert named == sorted(upload.quarantine["row"])
        assert upload.quarantine["row"].is_unique
