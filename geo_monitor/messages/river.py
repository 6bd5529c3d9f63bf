"""Sentences of the area `river`: code -> (Chinese, English)."""

MESSAGES: dict[str, tuple[str, str]] = {}
