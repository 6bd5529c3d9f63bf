"""Sentences of the area `simulate`: code -> (Chinese, English)."""

MESSAGES: dict[str, tuple[str, str]] = {}
