"""Row-level security: what somebody reads who goes to the database with a program of their own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sql

from geo_monitor.settings import Settings
from geo_monitor.store import Store
from geo_monitor.store.accounts import Accounts
from geo_monitor.store.database import address, schema_of
from geo_monitor.store.policies import LAW, OURS, role_of
from geo_monitor.store.rights import Viewer, readable
from geo_monitor.store.schema import metadata
from tests.postgres import Server
from tests.store.test_accounts import AGENCIES, WORD
from tests.store.uploads import seizures, upload

NOW = datetime(2026, 5, 1, tzinfo=UTC)
PEOPLE = {  # name -> agency, roles, adcodes
    "荆州员": ("荆州渔政", ["analyst"], ["421000"]),
    "公安员": ("公安县渔政", ["analyst"], ["421022"]),
    "公安报送": ("公安县渔政", ["uploader"], ["421000"]),
    "省指挥": ("鄂渔政", ["commander"], ["420000"]),
    "无辖区": (None, ["analyst"], []),
    "管理员": (None, ["admin"], ["100000"]),
    "流域": (None, ["analyst"], ["100000"]),
}


@pytest.fixture(scope="module")
def held(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, str]]:
    folder = tmp_path_factory.mktemp("policies")
    url = server.url()
    store = Store.create(folder / "ws", url)
    accounts = Accounts(store, Settings())
    for name, adcode in AGENCIES:
        accounts.add_agency(name, adcode, NOW, "local")
        row = seizures(report_id=[name], agency=[name])
        store.commit(*upload(folder, "seizures", row, f"r-{adcode}", agency=name, content=name.encode()))
    store.commit(*upload(folder, "seizures", seizures(report_id=["没登记"], agency=["路人"]), "r-x", agency="路人"))
    for name, (agency, roles, adcodes) in sorted(PEOPLE.items(), key=lambda one: "admin" not in one[1][1]):
        accounts.add(name, WORD, roles, agency, adcodes, NOW, "local")
    yield store, url
    store.close()


def as_person(url: str, server: Server, name: str) -> sql.Connection:
    """A connection of their own: the superuser gave the account's role a login."""
    role = role_of(schema_of(address(Path(), url)), name)
    engine = sql.create_engine(address(Path(), url).set(username="postgres").difference_update_query(["schema"]))
    with engine.begin() as connection:
        connection.exec_driver_sql(f'ALTER ROLE "{role}" LOGIN')
    engine.dispose()
    own = sql.create_engine(address(Path(), url).set(username=role).difference_update_query(["schema"]))
    return own.connect()


@pytest.mark.parametrize("name", PEOPLE)
def test_sql_shows_what_the_program_shows(held: tuple[Store, str], server: Server, name: str) -> None:
    _, url = held
    space = schema_of(address(Path(), url))
    agency, roles, adcodes = PEOPLE[name]
    seen = readable(Viewer(name, agency, tuple(roles), tuple(adcodes)), AGENCIES)
    every = {told for told, _ in AGENCIES} | {"路人"}
    expected = every if seen is None else every & set(seen)
    with as_person(url, server, name) as person:
        for table in ("seizures", "receipts"):
            found = person.exec_driver_sql(f'SELECT agency FROM "{space}".{table}').scalars().all()
            assert set(found) == expected


def test_nothing_else_is_readable_and_nothing_writable(held: tuple[Store, str], server: Server) -> None:
    _, url = held
    space = schema_of(address(Path(), url))
    with as_person(url, server, "荆州员") as person:
        for table in metadata.sorted_tables:
            if table.name in (*LAW, *OURS):
                continue
            with pytest.raises(sql.exc.ProgrammingError, match="permission denied"):
                person.exec_driver_sql(f'SELECT * FROM "{space}".{table.name}')
            person.rollback()
        for statement in (
            f'DELETE FROM "{space}".seizures',
            f'UPDATE "{space}".seizures SET place = NULL',
            f"INSERT INTO \"{space}\".agencies VALUES ('x', '421000')",
            f'ALTER TABLE "{space}".seizures DISABLE ROW LEVEL SECURITY',
        ):
            with pytest.raises(sql.exc.ProgrammingError, match=r"permission denied|must be owner"):
                person.exec_driver_sql(statement)
            person.rollback()


def test_a_disabled_account_reads_nothing_more(held: tuple[Store, str], server: Server) -> None:
    store, url = held
    space = schema_of(address(Path(), url))
    with as_person(url, server, "省指挥") as person:
        query = f'SELECT count(*) FROM "{space}".seizures'
        assert person.exec_driver_sql(query).scalar() == 4
        Accounts(store, Settings()).change("省指挥", NOW, "local", disabled=True)
        person.rollback()
        assert person.exec_driver_sql(query).scalar() == 0
        Accounts(store, Settings()).change("省指挥", NOW, "local", disabled=False)


def test_a_gis_reads_the_shapes(server: Server, tmp_path: Path) -> None:
    import geopandas as gpd
    import shapely

    square = shapely.box(112.0, 30.0, 112.5, 30.25)
    store = Store.create(tmp_path / "ws", server.url())
    rows = gpd.GeoDataFrame({"zone_id": ["z"], "version": [1]}, geometry=[square], crs="EPSG:4326")
    store.commit(*upload(tmp_path, "zones", rows, "r1"))
    query = "SELECT ST_SRID(geometry), ST_Area(geometry), ST_AsText(ST_Centroid(geometry)) FROM zones"
    assert store.rows(sql.text(query)) == [(4326, 0.125, "POINT(112.25 30.125)")]
    assert shapely.to_wkb(store.records("zones")["geometry"].iloc[0]) == shapely.to_wkb(square)
    store.close()
