"""Sentences of the area `store`: code -> (Chinese, English)."""

MESSAGES: dict[str, tuple[str, str]] = {}
