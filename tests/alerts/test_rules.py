"""Rules as data: written, proposed, tested, approved, renewed, expired."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_monitor.alerts import rules
from geo_monitor.alerts.backtest import Backtest
from geo_monitor.alerts.written import read
from geo_monitor.errors import Refused
from geo_monitor.settings import Settings
from geo_monitor.tables import EVENT_KINDS, TABLES, WARNING_CLASSES
from tests.alerts.made import DAY, HOUR, T0, at


@dataclass(frozen=True)
class Thresholds(Settings):
    """Thresholds of two kinds of event, as the detectors name them."""

    event_slow_s: float = 600.0
    event_slow_high_kn: float = 2.5
    event_meeting_m: float = 50.0


KNOWN = Thresholds()
NIGHT = """
rule: night-nets
kind: slow
class: gear
harm: 1.2
values:
  slow_s: 900
zones: ["0421"]
reaches:
  - {river: 长江, km_from: 100, km_to: 180.5}
hours: [20, 4.5]
allowed: [科考01]
note_zh: 夜间慢速
expires: 30
"""


def refused(text: str | dict[str, Any]) -> Refused:
    with pytest.raises(Refused) as error:
        read(text, KNOWN)
    assert "@" not in str(error.value).replace("@alias", "")
    return error.value


def test_a_whole_rule() -> None:
    row = rules.propose(NIGHT, "li", T0, settings=KNOWN)
    assert (row["rule"], row["version"], row["state"], row["harm"], row["made_by"]) == (
        "night-nets", 1, "proposed", 1.2, "li",
    )  # fmt: skip
    assert row["expires_at"] == T0 + 30 * DAY
    run = rules.to_run(row)
    assert (run.kind, dict(run.values), run.zones) == ("slow", {"slow_s": 900.0}, ("0421",))
    assert (run.reaches, run.hours, run.allowed) == ((("长江", 100.0, 180.5),), (20.0, 4.5), ("科考01",))
    assert set(row) <= set(TABLES["rules"].names)


def test_a_form_says_the_same() -> None:
    form = {
        "rule": "night-nets", "kind": "slow", "class": "gear", "harm": 1.2, "values": {"event_slow_s": 900},
        "zones": ("0421",), "reaches": [("长江", 100, 180.5)], "hours": (20, 4.5), "allowed": ["科考01"],
        "note_zh": "夜间慢速", "expires": 30,
    }  # fmt: skip
    assert rules.propose(form, "li", T0, settings=KNOWN) == rules.propose(NIGHT, "li", T0, settings=KNOWN)


HEAD = "rule: r\nkind: slow\nclass: gear\n"


@pytest.mark.parametrize(
    ("text", "code", "field", "line"),
    [
        (HEAD + "colour: red", "rule_field_unknown", "colour", "4"),
        (HEAD + "values:\n  slow_s: fast", "rule_field_bad", "values.slow_s", "5"),
        (HEAD + "values:\n  slow_s: -1", "rule_field_bad", "values.slow_s", "5"),
        (HEAD + "values:\n  slow_s: .nan", "rule_field_bad", "values.slow_s", "5"),
        (HEAD + "values:\n  slow_s: true", "rule_field_bad", "values.slow_s", "5"),
        (HEAD + "values: [1]", "rule_field_bad", "values", "4"),
        (HEAD + "values:\n  meeting_m: 5", "rule_threshold_unknown", "values.meeting_m", "5"),
        (HEAD + "zones: [0421]", "rule_field_bad", "zones.1", "4"),  # octal: zone 273
        (HEAD + "zones: a", "rule_field_bad", "zones", "4"),
        (HEAD + "hours: [20:00, 4]", "rule_field_bad", "hours", "4"),  # YAML reads 1200
        (HEAD + "hours: [4, 4]", "rule_field_bad", "hours", "4"),
        (HEAD + "hours: 4", "rule_field_bad", "hours", "4"),
        (HEAD + "reaches:\n- {river: x, km_from: 5, km_to: 5}", "rule_field_bad", "reaches.1", "5"),
        (HEAD + "reaches:\n- {river: x, km_from: 5}", "rule_field_bad", "reaches.1", "5"),
        (HEAD + "reaches:\n- {river: x, from: 5, km_to: 6}", "rule_field_unknown", "reaches.1.from", "5"),
        (HEAD + "harm: 0", "rule_field_bad", "harm", "4"),
        (HEAD + "harm: 11", "rule_field_bad", "harm", "4"),
        (HEAD + "note_en: 5", "rule_field_bad", "note_en", "4"),
        (HEAD + "note_en: " + "x" * 501, "rule_field_bad", "note_en", "4"),
        (HEAD + "expires: soon", "rule_field_bad", "expires", "4"),
        (HEAD + "expires: 0", "rule_field_bad", "expires", "4"),
        ("rule: Bad Name\nkind: slow\nclass: gear", "rule_field_bad", "rule", "1"),
        ("rule: r\nkind: fast\nclass: gear", "rule_field_choice", "kind", "2"),
        ("rule: r\nkind: slow\nclass: fishy", "rule_field_choice", "class", "3"),
        ("rule: r\nkind: slow", "rule_field_missing", "class", None),
        (HEAD + "kind: gap", "rule_field_twice", "kind", 4),
    ],
)
def test_a_fault_is_told_with_field_and_line(text: str, code: str, field: str, line: Any) -> None:
    error = refused(text)
    assert (error.code, error.params["field"], error.params.get("line")) == (code, field, line)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "rule_no_mapping"),
        ("- a", "rule_no_mapping"),
        ("rule: [", "rule_yaml"),
        ("rule: !!python/object/apply:os.system ['true']", "rule_yaml"),
        ("a: &x [1]\nb: *x", "rule_yaml"),
        ("rule: a\n---\nrule: b", "rule_yaml"),
        (HEAD + "expires: 2026-02-30", "rule_yaml"),
        ("rule: \x00", "rule_yaml"),
        ("x" * 20_001, "rule_long"),
        ("[" * 15_000, "rule_yaml"),
    ],
)
def test_what_is_no_rule_at_all(text: str, code: str) -> None:
    assert refused(text).code == code


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_text_is_refused_or_read(text: str) -> None:
    for whole in (text, HEAD + text):
        with suppress(Refused):
            read(whole, KNOWN)


def test_one_shipped_rule_for_each_kind() -> None:
    shipped = rules.shipped()
    assert sorted(row["kind"] for row in shipped) == sorted(EVENT_KINDS)
    assert all(row["rule"] == row["kind"] and row["state"] == "in_force" for row in shipped)
    assert {row["class"] for row in shipped} <= set(WARNING_CLASSES)
    assert len(rules.in_force(shipped, T0 + 10_000 * DAY)) == len(EVENT_KINDS)  # they do not expire
    notes = [json.loads(row["body"]) for row in shipped]
    assert all(body["note_zh"] and body["note_en"] and not body["values"] for body in notes)


def test_expiry() -> None:
    last_day = rules.propose(HEAD + "expires: 2026-04-30", "li", T0)
    assert last_day["expires_at"] == at("2026-05-01 00:00")  # that day counts in full
    assert rules.propose(HEAD, "li", T0)["expires_at"] == T0 + 90 * DAY
    for wanted, code in (
        ("2026-02-01", "rule_expires_past"),
        ("2028-01-01", "rule_expires_far"),
        ("400", "rule_expires_far"),
    ):
        with pytest.raises(Refused) as error:
            rules.propose(HEAD + f"expires: {wanted}", "li", T0)
        assert error.value.code == code


def told_by_test(row: dict[str, Any], **other: Any) -> Backtest:
    base = Backtest(
        row["rule"], rules.digest(row), 30.0, 12, 9, 10, 1 / 3, 3, (("r1", 9),), 4, 1, 0.25, 0.05, 0.6, 0.1, 0.02
    )
    return replace(base, **other)


def stored(revisions: list[dict[str, Any]], row: dict[str, Any]) -> list[dict[str, Any]]:
    """All revisions once the store has written `row`."""
    last = max((one["revision"] for one in revisions), default=0)
    assert row.get("revision", last) == last
    return [*revisions, {**row, "revision": last + 1}]


def test_below_the_cap_a_rule_goes_in_force_at_once() -> None:
    row = rules.propose(HEAD, "li", T0)
    assert rules.in_force([row], T0) == []
    on = rules.approve(row, told_by_test(row), "li", T0)
    assert (on["state"], on["approved_by"], on["version"]) == ("in_force", None, 1)
    assert Backtest.from_told(json.loads(on["backtest"])) == told_by_test(row)
    assert [one["rule"] for one in rules.in_force([on], T0)] == ["r"]
    assert rules.in_force([on], T0 + 90 * DAY) == []


def test_above_the_cap_a_second_person_must_approve() -> None:
    row = rules.propose(HEAD, "li", T0)
    assert rules.approve(row, told_by_test(row, per_day=5.0), "li", T0)["state"] == "in_force"  # at the cap
    many = told_by_test(row, per_day=5.1)
    with pytest.raises(Refused) as error:
        rules.approve(row, many, "li", T0)
    assert error.value.code == "rule_second_person"
    assert rules.approve(row, many, "wang", T0)["approved_by"] == "wang"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"warnings": 0}, "rule_raises_nothing"),
        ({"boat_days_share": 0.5}, "rule_raises_everything"),
        ({"digest": "other"}, "rule_backtest_other"),
        ({"rule": "other"}, "rule_backtest_other"),
    ],
)
def test_not_everything_is_approved(change: dict[str, Any], code: str) -> None:
    row = rules.propose(HEAD, "li", T0)
    with pytest.raises(Refused) as error:
        rules.approve(row, told_by_test(row, **change), "wang", T0)
    assert error.value.code == code


def test_a_life() -> None:
    """Proposed, approved, changed (the old holds until the new is approved), dropped, changed again, expired."""
    held = stored([], rules.propose(HEAD, "li", T0))
    held = stored(held, rules.approve(held[-1], told_by_test(held[-1]), "li", T0))
    with pytest.raises(Refused) as error:
        rules.propose(HEAD, "wang", T0, held)
    assert error.value.code == "rule_unchanged"
    held = stored(held, rules.propose(HEAD + "hours: [20, 4]", "wang", T0 + DAY, held))
    assert (held[-1]["version"], held[-1]["state"]) == (2, "proposed")
    (now,) = rules.in_force(held, T0 + DAY)
    assert now["version"] == 1
    with pytest.raises(Refused):
        rules.approve(held[-1], told_by_test(held[0]), "li", T0 + DAY)  # the test of version 1
    held = stored(held, rules.drop(held, "li", T0 + DAY, "时段过窄"))
    assert (held[-1]["version"], held[-1]["state"]) == (1, "in_force")
    held = stored(held, rules.propose(HEAD + "hours: [19, 5]", "wang", T0 + 2 * DAY, held))
    assert held[-1]["version"] == 3  # 2 was another content
    held = stored(held, rules.approve(held[-1], told_by_test(held[-1]), "li", T0 + 2 * DAY))
    assert [one["version"] for one in rules.in_force(held, T0 + 3 * DAY)] == [3]
    held = stored(held, rules.renew(held[-1], "li", T0 + 80 * DAY, 60))
    assert (held[-1]["expires_at"], held[-1]["version"]) == (T0 + 140 * DAY, 3)
    assert rules.expire([held[-1]], T0 + 140 * DAY - 1) == []
    (over,) = rules.expire([held[-1]], T0 + 140 * DAY)
    held = stored(held, over)
    assert rules.in_force(held, T0) == []
    with pytest.raises(Refused) as error:
        rules.renew(over, "li", T0 + 141 * DAY)
    assert error.value.code == "rule_state_wrong"
    again = rules.propose(HEAD + "hours: [20, 4]", "wang", T0 + 141 * DAY, held)
    assert again["version"] == 2  # the content of version 2 again


def test_wrong_steps() -> None:
    proposed = rules.propose(HEAD, "li", T0)
    on = rules.approve(proposed, told_by_test(proposed), "li", T0)
    off = rules.retire(on, "li", T0, "已无此类作业")
    for act in (
        lambda: rules.approve(on, told_by_test(on), "li", T0),
        lambda: rules.approve(off, told_by_test(off), "li", T0),
        lambda: rules.renew(proposed, "li", T0),
        lambda: rules.renew(on, "li", T0 + 90 * DAY),  # over, though nobody has written it yet
        lambda: rules.retire(off, "li", T0, "x"),
        lambda: rules.drop([on], "li", T0, "x"),
    ):
        with pytest.raises(Refused) as error:
            act()
        assert error.value.code == "rule_state_wrong"
    for act in (lambda: rules.retire(on, "li", T0, " "), lambda: rules.drop([proposed], "li", T0, None)):
        with pytest.raises(Refused) as error:
            act()
        assert error.value.code == "rule_reason_missing"
    assert rules.drop([proposed], "li", T0, "不需要")["state"] == "retired"
    with pytest.raises(Refused) as error:
        rules.approve(proposed, told_by_test(proposed), "li", T0 + 90 * DAY)
    assert error.value.code == "rule_expires_past"
    with pytest.raises(Refused) as error:
        rules.renew(on, "li", T0, 367)
    assert error.value.code == "rule_expires_far"


def test_a_shipped_rule_can_be_tuned() -> None:
    held = [{**row, "revision": 1} for row in rules.shipped(KNOWN)]
    changed = rules.propose("rule: slow\nkind: slow\nclass: gear\nvalues: {slow_s: 1200}", "li", T0, held, KNOWN)
    assert (changed["version"], changed["revision"]) == (2, 1)
    assert len(rules.in_force([*held, {**changed, "revision": 2}], T0 + HOUR)) == len(EVENT_KINDS)


def test_the_example_of_the_docs_is_a_rule() -> None:
    page = (Path(__file__).parents[2] / "docs" / "warnings.md").read_text(encoding="utf-8")
    row = rules.propose(page.split("```yaml\n")[1].split("```")[0], "li", T0, settings=KNOWN)
    assert (row["rule"], rules.to_run(row).hours) == ("night-nets", (20.0, 4.0))
