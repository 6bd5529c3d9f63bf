"""How well every method foretells the next week, on made-up rivers that drift: `python -m benchmarks.forecast`."""
