"""What people do with a warning: every state, every wrong step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from geo_monitor.alerts import actions
from geo_monitor.alerts.fresh import by_hand
from geo_monitor.alerts.rows import told
from geo_monitor.errors import Refused, Usage
from tests.alerts.made import DAY, HOUR, LEFT, MINUTE, context

STATES = ("open", "signed", "dispatched", "verified", "closed", "recalled")


def opened(grade: str = "orange") -> dict[str, Any]:
    return by_hand("gear", grade, "x", "r1", context(), "li", 0)[0]


def in_state(state: str) -> dict[str, Any]:
    row = opened()
    if state == "open":
        return row
    if state == "recalled":
        return actions.recall(row, "li", 1, "误报")
    row = actions.sign(row, "li", 1)
    if state in ("dispatched", "verified", "closed"):
        row = actions.dispatch(row, "li", 2)
    if state in ("verified", "closed"):
        row = actions.verify(row, "li", 3)
    if state == "closed":
        row = actions.close(row, "li", 4, "case")
    assert row["state"] == state
    return row


DO: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "sign": lambda row: actions.sign(row, "wang", MINUTE),
    "dispatch": lambda row: actions.dispatch(row, "wang", MINUTE),
    "verify": lambda row: actions.verify(row, "wang", MINUTE),
    "close": lambda row: actions.close(row, "wang", MINUTE, "education"),
    "recall": lambda row: actions.recall(row, "wang", MINUTE, "重复"),
    "regrade": lambda row: actions.regrade(row, "wang", MINUTE, "red", "带电捕工具"),
    "silence": lambda row: actions.silence(row, "wang", MINUTE, HOUR, "施工"),
}
TO = {  # (action, state before) -> state after; what is not here is refused
    **{("sign", "open"): "signed"},
    **{("dispatch", state): "dispatched" for state in ("signed", "dispatched")},
    **{("dispatch", "verified"): "verified"},
    **{("verify", state): "verified" for state in ("signed", "dispatched")},
    **{("close", state): "closed" for state in ("signed", "dispatched", "verified")},
    **{("recall", state): "recalled" for state in STATES[:4]},
    **{("regrade", state): state for state in STATES[:4]},
    **{("silence", state): "recalled" for state in ("open", "signed", "recalled")},
    **{("silence", state): state for state in ("dispatched", "verified", "closed")},
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("action", DO)
def test_every_step_from_every_state(action: str, state: str) -> None:
    row = in_state(state)
    before = dict(row)
    if (action, state) in TO:
        assert DO[action](row)["state"] == TO[action, state]
    else:
        with pytest.raises(Refused) as error:
            DO[action](row)
        assert error.value.code == "warning_state_wrong"
        assert "@" not in str(error.value)
    assert row == before


def test_sign() -> None:
    row = actions.sign(opened(), "li", MINUTE)
    assert (row["signed_at"], row["signed_by"], row["report_by"]) == (MINUTE, "li", MINUTE + 12 * HOUR)


def test_who_may_sign() -> None:
    row = opened()
    for areas in ([LEFT], ["421000"], ["420000"], ["100000"], None, ["430602", "420000"]):
        assert actions.sign(row, "li", MINUTE, areas)["state"] == "signed"
    for areas in (["430602"], ["421023"], []):
        with pytest.raises(Refused) as error:
            actions.sign(row, "li", MINUTE, areas)
        assert error.value.code == "warning_level_other"


def test_the_county_cannot_sign_what_went_to_the_city_even_if_no_clock_ticked() -> None:
    with pytest.raises(Refused) as error:
        actions.sign(opened(), "li", 30 * MINUTE, [LEFT])
    assert error.value.params["office"] == "421000"
    row = actions.sign(opened(), "zhang", 30 * MINUTE, ["421000"])
    assert (row["level"], row["escalated_at"], row["signed_at"]) == ("city", 30 * MINUTE, 30 * MINUTE)


def test_close() -> None:
    row = in_state("signed")
    with pytest.raises(Refused) as error:
        actions.close(row, "li", 5, None)
    assert error.value.code == "warning_outcome_missing"
    with pytest.raises(Usage):
        actions.close(row, "li", 5, "arrest")
    for outcome in ("nothing_found", "no_unit", "false"):
        with pytest.raises(Refused) as error:
            actions.close(row, "li", 5, outcome, "  ")
        assert error.value.code == "warning_reason_missing"
        assert actions.close(row, "li", 5, outcome, "江面无船")["outcome"] == outcome
    new = actions.close(row, "li", 5, "case")
    assert (new["outcome"], told(new)["closed_at"], told(new)["closed_by"]) == ("case", 5, "li")


@pytest.mark.parametrize("reason", [None, "", "  "])
def test_reasons_are_needed(reason: str | None) -> None:
    for act in (
        lambda: actions.recall(opened(), "li", 1, reason),
        lambda: actions.regrade(opened(), "li", 1, "blue", reason),
        lambda: actions.silence(opened(), "li", 1, HOUR, reason),
    ):
        with pytest.raises(Refused) as error:
            act()
        assert error.value.code == "warning_reason_missing"


def test_regrade_moves_the_clock() -> None:
    up = actions.regrade(opened("blue"), "li", HOUR, "red", "电捕")
    assert up["sign_by"] == HOUR + 15 * MINUTE
    down = actions.regrade(opened("red"), "li", 5 * MINUTE, "yellow", "科研船")
    assert down["sign_by"] == 5 * MINUTE + 2 * HOUR
    assert told(down)["regrades"] == [["red", "yellow", 5 * MINUTE, "li"]]
    signed = actions.sign(opened("blue"), "li", 0)
    assert actions.regrade(signed, "li", HOUR, "red", "电捕")["report_by"] == 5 * HOUR
    with pytest.raises(Refused):
        actions.regrade(opened("red"), "li", 1, "red", "x")
    with pytest.raises(Usage):
        actions.regrade(opened("red"), "li", 1, "pink", "x")


def test_silence_has_bounds() -> None:
    for until, code in ((1, "warning_quiet_past"), (31 * DAY, "warning_quiet_long")):
        with pytest.raises(Refused) as error:
            actions.silence(opened(), "li", 1, until, "施工")
        assert error.value.code == code
    quiet = told(actions.silence(opened(), "li", 1, 30 * DAY, "施工"))["quiet"]
    assert (quiet["since"], quiet["until"], quiet["who"]) == (0, 30 * DAY, "li")


def tasking(id_: str, state: str, result: str | None = None, text: str | None = None) -> dict[str, Any]:
    warning = opened()["warning_id"]
    return {"tasking_id": id_, "warning_id": warning, "state": state, "result": result, "text": text}


def test_taskings_settle_a_warning() -> None:
    row = in_state("dispatched")
    assert actions.settle(row, [], "system", 10) is None
    assert actions.settle(row, [tasking("t", "under_way")], "system", 10) is None
    seen = actions.settle(row, [tasking("t", "on_scene")], "system", 10)
    assert seen is not None
    assert (seen["state"], told(seen)["reached_at"]) == ("dispatched", 10)
    assert actions.settle(seen, [tasking("t", "on_scene")], "system", 20) is None
    mixed = [
        tasking("t", "done", "nothing_found"),
        tasking("u", "done", "case", "鄂公渔罚〔2026〕3号"),
        tasking("v", "declined"),
    ]
    done = actions.settle(seen, mixed, "system", 30)
    assert done is not None
    assert (done["state"], done["outcome"], done["reason"]) == ("closed", "case", "鄂公渔罚〔2026〕3号")
    assert told(done)["closed_on"] == "u"
    assert actions.settle(done, mixed, "system", 40) is None


def test_a_tasking_still_under_way_keeps_it_open_and_no_unit_is_counted() -> None:
    row = in_state("dispatched")
    going = actions.settle(row, [tasking("t", "done", "case"), tasking("u", "under_way")], "system", 10)
    assert going is not None
    assert going["state"] == "dispatched"
    none = actions.settle(row, [tasking("t", "no_unit"), tasking("u", "no_unit")], "system", 10)
    assert none is not None
    assert (none["state"], told(none)["no_unit"]) == ("dispatched", 2)
    assert actions.settle(in_state("open"), [tasking("t", "done", "case")], "system", 10) is None
