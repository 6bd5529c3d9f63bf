"""Signing in under attack: floods, giant passwords, names that are no names, tries at once."""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from geo_monitor.cli import launch
from geo_monitor.errors import Denied, Refused, Usage
from geo_monitor.settings import Settings
from geo_monitor.store import Store, audit
from geo_monitor.store import accounts as module
from geo_monitor.store.accounts import Accounts
from geo_monitor.store.database import DATABASE
from geo_monitor.workspace import Workspace

NOW = datetime(2026, 5, 1, 22, 0, tzinfo=UTC)
WORD = "江豚与中华鲟同游十里"


@pytest.fixture
def accounts(store: Store) -> Accounts:
    made = Accounts(store, Settings())
    made.add("管理员", WORD, ["admin"], None, [], NOW, "local")
    made.add("王", WORD, ["analyst"], None, ["421000"], NOW, "管理员")
    return made


def told(accounts: Accounts, name: str, word: str = "猜", at: datetime = NOW) -> tuple[str, dict[str, object]]:
    with pytest.raises(Denied) as error:
        accounts.sign_in(name, word, at, "page")
    return error.value.code, error.value.params


def actions(store: Store) -> list[str]:
    return store.book("audit")["action"].tolist()


def test_locking_does_not_tell_which_names_are_accounts(accounts: Accounts) -> None:
    accounts.add("李", WORD, ["analyst"], None, ["421000"], NOW, "管理员")
    accounts.change("李", NOW, "管理员", disabled=True)
    accounts.add("统一", None, ["analyst"], None, ["421000"], NOW, "管理员", identity="i|s")
    moments = [NOW + timedelta(seconds=s) for s in (0, 1, 2, 3, 4, 5, 700, 904, 905)]
    said = {name: [told(accounts, name, at=at) for at in moments] for name in ("王", "无此人", "李", "统一")}
    # four wrong, the fifth locks for 15 minutes; 2.0 s before its end still locked; then a first wrong one again
    codes = [code.removeprefix("sign_in_") for code, _ in said["王"]]
    assert codes == ["wrong"] * 4 + ["locked"] * 3 + ["wrong"] * 2
    assert said["无此人"] == said["李"] == said["统一"] == said["王"]


def test_tries_while_locked_add_no_rows(accounts: Accounts, store: Store) -> None:
    for _ in range(50):
        told(accounts, "王")
    assert actions(store).count("sign_in_refused") == 5


def test_a_flood_of_made_up_names_does_not_fill_the_audit_book(accounts: Accounts, store: Store,
                                                               monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(module, "_matches", lambda *_: False)
    for n in range(200):
        told(accounts, f"甲{n}")
    assert (actions(store).count("sign_in_refused"), actions(store).count("sign_in_flood")) == (60, 1)
    told(accounts, "王")  # of a real account every wrong try is told
    assert actions(store).count("sign_in_refused") == 61
    told(accounts, "乙", at=NOW + timedelta(seconds=61))
    assert actions(store).count("sign_in_refused") == 62
    assert audit.verify(store).ok


def test_fifty_tries_at_once_are_five(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    judged = []
    monkeypatch.setattr(module, "_matches", lambda *_: judged.append(1) or time.sleep(0.05))
    threads = [threading.Thread(target=lambda: told(accounts, "王")) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(judged) == 5


def test_a_giant_password_is_wrong_and_costs_no_more(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = []
    real = module._word
    monkeypatch.setattr(module, "_word", lambda word: hashed.append(len(word)) or real(word))
    assert told(accounts, "王", "长" * 50_000_000)[0] == "sign_in_wrong"
    assert hashed == [1024]
    with pytest.raises(Refused, match="1024"):
        accounts.change("王", NOW, "管理员", password="长" * 1025)
    accounts.change("王", NOW, "管理员", password="长" * 1024)
    assert told(accounts, "王", "长" * 1025)[0] == "sign_in_wrong"
    assert accounts.sign_in("王", "长" * 1024, NOW, "page")


@pytest.mark.parametrize(
    "name", ["", "\x00", "王\x00", "\ud800", "'; DROP TABLE accounts; --", "甲" * 100_000, "\u202e王"]
)
def test_names_that_are_no_names(accounts: Accounts, store: Store, name: str) -> None:
    assert told(accounts, name, "\ud800\x00")[0] == "sign_in_wrong"
    assert accounts.any()
    assert max(map(len, store.book("audit")["who"])) <= 64
    assert audit.verify(store).ok
    for add in (
        lambda: accounts.add(name, WORD, ["analyst"], None, ["421000"], NOW, "管理员"),
        lambda: accounts.add_agency(name, "421000", NOW, "管理员"),
    ):
        if name.startswith("'"):  # quotes are letters like others
            add()
        else:
            with pytest.raises(Usage):
                add()


def test_an_account_changed_meanwhile_lets_nobody_in(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    real = module._matches

    def slowly(hashed: str, word: str) -> bool:
        found = real(hashed, word)
        accounts.change("王", NOW, "管理员", password="另一句更长的话语在此")
        return found

    monkeypatch.setattr(module, "_matches", slowly)
    assert told(accounts, "王", WORD)[0] == "sign_in_wrong"


def test_on_a_server_nobody_is_the_owner_by_a_file_of_their_own(store: Store) -> None:
    """Who can write the folder could lay an empty file of their own there."""
    held = Workspace(store.root)
    if store.engine.dialect.name == "sqlite":
        assert held.owner().everywhere
        return
    (store.root / DATABASE).touch()
    with pytest.raises(Denied, match="owns the folder"):
        held.owner()


def test_a_database_file_of_somebody_else_makes_no_owner(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 4_294_967)
    with pytest.raises(Denied, match="owns the folder"):
        Workspace(store.root).owner()


def test_the_server_of_the_page_inherits_no_password(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {}

    class Started:
        def __init__(self, command: list[str], env: dict[str, str], **_: object) -> None:
            given.update(env)

        def poll(self) -> int:
            return 0

        def wait(self) -> int:
            return 0

    monkeypatch.setenv("GEO_MONITOR_PASSWORD", WORD)
    monkeypatch.setattr(launch.subprocess, "Popen", Started)
    monkeypatch.setattr(launch.signal, "signal", lambda *_: None)
    assert launch.serve(Workspace(store.root), "127.0.0.1", 18999, "zh", False, lambda _: None) == 0
    assert given["GEO_MONITOR_WORKSPACE"] == str(store.root.resolve())
    assert WORD not in given.values()
    assert WORD not in os.environ.values()
