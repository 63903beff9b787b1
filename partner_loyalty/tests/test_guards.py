"""Tests that exist so that each guard has one that goes red without it; see ``make guards``."""

from odoo.exceptions import ValidationError

from .common import PartnerLoyaltyCommon


class TestGuards(PartnerLoyaltyCommon):
    def test_numbers_that_are_none_are_refused_before_they_are_stored(self):
        program = self._create_program(rules=[{}])
        for value in (float("nan"), float("inf"), 1e15, "twelve"):
            with self.subTest(value=value), self.assertRefused("is not a number", ValidationError):
                program.payout_minimum = value
            with self.subTest(created=value), self.assertRefused("is not a number", ValidationError):
                self._create_program(payout_minimum=value)
