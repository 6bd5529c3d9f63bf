"""The reference pages say what the program does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from geo_monitor.cli import command
from geo_monitor.docs import tables_page
from geo_monitor.messages import catalogue
from geo_monitor.pipeline import METHODS
from geo_monitor.tables import TABLES
from geo_monitor.workspace import KINDS

DOCS = Path(__file__).parents[1] / "docs"
COMMANDS = command("en").commands


def section(name: str) -> str:
    page = (DOCS / "cli.md").read_text(encoding="utf-8")
    return re.split(r"^## ", page, flags=re.MULTILINE)[1:][[*_headings(page)].index(name)]


def _headings(page: str) -> list[str]:
    return re.findall(r"^## (.+)$", page, flags=re.MULTILINE)


def options(name: str) -> set[str]:
    """Of a command, or of all commands in its group."""
    every = [COMMANDS[name], *getattr(COMMANDS[name], "commands", {}).values()]
    params = [param for one in every for param in one.params if param.name not in ("as_json", "help")]
    return {option for param in params for option in param.opts}


def test_the_tables_page_is_that_of_the_tables() -> None:
    assert (DOCS / "tables.md").read_text(encoding="utf-8") == tables_page()


def test_every_command_has_a_section_and_no_other() -> None:
    page = (DOCS / "cli.md").read_text(encoding="utf-8")
    assert _headings(page) == ["Everywhere", *COMMANDS]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_section_names_the_options_of_its_command_and_no_other(name: str) -> None:
    everywhere = {option for param in command("en").params for option in param.opts} | {"--help"}
    told = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", section(name))) - everywhere
    flags = {option for option in options(name) if option.startswith("-")}
    assert flags <= told
    # a section may point to an option of another command
    elsewhere = {option for other in COMMANDS for option in options(other)}
    assert told <= elsewhere


def test_options_that_hold_everywhere() -> None:
    told = section("Everywhere")
    for param in command("en").params:
        assert param.opts[-1] in told


def test_every_kind_is_told() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", section("import"), flags=re.MULTILINE)) == set(KINDS)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_method_is_told_with_its_table(lang: str) -> None:
    told = [row.split("|")[1:4] for row in section("analyse").splitlines() if re.match(r"\| `\w+`.* \| .* \| `", row)]
    assert [name for row in told for name in re.findall(r"`(\w+)`", row[0])] == list(METHODS)
    assert all(set(re.findall(r"`(\w+)`", row[2])) - {"class"} <= set(TABLES) for row in told)
    help_ = next(param.help for param in command(lang).commands["analyse"].params if param.name == "methods")
    assert set(METHODS) | {"all"} <= set(re.findall(r"[a-z_]+", help_))


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_help_has_a_sentence_for_every_command_and_option(lang: str) -> None:
    group = command(lang)
    for one in [group, *group.commands.values()]:
        assert one.help
        assert all(param.help for param in one.params)
    assert ("长江" in group.help) == (lang == "zh")


def test_no_sentence_lacks_its_other_language() -> None:
    for code, (zh, en) in catalogue().items():
        assert zh, code
        assert en, code
        assert set(re.findall(r"{(\w+)", zh)) <= set(re.findall(r"{(\w+)", en)) or code.endswith(".hint"), code
