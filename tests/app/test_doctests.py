"""The examples in the docstrings of the page's modules (kept out of pytest's own collection, which would start pages)."""

import doctest
import importlib
import pkgutil

import pytest

import geo_monitor.app

NAMES = sorted(module.name for module in pkgutil.iter_modules(geo_monitor.app.__path__))


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_hold(name):
    assert doctest.testmod(importlib.import_module(f"geo_monitor.app.{name}")).failed == 0
