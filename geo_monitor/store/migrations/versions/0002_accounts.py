"""Water levels, accounts and what goes with them; every row of the audit book gets its hash."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

from geo_monitor.store import audit, policies

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=True),
        sa.Column("identity", sa.Text(), nullable=True),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("adcodes", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=True),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.BigInteger(), nullable=True),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sa.UniqueConstraint("identity"),
    )
    op.create_table(
        "agencies",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("adcode", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "levels",
        sa.Column("row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reading_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("level_m", sa.Float(precision=53), nullable=False),
        sa.Column("agency", sa.Text(), nullable=True),
        sa.Column("receipt_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("row"),
    )
    op.create_index("levels_by_receipt", "levels", ["receipt_id"], unique=False)
    op.create_table(
        "persons",
        sa.Column("row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("report_id", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=True),
        sa.Column("part", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("pseudonym", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("receipt_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("row"),
    )
    op.create_index("ix_persons_receipt_id", "persons", ["receipt_id"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token"),
    )
    op.create_table(
        "shares",
        sa.Column("row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("from_agency", sa.Text(), nullable=False),
        sa.Column("to_agency", sa.Text(), nullable=False),
        sa.Column("hidden", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("row"),
    )
    op.add_column("zones", sa.Column("level_station", sa.Text(), nullable=True))
    op.add_column("zones", sa.Column("level_from_m", sa.Float(precision=53), nullable=True))
    op.add_column("zones", sa.Column("level_to_m", sa.Float(precision=53), nullable=True))
    _chain()
    connection = op.get_bind()
    for statement in policies.statements(connection.dialect.name):
        op.execute(sa.text(statement))
    meta = sa.table("meta", sa.column("key"), sa.column("value"))
    op.bulk_insert(meta, [{"key": "workspace_id", "value": secrets.token_hex(8)}])


def _chain() -> None:
    """The rows written before there was a chain are its first links."""
    op.add_column("audit", sa.Column("hash", sa.Text()))
    names = ("row", "at", "who", "action", "subject", "detail", "hash")
    book = sa.table("audit", *(sa.column(name) for name in names))
    connection = op.get_bind()
    before = audit.FIRST
    for row in connection.execute(sa.select(book).order_by(book.c.row)).all():
        before = audit.link(before, row.at, row.who, row.action, row.subject, row.detail)
        connection.execute(sa.update(book).where(book.c.row == row.row).values(hash=before))
    with op.batch_alter_table("audit") as table:
        table.alter_column("hash", existing_type=sa.Text(), nullable=False)
