"""Every sentence exists in both languages and fills the same blanks."""

from __future__ import annotations

import ast
import re
import string
from pathlib import Path

import pytest

from geo_monitor import messages
from geo_monitor.errors import Refused, Usage

ROOT = Path(messages.__file__).parents[1]
CHINESE = range(0x4E00, 0x9FFF)


def blanks(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


@pytest.mark.parametrize("code", sorted(messages.catalogue()))
def test_both_languages_fill_the_same_blanks(code: str) -> None:
    zh, en = messages.catalogue()[code]
    assert blanks(zh) == blanks(en)
    assert zh
    assert en


def test_chinese_is_punctuated_as_chinese() -> None:
    """Full-width signs behind Chinese (GB/T 15834), but in what is typed: an address, or ours=theirs."""
    typed = re.compile(r"[^\s。，；：、（）“”]*=[^\s。；、）“”]*|\w+://[^\s，。；、]*|EPSG:编号")
    wrong = [
        (code, zh)
        for code, (zh, _) in messages.catalogue().items()
        if re.search(r"[\u4e00-\u9fff”][,;:?!()]|[,;?!(][\u4e00-\u9fff“]", typed.sub("", zh))
    ]
    assert not wrong


def test_a_list_is_told_as_each_language_does() -> None:
    error = Usage("method_unknown", method=["甲", "乙"], methods=("scan", "why"))
    assert messages.text(error.code, "zh", **error.params) == "没有名为“甲、乙”的方法。未分析。"
    assert str(error) == 'There is no method "甲, 乙". Nothing was analysed.'
    assert messages.hint(error.code, "zh", **error.params) == "可用的方法：scan、why，或 all。"
    # what somebody typed is no code of ours
    assert "@fault" in messages.text(error.code, "en", method=["@fault"])


def test_no_code_stands_in_two_areas() -> None:
    from importlib import import_module

    seen: list[str] = []
    for area in messages.AREAS:
        seen += import_module(f"geo_monitor.messages.{area}").MESSAGES
    assert len(seen) == len(set(seen))


def test_every_area_on_disk_is_read() -> None:
    on_disk = {path.stem for path in (ROOT / "messages").glob("*.py")} - {"__init__"}
    assert on_disk == set(messages.AREAS)


def test_codes_raised_have_sentences() -> None:
    """Every literal first argument of the package's own errors is a code of the catalogue."""
    missing = []
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            if node.func.id in {"Refused", "Usage", "GeoMonitorError"} and node.args:
                code = node.args[0]
                if isinstance(code, ast.Constant) and code.value not in messages.catalogue():
                    missing.append(f"{path.name}:{node.lineno} {code.value}")
    assert not missing


def test_text_and_hint() -> None:
    assert messages.text("unknown_table", "zh", table="boats") == "没有名为“boats”的数据表。"
    assert messages.hint("river_empty", "en") == ("Import river centre lines (line features) with: import river FILE.")
    assert messages.hint("settings_unknown", "en") is None


def test_errors_carry_their_exit_code_and_say_their_sentence() -> None:
    assert Refused("river_empty").exit_code == 3
    assert Usage("unknown_table", table="x").exit_code == 2
    assert str(Usage("unknown_table", table="x")) == 'There is no table called "x".'
