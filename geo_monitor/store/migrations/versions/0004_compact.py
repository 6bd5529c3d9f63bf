"""No table changes: from here on a day of positions may lie in one file for many receipts (`store.compact`), which an
older program would neither read nor leave alone."""

from __future__ import annotations

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Nothing."""
