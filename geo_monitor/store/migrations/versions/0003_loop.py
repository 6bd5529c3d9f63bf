"""Live fixes and feeds; events, warnings, rules and taskings with all their revisions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TEXT, FLOAT, BIG = sa.Text(), sa.Float(precision=53), sa.BigInteger()
REVISED = (
    ("revised_at", BIG, False),
    ("revised_by", TEXT, False),
    ("reason", TEXT, True),
    ("newest", sa.Boolean(), False),
)
TABLES = {
    "events": (
        ("event_id", TEXT, False), ("revision", BIG, False), ("state", TEXT, False), ("kind", TEXT, False),
        ("rule", TEXT, False), ("rule_version", BIG, False), ("unit_ids", TEXT, True), ("reach_id", TEXT, True),
        ("zone_id", TEXT, True), ("adcodes", TEXT, True), ("started_at", BIG, False), ("ended_at", BIG, True),
        ("lon", FLOAT, True), ("lat", FLOAT, True), ("evidence", TEXT, True),
    ),
    "warnings": (
        ("warning_id", TEXT, False), ("revision", BIG, False), ("class", TEXT, False), ("grade", TEXT, False),
        ("reach_id", TEXT, True), ("adcode", TEXT, True), ("level", TEXT, False), ("lon", FLOAT, True),
        ("lat", FLOAT, True), ("opened_at", BIG, False), ("sign_by", BIG, True), ("signed_at", BIG, True),
        ("signed_by", TEXT, True), ("escalated_at", BIG, True), ("report_by", BIG, True), ("state", TEXT, False),
        ("event_ids", TEXT, True), ("rule", TEXT, True), ("probability", FLOAT, True), ("probability_lo", FLOAT, True),
        ("probability_hi", FLOAT, True), ("harm", FLOAT, True), ("evidence", TEXT, True), ("outcome", TEXT, True),
    ),
    "rules": (
        ("rule", TEXT, False), ("revision", BIG, False), ("version", BIG, False), ("kind", TEXT, False),
        ("class", TEXT, False), ("state", TEXT, False), ("harm", FLOAT, False), ("body", TEXT, False),
        ("made_by", TEXT, False), ("approved_by", TEXT, True), ("expires_at", BIG, True), ("backtest", TEXT, True),
    ),
    "taskings": (
        ("tasking_id", TEXT, False), ("revision", BIG, False), ("warning_id", TEXT, False), ("unit_id", TEXT, True),
        ("state", TEXT, False), ("made_at", BIG, False), ("due_at", BIG, True), ("result", TEXT, True),
        ("text", TEXT, True), ("report_id", TEXT, True), ("accepted_at", BIG, True), ("under_way_at", BIG, True),
        ("on_scene_at", BIG, True), ("ended_at", BIG, True), ("told_by", TEXT, True), ("how", TEXT, True),
    ),
}  # fmt: skip
LIVE = (
    ("unit_id", TEXT, False), ("time", BIG, False), ("lon", FLOAT, False), ("lat", FLOAT, False),
    ("speed", FLOAT, True), ("heading", FLOAT, True), ("platform", TEXT, True), ("role", TEXT, False),
    ("source", TEXT, True), ("feed", TEXT, False), ("agency", TEXT, True), ("arrived_at", BIG, False),
)  # fmt: skip
FEEDS = (
    ("agency", TEXT, True), ("mark", TEXT, True), ("seen_at", BIG, False), ("stored", BIG, False),
    ("repeated", BIG, False), ("refused", BIG, False), ("told", TEXT, False), ("held", TEXT, False),
)  # fmt: skip


def _columns(told: tuple[tuple[str, sa.types.TypeEngine, bool], ...]) -> list[sa.Column]:
    return [sa.Column(name, kind, nullable=null) for name, kind, null in told]


def _row() -> sa.Column:
    return sa.Column("row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False)


def upgrade() -> None:
    for name, columns in TABLES.items():
        op.create_table(name, _row(), *_columns((*columns, *REVISED)), sa.PrimaryKeyConstraint("row"))
        op.create_index(f"{name}_by_id", name, [columns[0][0], "revision"], unique=True)
        op.create_index(f"{name}_by_state", name, ["newest", "state"], unique=False)
    op.create_table("live", _row(), *_columns(LIVE), sa.PrimaryKeyConstraint("row"), sqlite_autoincrement=True)
    op.create_index("live_by_moment", "live", ["unit_id", "time"], unique=True)
    op.create_table("feeds", sa.Column("name", TEXT, nullable=False), *_columns(FEEDS), sa.PrimaryKeyConstraint("name"))
    for column in _columns(
        (("capability", TEXT, True), ("crew", FLOAT, True), ("speed_kn", FLOAT, True), ("duty", TEXT, True))
    ):
        op.add_column("units", column)
