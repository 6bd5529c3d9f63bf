"""Settings of all tests."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# no test may fail because a machine is slow; in CI the same examples every time, so that a red run can be repeated
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("here", parent=patient)
settings.register_profile("ci", parent=patient, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")
