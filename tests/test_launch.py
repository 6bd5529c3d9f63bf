"""The command `app` starts the page that is there."""

from __future__ import annotations

from geo_monitor.cli.launch import PAGE, is_loopback


def test_the_page_is_where_the_command_looks() -> None:
    assert PAGE.is_file()
    assert PAGE.parent.joinpath("static", "basemap").is_dir()


def test_loopback_addresses() -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("localhost")
    assert not is_loopback("0.0.0.0")
