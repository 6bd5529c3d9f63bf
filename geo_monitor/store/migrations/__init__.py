"""The steps by which an older workspace becomes one of today (alembic).

A new workspace is made by `schema.metadata` and marked as being at the newest step; tests hold the two ways together.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlalchemy as sql


def stamp(connection: sql.Connection, revision: str = "head") -> None:
    """Marks the database as being at a step, without taking any."""
    from alembic import command

    command.stamp(_config(connection), revision)


def upgrade(connection: sql.Connection, revision: str = "head") -> None:
    """Takes all steps that are missing, within the transaction of `connection`."""
    from alembic import command

    command.upgrade(_config(connection), revision)


def _config(connection: sql.Connection) -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config
