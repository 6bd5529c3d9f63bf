"""Days of positions may have been let go (`store.expire`): an older program would take them for days on which nobody
was out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

TEXT, BIG = sa.Text(), sa.BigInteger()


def _row() -> sa.Column:
    return sa.Column("row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False)


def upgrade() -> None:
    """Adds the tables of what was held of such days."""
    op.create_table(
        "expired",
        _row(),
        sa.Column("day", BIG),
        sa.Column("receipt_id", TEXT, nullable=False),
        sa.Column("fixes", BIG, nullable=False),
        sa.Column("first_at", BIG),
        sa.Column("last_at", BIG),
        sa.Column("sha256", TEXT),
        sa.PrimaryKeyConstraint("row"),
    )
    op.create_index("ix_expired_receipt_id", "expired", ["receipt_id"], unique=False)
    op.create_table(
        "expired_units",
        _row(),
        sa.Column("unit_id", TEXT, nullable=False),
        sa.Column("agency", TEXT),
        sa.PrimaryKeyConstraint("row"),
    )
