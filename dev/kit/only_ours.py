"""A pytest plugin that narrows Odoo's test_lint down to our modules, and makes a failure of what it merely logs."""

import logging
import os

import pytest

OURS = os.environ.get("OUR_MODULES", "").split(",")


@pytest.fixture(autouse=True)
def only_our_modules(monkeypatch):
    """Let the tests that go through all modules on the addons path see ours."""
    from odoo.modules.module import Manifest  # Odoo can be imported once pytest-odoo has set it up

    from odoo.addons.test_lint.tests import test_pofile

    monkeypatch.setattr(Manifest, "all_addon_manifests", lambda: [Manifest.for_addon(name) for name in OURS])
    monkeypatch.setattr(test_pofile, "get_modules", lambda: OURS)


@pytest.fixture(autouse=True)
def fail_on_warnings(caplog):
    """Fail a test that logs a warning: that is how several tests of test_lint report."""
    yield
    messages = [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.WARNING]
    if messages:
        pytest.fail("\n".join(messages))
