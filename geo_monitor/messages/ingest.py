"""Sentences of the area `ingest`: code -> (Chinese, English)."""

MESSAGES: dict[str, tuple[str, str]] = {}
