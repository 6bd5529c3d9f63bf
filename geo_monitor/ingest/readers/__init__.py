"""One reader a format: bytes to raw cells and shapes (`geo_monitor.ingest.raw.Raw`). No reader judges what rows mean."""
