"""The examples in the docstrings of the page's modules (kept out of pytest's own collection, which would start pages)."""

import doctest
import importlib
import pkgutil

import pytest

import geo_monitor.app

NAMES = sorted(module.name for module in pkgutil.walk_packages(geo_monitor.app.__path__, "geo_monitor.app."))


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_hold(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0
