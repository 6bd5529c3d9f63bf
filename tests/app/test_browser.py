"""The page in a real browser, in a network namespace that holds nothing but loopback."""

import pytest

from tests.app import fake
from tests.app.browsing import cut_off

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    return cut_off("tests.app.visit", tmp_path_factory.mktemp("visit"))


def test_nothing_outside_this_machine_is_asked(seen):
    assert seen["outside"] == []
    assert any("style-day-zh.json" in address for address in seen["asked"])
    assert any("style-night-en.json" in address for address in seen["asked"])
    assert any("map-sans-core.woff2" in address for address in seen["asked"])


def test_an_opening_costs_under_two_megabytes(seen):
    # of an empty workspace; what the police know of a basin comes on top, 0.1 MB
    assert 1_500_000 < seen["opening"] < 1_900_000


def test_the_console_is_clean(seen):
    assert seen["errors"] == []


def test_a_click_on_a_reach_says_what_is_known_of_it(seen):
    assert f"长江 {seen['clicked']}–" in seen["said"]
    assert "所选江段及上下游" in seen["said"]
    assert "每巡航小时" in seen["said"] or "冷热不作判断" in seen["said"]


def test_the_language_switch_works_without_reload_and_is_in_the_address(seen):
    assert "lang=en" in seen["address"]
    assert "Clear selection" in seen["english"]  # what was chosen stays chosen
    assert "patrols and seizures are simulated" in seen["english"]


def test_a_simulated_workspace_says_so(seen):
    assert "巡护与查获均为模拟，江河与界线为真实数据" in seen["banner"]


def test_hostile_names_break_nothing(seen):
    assert seen["title"] == "长江禁捕执法地图"
    assert seen["exceptions"] == 0
    assert seen["maps"] >= 1


def test_an_empty_workspace_says_what_to_do_next(seen):
    assert "geo-monitor import tracks" in seen["empty"]
    assert "geo-monitor demo" in seen["empty"]
    assert "geo-monitor import tracks" in seen["empty_hotspots"]


def test_where_nothing_is_live_the_last_fix_is_shown_and_said_to_be_old(seen):
    assert "定格" in seen["first"]
    assert "因此显示的是那一刻，不是现在" in seen["first"]
    assert "at=" not in seen["first_address"]


def test_a_moment_in_the_address_is_shown(seen):
    assert "在图单位：巡护 1" in seen["still"]
    assert "因此显示的是那一刻" not in seen["still"]  # it was asked for


def test_a_click_on_a_unit_gives_its_brief_and_a_page_to_print(seen):
    assert seen["unit"] in seen["brief"]
    assert "核查要点" in seen["brief"]
    assert "pick=unit" in seen["brief_address"]
    assert seen["pdf"] == "%PDF-"


def test_a_replay_moves_on_without_a_new_map_and_stops_where_it_is(seen):
    before, after = seen["replayed"]
    assert before < after
    assert seen["same_map"]
    assert f"at={after[:10]}T" in seen["paused_address"]


def test_a_click_on_the_bar_of_a_day_shows_its_night(seen):
    day, shown = seen["barred"]
    assert shown[:10] == day
    assert shown[11:16] == seen["replayed"][1][11:16]  # the same time of night


def test_live_says_how_old_the_last_fix_is(seen):
    assert "最近定位" in seen["live"]


def test_the_situation_speaks_english_at_night(seen):
    assert "Nothing needs a decision" in seen["night"] or "hot, unseen" in seen["night"]
    assert "patrols and seizures are simulated" in seen["night"]
    assert seen["situation_exceptions"] == 0


def test_an_upload_shows_how_far_it_is_and_stopped_keeps_nothing(seen):
    assert "停止" in seen["sending"]
    assert seen["kept_when_stopped"] == 0
    assert seen["left_when_stopped"] == []


def test_sent_again_it_comes_to_its_receipt(seen):
    assert "“long.csv”已入库" in seen["receipt"]
    assert seen["rows_kept"] == fake.LONG
    assert seen["sending_exceptions"] == 0


def test_pan_and_zoom_by_hand_stand_in_the_address_without_a_rerun(seen):
    told = seen["views"]
    assert "view" not in told["untouched"]
    zoomed, dragged = ([float(n) for n in told[name]["view"].split(",")] for name in ("zoomed", "dragged"))
    assert dragged[2] == zoomed[2] > 12
    assert dragged[0] > zoomed[0]  # the water was drawn to the left, and down
    assert dragged[1] > zoomed[1]
    assert told["told"] == 0
    assert {**told["dragged"], "view": ""} == {**told["untouched"], "view": ""}


def test_a_rerun_keeps_the_view_and_links_of_the_page_hold_it(seen):
    told = seen["views"]
    assert told["after_a_rerun"]["view"] == told["dragged"]["view"]
    assert "view=" + told["dragged"]["view"].replace(",", "%2C") in told["night_link"]


def test_the_address_shows_a_colleague_the_same(seen):
    told = seen["views"]
    assert told["opened"] == told["after_a_rerun"]
    assert told["picked"] == told["reach"]


def test_an_address_that_names_no_view_is_as_if_it_named_none(seen):
    assert seen["views"]["hostile"] == {}


def test_the_uploader_speaks_the_language_of_the_page(seen):
    told = seen["uploader"]
    assert told["zh"]["lying"] == [
        ["选择文件", "Upload"],
        ["也可拖到此处；每个文件不超过 200 MB", "200MB per file"],
    ]
    assert [words for words, _ in told["en"]["lying"]] == ["Choose files", "or drop them here; up to 200 MB each"]
    assert ["松开鼠标即可放入", "Drag and drop files here"] in told["zh"]["over"]
    assert ["Drop to add", "Drag and drop files here"] in told["en"]["over"]


def test_a_file_over_the_limit_is_told_in_words(seen):
    told = seen["uploader"]
    assert ["未上传：文件超过 200 MB、类型不符，或连接中断。未保存任何内容。", ""] in told["zh"]["large"]
    (english,) = told["en"]["large"]
    assert english[0].startswith("Not sent: over 200 MB")


def test_the_uploader_tells_screen_readers_the_same(seen):
    told = seen["uploader"]
    failed = told["zh"]["large"][-1][0]
    assert failed.startswith("未上传")
    assert set(told["zh"]["named"]) == {"选择文件", "移除 large.csv", failed}
    assert set(told["en"]["named"]) == {"Choose files", "Remove large.csv", told["en"]["large"][-1][0]}
