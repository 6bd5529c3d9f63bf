"""How well every method finds the worst reaches, on made-up rivers with a known truth: `python -m benchmarks.accuracy`."""
