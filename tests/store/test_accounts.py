"""Accounts: signing in, locking, sessions, and who may see what. Moments and outcomes are worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from geo_monitor.errors import Denied, Refused, Usage
from geo_monitor.settings import Settings
from geo_monitor.store import Store
from geo_monitor.store.accounts import Accounts
from geo_monitor.store.rights import OWNER, Viewer, readable

NOW = datetime(2026, 5, 1, 22, 0, tzinfo=UTC)
WORD = "江豚与中华鲟同游十里"


@pytest.fixture
def accounts(store: Store) -> Accounts:
    made = Accounts(store, Settings())
    made.add_agency("荆州渔政", "421000", NOW, "local")
    made.add_agency("宜昌渔政", "420500", NOW, "local")
    made.add("管理员", WORD, ["admin"], None, [], NOW, "local")
    made.add("王", WORD, ["analyst"], "荆州渔政", [], NOW, "管理员")
    return made


def test_a_right_password_opens_and_a_wrong_one_says_no_more_than_an_unknown_name(accounts: Accounts) -> None:
    session = accounts.sign_in("王", WORD, NOW, "page")
    assert session.viewer == Viewer("王", "荆州渔政", ("analyst",), ("421000",))
    assert session.ends_at == NOW + timedelta(hours=12)
    told = []
    for name in ("王", "无此人"):
        with pytest.raises(Denied) as error:
            accounts.sign_in(name, "猜", NOW, "page")
        told.append((error.value.code, error.value.params))
    assert told == [("sign_in_wrong", {}), ("sign_in_wrong", {})]


def test_five_wrong_passwords_lock_for_a_quarter_of_an_hour(accounts: Accounts) -> None:
    codes = []
    for _ in range(5):
        with pytest.raises(Denied) as error:
            accounts.sign_in("王", "猜", NOW, "page")
        codes.append(error.value.code)
    assert codes == ["sign_in_wrong"] * 4 + ["sign_in_locked"]
    with pytest.raises(Denied, match="14 minutes"):
        accounts.sign_in("王", WORD, NOW + timedelta(seconds=61), "page")
    assert accounts.sign_in("王", WORD, NOW + timedelta(seconds=900), "page").viewer.account == "王"


def test_a_right_password_forgets_the_wrong_ones(accounts: Accounts) -> None:
    for _ in range(3):
        for _ in range(4):
            with pytest.raises(Denied, match="wrong"):
                accounts.sign_in("王", "猜", NOW, "page")
        accounts.sign_in("王", WORD, NOW, "page")


def test_an_administrator_unlocks(accounts: Accounts) -> None:
    for _ in range(5):
        with pytest.raises(Denied):
            accounts.sign_in("王", "猜", NOW, "page")
    accounts.change("王", NOW, "管理员", unlock=True)
    assert accounts.sign_in("王", WORD, NOW, "page")


def test_a_session_ends_after_an_idle_hour_or_a_shift(accounts: Accounts) -> None:
    token = accounts.sign_in("王", WORD, NOW, "page").token
    assert accounts.viewer(token, NOW + timedelta(minutes=59)).account == "王"
    assert accounts.viewer(token, NOW + timedelta(minutes=118)).account == "王"  # the hour runs from the last click
    with pytest.raises(Denied, match="ended"):
        accounts.viewer(token, NOW + timedelta(minutes=118 + 60))
    token = accounts.sign_in("王", WORD, NOW, "page").token
    for minutes in range(30, 12 * 60, 30):
        accounts.viewer(token, NOW + timedelta(minutes=minutes))
    with pytest.raises(Denied, match="ended"):
        accounts.viewer(token, NOW + timedelta(hours=12))


def test_those_looking_are_those_whose_sessions_run_the_last_one_first(accounts: Accounts) -> None:
    assert accounts.looking(NOW) == []
    accounts.sign_in("管理员", WORD, NOW, "page")
    accounts.sign_in("王", WORD, NOW + timedelta(hours=1), "page")
    assert [one.account for one in accounts.looking(NOW + timedelta(hours=2))] == ["王", "管理员"]
    assert [one.account for one in accounts.looking(NOW + timedelta(hours=12))] == ["王"]  # a shift is 12 h
    accounts.change("王", NOW, "管理员", disabled=True)
    assert accounts.looking(NOW) == [Viewer("管理员", None, ("admin",), ())]


def test_sign_out_and_every_change_of_an_account_end_its_sessions(accounts: Accounts) -> None:
    changes = (
        lambda: accounts.change("王", NOW, "管理员", disabled=False),
        lambda: accounts.change("王", NOW, "管理员", password="另一句更长的话语在此"),
        lambda: accounts.change("王", NOW, "管理员", roles=["uploader"]),
    )
    words = (WORD, WORD, "另一句更长的话语在此")
    for change, word in zip(changes, words, strict=True):
        token = accounts.sign_in("王", word, NOW, "page").token
        change()
        with pytest.raises(Denied, match="ended"):
            accounts.viewer(token, NOW)
    token = accounts.sign_in("王", "另一句更长的话语在此", NOW, "page").token
    accounts.sign_out(token)
    with pytest.raises(Denied, match="ended"):
        accounts.viewer(token, NOW)


def test_a_disabled_account_is_nobody(accounts: Accounts) -> None:
    token = accounts.sign_in("王", WORD, NOW, "page").token
    accounts.change("王", NOW, "管理员", disabled=True)
    with pytest.raises(Denied, match="ended"):
        accounts.viewer(token, NOW)
    with pytest.raises(Denied, match="wrong"):
        accounts.sign_in("王", WORD, NOW, "page")


def test_the_first_account_and_the_last_one_are_administrators(store: Store) -> None:
    made = Accounts(store, Settings())
    with pytest.raises(Refused, match="admin"):
        made.add("王", WORD, ["analyst"], None, ["420000"], NOW, "local")
    assert not made.any()
    made.add("管理员", WORD, ["admin"], None, [], NOW, "local")
    for change in ({"roles": ["analyst"]}, {"disabled": True}):
        with pytest.raises(Refused, match="last administrator"):
            made.change("管理员", NOW, "管理员", **change)
    assert made.sign_in("管理员", WORD, NOW, "page").viewer.roles == ("admin",)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"password": "short"}, "too short"),
        ({"name": "long-enough-name", "password": "Long-Enough-Name"}, "too short"),
        ({"roles": ["king"]}, "no role"),
        ({"roles": []}, "no role"),
        ({"adcodes": ["4210"]}, "six digits"),
        ({"agency": "没登记"}, "not registered"),
        ({"name": " 王"}, "cannot be used"),
        ({"name": "王"}, "there already"),
        ({"password": None}, "identity"),
    ],
)
def test_what_no_account_can_be(accounts: Accounts, given: dict, error: str) -> None:
    whole = {"name": "李", "password": WORD, "roles": ["analyst"], "agency": None, "adcodes": []} | given
    with pytest.raises((Usage, Refused), match=error):
        accounts.add(**whole, now=NOW, who="管理员")
    assert [one["name"] for one in accounts.every()] == ["王", "管理员"]


def test_an_identity_of_a_provider_signs_in_without_a_password(accounts: Accounts) -> None:
    accounts.add("李", None, ["commander"], "荆州渔政", [], NOW, "管理员", identity="https://id.example|7")
    assert accounts.sign_in_by("https://id.example|7", NOW, "page").viewer.account == "李"
    with pytest.raises(Denied, match="No account"):
        accounts.sign_in_by("https://id.example|8", NOW, "page")
    with pytest.raises(Denied, match="wrong"):
        accounts.sign_in("李", "", NOW, "page")


def test_passwords_and_tokens_are_not_in_the_database(accounts: Accounts, store: Store) -> None:
    from geo_monitor.store.schema import metadata

    token = accounts.sign_in("王", WORD, NOW, "page").token
    for table in metadata.sorted_tables:
        for row in store.rows(table.select()):
            assert WORD not in str(tuple(row))
            assert token not in str(tuple(row))


AGENCIES = [("荆州渔政", "421000"), ("公安县渔政", "421022"), ("宜昌渔政", "420500"), ("鄂渔政", "420000")]


@pytest.mark.parametrize(
    ("viewer", "seen"),
    [
        (Viewer("a", "荆州渔政", ("analyst",), ("421000",)), {"荆州渔政", "公安县渔政"}),
        (Viewer("a", "公安县渔政", ("analyst",), ("421022",)), {"公安县渔政"}),
        (Viewer("a", "公安县渔政", ("uploader",), ("421000",)), {"公安县渔政"}),  # uploaders: their own only
        (Viewer("a", "鄂渔政", ("commander",), ("420000",)), {"鄂渔政", "荆州渔政", "公安县渔政", "宜昌渔政"}),
        (Viewer("a", None, ("analyst",), ()), set()),
        (Viewer("a", None, ("admin",), ("100000",)), set()),  # who makes accounts reads no reports
        (Viewer("a", None, ("analyst",), ("100000",)), None),
        (OWNER, None),
    ],
)
def test_whose_rows_somebody_sees(viewer: Viewer, seen: set[str] | None) -> None:
    assert readable(viewer, AGENCIES) == seen
