"""The clock of the pages, as in the tests of the duty."""

from tests.app.duty.conftest import clock as clock
