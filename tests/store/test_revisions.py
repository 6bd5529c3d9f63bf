"""Events, warnings, rules, taskings: a change is a new revision, and two people never overwrite each other."""

from __future__ import annotations

from typing import Any

import pytest

from geo_monitor.errors import Refused
from geo_monitor.settings import Settings
from geo_monitor.store import Store, audit, revisions
from geo_monitor.store.rights import Viewer
from geo_monitor.store.seen import Seen


def warning(name: str, **more: Any) -> dict[str, Any]:
    row = {
        "warning_id": name,
        "class": "zone",
        "grade": "red",
        "reach_id": "江K1",
        "adcode": "420000",
        "level": "county",
    }
    return {**row, "opened_at": 1000, "state": "open", "event_ids": ("e1",), **more}


def test_a_change_is_a_new_revision_and_no_change_is_none(store: Store) -> None:
    assert [row["revision"] for row in revisions.revise(store, "warnings", [warning("w")], 1000, "watch")] == [1]
    assert revisions.revise(store, "warnings", [warning("w")], 2000, "watch") == []
    part = {"warning_id": "w", "revision": 1, "state": "signed", "signed_by": "王", "signed_at": 3000}
    revisions.revise(store, "warnings", [part], 3000, "王", "sign")
    frame = revisions.frame(store, "warnings")
    assert frame[["revision", "state", "signed_by", "adcode"]].values.tolist() == [[2, "signed", "王", "420000"]]
    assert list(frame["event_ids"].iloc[0]) == ["e1"]
    every = revisions.frame(store, "warnings", every=True)
    assert every[["revision", "state", "revised_by"]].values.tolist() == [[1, "open", "watch"], [2, "signed", "王"]]
    assert store.book("audit")["action"].tolist() == ["sign"]
    assert audit.verify(store).ok


def test_who_judged_on_an_older_revision_is_refused_and_nothing_is_written(store: Store) -> None:
    revisions.revise(store, "warnings", [warning("w"), warning("v")], 1000, "watch")
    revisions.revise(store, "warnings", [{"warning_id": "w", "revision": 1, "state": "signed"}], 2000, "王")
    late = [
        {"warning_id": "v", "revision": 1, "state": "recalled"},
        {"warning_id": "w", "revision": 1, "state": "recalled"},
    ]
    with pytest.raises(Refused, match="somebody else"):
        revisions.revise(store, "warnings", late, 3000, "李")
    assert [row["state"] for row in revisions.rows(store, "warnings")] == ["open", "signed"]


def test_two_changes_of_one_row_in_one_call_are_two_revisions(store: Store) -> None:
    both = [warning("w"), warning("w", state="recalled", reason="重复")]
    revisions.revise(store, "warnings", both, 1000, "watch")
    assert revisions.frame(store, "warnings", every=True)["revision"].tolist() == [1, 2]
    assert revisions.rows(store, "warnings")[0]["state"] == "recalled"


def test_many_ids_at_once(store: Store) -> None:
    rows = [warning(f"w{i}") for i in range(1201)]
    assert len(revisions.revise(store, "warnings", rows, 1000, "watch")) == 1201
    changed = [{"warning_id": f"w{i}", "grade": "blue"} for i in range(1201)]
    assert len(revisions.revise(store, "warnings", changed, 2000, "watch")) == 1201
    assert len(revisions.of_ids(store, "warnings", [f"w{i}" for i in range(1201)])) == 1201
    assert len(revisions.frame(store, "warnings")) == 1201


def test_a_viewer_reads_the_warnings_of_the_own_localities(store: Store) -> None:
    told = [warning("hubei"), warning("hunan", adcode="430000"), warning("nobody", adcode=None)]
    revisions.revise(store, "warnings", told, 1000, "watch")
    tasks = [
        {"tasking_id": name, "warning_id": name, "unit_id": "u", "state": "offered", "made_at": 1}
        for name in ("hubei", "hunan")
    ]
    revisions.revise(store, "taskings", tasks, 1000, "watch")
    seen = Seen(store, Viewer("w", None, ("commander",), ("420000",)), Settings())
    for name in ("events", "taskings", "rules"):  # none so far, and all columns
        assert list(seen.revised(name).columns) == list(revisions.frame(store, name).columns)
    assert seen.revised("warnings")["warning_id"].tolist() == ["hubei", "nobody"]
    assert seen.revised("taskings")["tasking_id"].tolist() == ["hubei"]
