"""Detectors: what boats do on the water that somebody should look at. Pure: fixes in, events out; no files, no clock."""
