"""The pages of the duty in a real browser, in a network namespace that holds nothing but loopback."""

import pytest

from tests.app.browsing import cut_off

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    return cut_off("tests.app.duty.visit", tmp_path_factory.mktemp("duty"))


def test_nothing_outside_this_machine_is_asked_and_the_console_is_clean(seen):
    assert seen["outside"] == []
    assert seen["errors"] == []
    assert seen["exceptions"] == 0


def test_the_queue_is_there(seen):
    assert "中段禁捕区" in seen["queue"] and "尚未校准" in seen["queue"] and "现由县级（甲县）签收" in seen["queue"]


def test_clocks_count_down_and_nothing_else_is_drawn_anew(seen):
    assert len(seen["before"]) == len(seen["after"]) == 3
    for before, after in zip(seen["before"], seen["after"], strict=True):
        assert before.split()[0] == after.split()[0]
        assert before > after
    assert seen["kept"]


def test_what_is_typed_stays_while_a_new_warning_comes(seen):
    assert seen["typed"] == "两次进出"


def test_signing_in_the_browser_is_signed(seen):
    assert seen["signed"] == "signed"


def test_english_without_a_reload_and_what_was_chosen_stays(seen):
    assert "lang=en" in seen["address"] and "warning=" in seen["address"]
    assert "entry of a ban zone" in seen["english"]


def test_hostile_names_break_nothing(seen):
    assert "<script>document.title='broken'</script>" in seen["hostile"]
    assert seen["title"] == "长江禁捕执法地图"


def test_the_wall_shows_the_queue(seen):
    assert "中段禁捕区" in seen["wall"] and "查看" not in seen["wall"]


def test_a_unit_is_sent_and_accepts(seen):
    assert "渔政01" in seen["first"] and "水路" in seen["first"]
    assert seen["accepted"] == ["accepted"]
    assert seen["maps"] >= 1


def test_the_situation_counts_the_warnings(seen):
    assert "Warnings waiting" in seen["situation"] and "Open them" in seen["situation"]
