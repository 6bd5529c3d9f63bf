"""How fast, how heavy and how late the live page is with many people at it."""
