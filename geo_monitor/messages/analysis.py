"""Sentences of the area `analysis`: code -> (Chinese, English)."""

MESSAGES: dict[str, tuple[str, str]] = {}
