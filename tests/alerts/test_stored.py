"""Rows as the store keeps them: what is raised, ticked and done is written, revision by revision, and read back the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from geo_monitor.alerts import actions, clocks, rules
from geo_monitor.alerts.rows import told
from geo_monitor.alerts.warnings import raise_
from geo_monitor.errors import Refused
from geo_monitor.store import Store, revisions
from geo_monitor.tables import TABLES
from tests.alerts.made import DAY, HOUR, MINUTE, T0, context, event


def test_a_night_in_the_store(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "w")
    revisions.revise(store, "rules", rules.shipped(), T0, "geo-monitor")
    every = rules.in_force(_all(store), T0)
    assert len(every) == len(rules.shipped())
    rows = raise_([event("a", "meeting", reach="r22")], every, [], context(), T0).rows
    assert len(revisions.revise(store, "warnings", rows, T0, "watch")) == 2
    held = revisions.rows(store, "warnings")
    assert raise_([event("a", "meeting", reach="r22")], every, held, context(), T0).rows == []
    due = clocks.tick(held, T0 + 5 * HOUR)  # yellow: 2 h a level, two levels up
    assert len(revisions.revise(store, "warnings", due, T0 + 5 * HOUR, "watch")) == 4
    store.close()
    store = Store(tmp_path / "w")  # the program was started anew
    held = revisions.rows(store, "warnings")
    assert [row["revision"] for row in held] == [3, 3]
    assert {row["level"] for row in held} == {"province"}
    assert revisions.revise(store, "warnings", clocks.tick(held, T0 + 5 * HOUR), T0, "watch") == []
    signed = actions.sign(held[0], "li", T0 + 5 * HOUR + MINUTE)
    stale = actions.recall(held[0], "wang", T0 + 5 * HOUR + MINUTE, "重复")
    revisions.revise(store, "warnings", [signed], T0 + 5 * HOUR + MINUTE, "li")
    with pytest.raises(Refused):
        revisions.revise(store, "warnings", [stale], T0 + 5 * HOUR + MINUTE, "wang")
    frame = revisions.frame(store, "warnings", every=True)
    TABLES["warnings"].check(frame)
    TABLES["rules"].check(revisions.frame(store, "rules", every=True))
    assert len(frame) == 7
    assert all("situation" in json.loads(text) for text in frame["evidence"])


def test_a_rule_in_the_store(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "w")
    revisions.revise(store, "rules", rules.shipped(), T0, "geo-monitor")
    changed = rules.propose("rule: slow\nkind: slow\nclass: gear\nhours: [20, 4]", "li", T0 + DAY, _all(store))
    revisions.revise(store, "rules", [changed], T0 + DAY, "li")
    assert {row["rule"]: row["version"] for row in rules.in_force(_all(store), T0 + DAY)}["slow"] == 1
    back = rules.drop([row for row in _all(store) if row["rule"] == "slow"], "wang", T0 + DAY, "过窄")
    revisions.revise(store, "rules", [back], T0 + DAY, "wang")
    (row,) = [row for row in revisions.rows(store, "rules") if row["rule"] == "slow"]
    assert (row["state"], row["version"], row["revision"], row["expires_at"]) == ("in_force", 1, 3, None)
    assert told({"evidence": None}) == {}


def _all(store: Store) -> list[dict[str, Any]]:
    """Every revision of the rules, as plain values."""
    frame = revisions.frame(store, "rules", every=True)
    ends = [None if pd.isna(time) else round(time.timestamp() * 1000) for time in frame["expires_at"]]
    rows = frame.astype(object).to_dict("records")
    return [{**row, "expires_at": end} for row, end in zip(rows, ends, strict=True)]
