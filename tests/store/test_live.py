"""What a live page asks of the store again and again: did anything change, what is new."""

from datetime import UTC, datetime

import pytest

from geo_monitor.store.rights import Viewer
from geo_monitor.workspace import Workspace


def tracks(tmp_path, name, agency, held, unit="艇1", time="2026-05-01T10:00:00+08:00"):
    file = tmp_path / f"{name}.csv"
    file.write_text(f"unit_id,time,lon,lat\n{unit},{time},112.0,30.0\n", encoding="utf-8")
    return held.import_file("tracks", file, agency=agency, role="patrol").receipt_id


@pytest.fixture
def held(tmp_path):
    return Workspace.create(tmp_path / "w")


def test_the_mark_changes_with_an_upload_and_a_withdrawal_and_not_by_itself(held, tmp_path):
    first, still = held.store.mark(), held.store.mark(tracks=False)
    assert held.store.mark() == first
    receipt = tracks(tmp_path, "a", "荆州渔政", held)
    second = held.store.mark()
    assert second != first
    assert held.store.mark(tracks=False) == still
    held.withdraw(receipt, "重复")
    assert held.store.mark() not in (first, second)


def test_fixes_of_named_uploads_only(held, tmp_path):
    a = tracks(tmp_path, "a", "荆州渔政", held)
    b = tracks(tmp_path, "b", "荆州渔政", held, "艇2")
    assert held.store.tracks() == {a, b}
    assert held.store.positions(receipts={b})["unit_id"].to_pylist() == ["艇2"]
    assert held.store.positions(receipts=set()).num_rows == 0
    held.withdraw(a, "重复")
    assert held.store.tracks() == {b}
    assert held.store.positions(receipts={a}).num_rows == 0


def test_a_county_is_told_of_its_own_uploads_only(held, tmp_path):
    now = datetime.now(UTC)
    for name, code in (("荆州渔政", "421000"), ("宜昌渔政", "420500")):
        held.accounts.add_agency(name, code, now, "local")
    here = tracks(tmp_path, "a", "荆州渔政", held)
    tracks(tmp_path, "b", "宜昌渔政", held, "艇2", "2026-05-02T10:00:00+08:00")
    seen = Workspace(held.root, Viewer("荆州员", "荆州渔政", ("commander",), ("421000",))).store
    assert seen.tracks() == {here}
    assert seen.newest() == int(datetime(2026, 5, 1, 2, tzinfo=UTC).timestamp() * 1000)
    assert held.store.newest() == int(datetime(2026, 5, 2, 2, tzinfo=UTC).timestamp() * 1000)
