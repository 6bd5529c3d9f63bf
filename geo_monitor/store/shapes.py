"""Shapes in a database: WKB bytes in SQLite, PostGIS geometry on a server, so that any GIS there reads the tables."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sql
from sqlalchemy.types import UserDefinedType


class _PostGIS(UserDefinedType[bytes]):
    """geometry(Geometry, 4326), WKB going in and coming out."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "geometry(Geometry,4326)"

    def bind_expression(self, bindvalue: sql.BindParameter[bytes]) -> sql.ColumnElement[Any]:
        return sql.func.ST_GeomFromWKB(bindvalue, 4326, type_=self)

    def column_expression(self, colexpr: sql.ColumnElement[Any]) -> sql.ColumnElement[Any]:
        return sql.func.ST_AsBinary(colexpr, type_=sql.LargeBinary())


def Shape() -> sql.types.TypeEngine[bytes]:
    """The type of a column of shapes."""
    return sql.LargeBinary().with_variant(_PostGIS(), "postgresql")
