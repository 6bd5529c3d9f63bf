"""Every trouble of `variants`, through the door: what comes out is what the maker of the file knows to be true."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geo_monitor.ingest import Upload
from tests.ingest.made import counts, give
from tests.ingest.variants import Case, cases

SEEDS = (1, 2)
ID = {"seizures": "report_id", "zones": "zone_id", "tracks": "unit_id"}


def wrong(case: Case, upload: Upload) -> list[str]:
    """What did not come out as it should."""
    receipt, found = upload.receipt, []
    told = {message.code for form in (receipt.notes, receipt.warnings, receipt.errors) for message in form}
    _, accepted, refused, _, _ = counts(upload)
    if receipt.status not in case.status:
        found.append(f"status {receipt.status}, wanted {case.status}; {sorted(told)}")
    if case.accepted is not None and accepted != case.accepted:
        found.append(f"accepted {accepted}, wanted {case.accepted}; {sorted(told)}")
    if case.refused is not None and refused != case.refused:
        found.append(f"refused {refused}, wanted {case.refused}; {sorted(told)}")
    if case.codes and not told & set(case.codes):
        found.append(f"none of {case.codes} among {sorted(told)}")
    if upload.rows is None:
        return found
    cells = {str(cell) for name in upload.rows.columns if name != "geometry" for cell in upload.rows[name]}
    found += [f"text {text!r} is not there" for text in case.texts if text not in cells]
    rows = upload.rows.set_index(ID[case.kind])
    for key, (lon, lat) in case.points.items():
        if key in rows.index:
            off = np.hypot((rows.lon[key] - lon) * np.cos(np.radians(lat)), rows.lat[key] - lat) * 111_195
            found += [f"{key} is {off:,.1f} m off"] if not off <= case.metres else []
    for key, time in case.times.items():
        if key in rows.index and abs((rows.time[key] - time).total_seconds()) > 1:
            found.append(f"{key} at {rows.time[key]}, wanted {time}")
    if case.box is not None:
        off = np.abs(np.array(upload.rows.total_bounds) - np.array(case.box)).max() * 111_195
        found += [f"box {off:,.1f} m off"] if not off <= case.metres + 2 else []
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_variants(tmp_path: Path, seed: int) -> None:
    failures = {}
    for case in cases(tmp_path, seed):
        problems = wrong(case, give(case.kind, case.path, **case.options))
        if problems:
            failures[case.label] = problems
    assert not failures, "\n".join(f"{label}: {'; '.join(problems[:4])}" for label, problems in failures.items())
