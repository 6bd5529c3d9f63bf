"""The tables of the first workspaces."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from geo_monitor.store.shapes import Shape

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("row"),
    )
    op.create_table(
        "jurisdictions",
        sa.Column("row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("adcode", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=True),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("geometry", Shape(), nullable=True),
        sa.Column("agency", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("receipt_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("row"),
    )
    op.create_index("jurisdictions_by_receipt", "jurisdictions", ["receipt_id"], unique=False)
    op.create_table(
        "meta",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "patrols",
        sa.Column("row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("patrol_id", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.Text(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("river", sa.Text(), nullable=True),
        sa.Column("km_from", sa.Float(precision=53), nullable=True),
        sa.Column("km_to", sa.Float(precision=53), nullable=True),
        sa.Column("persons", sa.Float(precision=53), nullable=True),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("receipt_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("row"),
    )
    op.create_index("patrols_by_receipt", "patrols", ["receipt_id"], unique=False)
    op.create_table(
        "rasters",
        sa.Column("row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("raster_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("width", sa.BigInteger(), nullable=True),
        sa.Column("height", sa.BigInteger(), nullable=True),
        sa.Column("pixel_m", sa.Float(precision=53), nullable=True),
        sa.Column("agency", sa.Text(), nullable=True),
        sa.Column("geometry", Shape(), nullable=True),
        sa.Column("receipt_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("row"),
    )
    op.create_index("rasters_by_receipt", "rasters", ["receipt_id"], unique=False)
    op.create_table(
        "receipts",
        sa.Column("row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("receipt_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_reason", sa.Text(), nullable=True),
        sa.Column("receipt", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("row"),
    )
    op.create_index("receipts_by_receipt_id", "receipts", ["receipt_id"], unique=True)
    op.create_table(
        "river_lines",
        sa.Column("row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("line_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("river", sa.Text(), nullable=True),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("km", sa.Float(precision=53), nullable=True),
        sa.Column("accuracy_m", sa.Float(precision=53), nullable=True),
        sa.Column("mouth", sa.Text(), nullable=True),
        sa.Column("main_stem", sa.Text(), nullable=True),
        sa.Column("agency", sa.Text(), nullable=True),
        sa.Column("geometry", Shape(), nullable=True),
        sa.Column("receipt_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("row"),
    )
    op.create_index("river_lines_by_receipt", "river_lines", ["receipt_id"], unique=False)
    op.create_table(
        "runs",
        sa.Column("row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("period_from", sa.BigInteger(), nullable=True),
        sa.Column("period_to", sa.BigInteger(), nullable=True),
        sa.Column("as_of", sa.BigInteger(), nullable=True),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("row"),
    )
    op.create_index("runs_by_run_id", "runs", ["run_id"], unique=True)
    op.create_table(
        "seizures",
        sa.Column("row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("report_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("lon", sa.Float(precision=53), nullable=True),
        sa.Column("lat", sa.Float(precision=53), nullable=True),
        sa.Column("river", sa.Text(), nullable=True),
        sa.Column("km", sa.Float(precision=53), nullable=True),
        sa.Column("bank", sa.Text(), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("setting", sa.Text(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=True),
        sa.Column("gear", sa.Text(), nullable=True),
        sa.Column("quantity", sa.Float(precision=53), nullable=True),
        sa.Column("catch_kg", sa.Float(precision=53), nullable=True),
        sa.Column("value_cny", sa.Float(precision=53), nullable=True),
        sa.Column("vessels", sa.Float(precision=53), nullable=True),
        sa.Column("suspects", sa.Float(precision=53), nullable=True),
        sa.Column("disposition", sa.Text(), nullable=True),
        sa.Column("patrol_id", sa.Text(), nullable=True),
        sa.Column("agency", sa.Text(), nullable=True),
        sa.Column("receipt_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("row"),
    )
    op.create_index("seizures_by_receipt", "seizures", ["receipt_id"], unique=False)
    op.create_table(
        "units",
        sa.Column("row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("unit_id", sa.Text(), nullable=False),
        sa.Column("mmsi", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("platform", sa.Text(), nullable=True),
        sa.Column("agency", sa.Text(), nullable=True),
        sa.Column("base", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("receipt_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("row"),
    )
    op.create_index("units_by_receipt", "units", ["receipt_id"], unique=False)
    op.create_table(
        "zones",
        sa.Column("row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("zone_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=True),
        sa.Column("season_from", sa.Text(), nullable=True),
        sa.Column("season_to", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.BigInteger(), nullable=True),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.Column("agency", sa.Text(), nullable=True),
        sa.Column("geometry", Shape(), nullable=True),
        sa.Column("receipt_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("row"),
    )
    op.create_index("zones_by_receipt", "zones", ["receipt_id"], unique=False)
