"""Sentences of the area `cli`: code -> (Chinese, English)."""

MESSAGES: dict[str, tuple[str, str]] = {}
