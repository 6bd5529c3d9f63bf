"""Sentences of the area `app`: code -> (Chinese, English)."""

MESSAGES: dict[str, tuple[str, str]] = {}
