"""A sample of ``make fuzz``: random sequences against a reference model in plain Python."""

from contextlib import closing

import pytest
from fuzz import run

from odoo.modules.registry import Registry
from odoo.tests import get_db_name
from odoo.tools import mute_logger


@pytest.fixture(scope="module")
def player():
    """Return a player whose transaction is rolled back in the end."""
    cursor = Registry(get_db_name()).cursor()
    with mute_logger("odoo.sql_db"), closing(cursor) as cr, run.playing(cr) as player:
        yield player


def test_random_sequences_agree_with_the_reference_model(player):
    report = run.run(player, [*run.read_found(), *((seed, None) for seed in range(8))], run.Report())
    assert not report.failures, [(found.seed, found.message, found.steps) for found in report.failures]
    assert report.operations > 30


def test_the_ledger_alone_agrees_with_the_reference_model(player):
    machine = pytest.importorskip("fuzz.machine", reason="the package hypothesis is not installed")
    machine.run(player, examples=50)
