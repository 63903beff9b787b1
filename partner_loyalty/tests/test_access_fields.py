"""What of a record is for the company alone: notes, reasons, costs, margins and budgets."""

import re

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .test_access import RIGHTS, AccessCommon

# What the name of a field that is for the company alone looks like.
INTERNAL = re.compile(r"analytic|budget|comment|cost|error|floor|internal|journal|liability|limit|margin|note|reason")

# Fields with such names that are for more people, each with the reason.
OPEN = {
    "partner.loyalty.reward": {
        "member_limit": "how often a member can have it",
        "point_cost": "what a member pays for it",
    },
    "partner.loyalty.claim": {
        "note": "what the member wished",
        "rating_comment": "what the member said about it",
        "refuse_reason": "said to the member",
        "cancel_reason": "said to the member",
    },
    "partner.loyalty.fund": {"budget": "what the member can ask for"},
    "partner.loyalty.badge": {"reason": "what the member has it for"},
    "partner.loyalty.rule": {"error": "whether a rule works is no secret"},
    "partner.loyalty.member": {"quiet_reason": "for who looks after the partner"},
    "partner.loyalty.warning": {
        "note": "for who looks after the partner",
        "reason_text": "for who looks after the partner",
    },
    "partner.loyalty.deal": {
        "price_reason": "what the member says of the price",
        "price_refuse_reason": "said to the member",
        "refuse_reason": "said to the member",
    },
}
STAFF_ONLY = {
    "partner.loyalty.program": {
        "analytic_distribution",
        "assumed_margin",
        "liability_account_id",
        "liability_expense_account_id",
        "liability_journal_id",
        "payout_journal_id",
        "payout_limit",
        "payout_product_id",
        "stack_margin_floor",
        "stack_price_floor",
    },
    "partner.loyalty.rule": {"budget"},
    "partner.loyalty.reward": {"unit_cost"},
    "partner.loyalty.payout": {"bill_error", "hold_reason", "refuse_reason"},
    "partner.loyalty.acceptance": {"note"},
    "partner.loyalty.tier.period": {"reason"},
}


@tagged("post_install", "-at_install")
class TestFields(AccessCommon):
    def _get_readable(self, model, role):
        fields = self.env[model].with_user(self.users[role]).fields_get(attributes=["type"])
        return {name for name in fields if not name.startswith(("message_", "activity_", "website_message"))}

    def test_what_is_for_the_company_alone_is_read_by_officers_and_accountants(self):
        for model, names in STAFF_ONLY.items():
            for role in ("officer", "accountant"):
                with self.subTest(model=model, role=role):
                    self.assertEqual(names - self._get_readable(model, role), set())
                    self.records[model].with_user(self.users[role]).read(list(names))

    def test_it_is_read_by_nobody_else(self):
        for model, names in STAFF_ONLY.items():
            for role in ("portal_own", "salesperson_own", "internal", "settings"):
                if "r" not in RIGHTS[model].get(role, ""):
                    continue
                for name in names:
                    with self.subTest(model=model, field=name, role=role):
                        record = self.records[model].with_user(self.users[role])
                        with self.assertRefused("", AccessError):
                            record.read([name])
                        with self.assertRefused("", AccessError):
                            record.search([(name, "!=", False)])

    def test_whatever_is_named_like_it_is_for_officers_or_was_thought_about(self):
        for model, rights in RIGHTS.items():
            for role in ("portal_own", "salesperson_own", "internal"):
                if "r" not in rights.get(role, "") or self.registry[model]._transient:
                    continue
                found = {name for name in self._get_readable(model, role) if INTERNAL.search(name)}
                with self.subTest(model=model, role=role):
                    self.assertEqual(found - OPEN.get(model, {}).keys(), set())
