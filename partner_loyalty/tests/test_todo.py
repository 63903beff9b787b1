"""Each kind of work is something to do for whom it takes, and for nobody else."""

from contextlib import contextmanager

from lxml import etree

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import SQL
from odoo.tools.safe_eval import safe_eval

from .common import ROLES
from .test_access import AccessCommon

OFFICERS = {"officer", "manager", "other_manager"}
MANAGERS = {"manager", "other_manager"}
# For what one has asked for oneself, it takes another manager.
OTHERS = {"other_manager"}
# A kind of work, what it is about, how that stands then, and who has to act; the manager is who asked.
WORK = (
    ("payout_submit", "partner.loyalty.payout", {"decision": "draft"}, OFFICERS),
    ("payout_approve", "partner.loyalty.payout", {"decision": "submitted"}, OTHERS),
    ("payout_approve", "partner.loyalty.payout", {"decision": "second"}, OTHERS),
    ("payout_release", "partner.loyalty.payout", {"decision": "held"}, MANAGERS),
    ("payout_bill", "partner.loyalty.payout", {"decision": "approved", "is_bill_pending": True}, OFFICERS),
    ("payout_prepare", "partner.loyalty.program", {"payout_schedule": "month"}, OFFICERS),
    ("adjustment_request", "partner.loyalty.adjustment", {"state": "draft"}, OFFICERS),
    ("adjustment_approve", "partner.loyalty.adjustment", {"state": "requested"}, OTHERS),
    ("deal_submit", "partner.loyalty.deal", {"state": "draft"}, OFFICERS),
    ("deal_approve", "partner.loyalty.deal", {"state": "submitted"}, OTHERS),
    ("deal_price", "partner.loyalty.deal", {"state": "approved", "price_state": "requested"}, OFFICERS),
    ("stack_approve", "sale.order", {"state": "sent"}, OTHERS),
    ("attribution_approve", "partner.loyalty.attribution", {"state": "submitted"}, OTHERS),
    ("tier_review", "partner.loyalty.tier.review", {"state": "draft"}, OFFICERS),
    ("tier_publish", "partner.loyalty.tier.review", {"state": "reviewed"}, OTHERS),
    ("difference", "partner.loyalty.difference", {"state": "open"}, MANAGERS),
    ("rule_error", "partner.loyalty.rule", {"error": "No such field"}, MANAGERS),
    ("bonus_error", "partner.loyalty.bonus.action", {"error": "No such field"}, MANAGERS),
    ("message_error", "partner.loyalty.message", {"state": "failed"}, OFFICERS),
    ("check_error", "partner.loyalty.check", {"state": "failed"}, MANAGERS),
    ("pilot_decide", "partner.loyalty.pilot", {"state": "ended"}, MANAGERS),
    ("claim_request", "partner.loyalty.claim", {"state": "draft", "source": "points"}, OFFICERS),
    ("claim_approve", "partner.loyalty.claim", {"state": "requested"}, OTHERS),
    ("claim_fulfill", "partner.loyalty.claim", {"state": "approved"}, OFFICERS),
    ("inquiry_answer", "partner.loyalty.inquiry", {"kind": "question", "entry_id": None, "state": "new"}, OFFICERS),
    ("inquiry_decide", "partner.loyalty.inquiry", {"kind": "dispute", "state": "in_progress"}, OFFICERS),
    ("external_order", "partner.loyalty.external.order", {"state": "failed"}, OFFICERS),
    ("feedback_answer", "partner.loyalty.feedback", {"state": "new"}, OFFICERS),
    ("topic_publish", "partner.loyalty.topic", {"state": "pending"}, OFFICERS),
    ("application", "partner.loyalty.application", {"state": "new"}, OFFICERS),
)
# What says who has done the step before.
ASKED_BY = (
    "decided_by_id",
    "first_approved_by_id",
    "loyalty_stack_asked_by_id",
    "requested_by_id",
    "reviewed_by_id",
    "submitted_by_id",
)
# What is listed for its program.
BY_PROGRAM = ("message_error",)


@tagged("post_install", "-at_install")
class TestTodo(AccessCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users["other_manager"] = cls._create_role_user("other_manager", ROLES["manager"])
        order = cls._create_order(cls.dealer, 100, confirm=False)
        cls.records["sale.order"] = order.with_env(cls.env)

    @contextmanager
    def _let(self, model, vals):
        """Have a record stand for a while as it stands when it waits, as asked for by the manager."""
        record = self.records[model]
        asked = dict.fromkeys((name for name in ASKED_BY if name in record._fields), self.users["manager"].id)
        self.env.flush_all()
        columns = [SQL("%s = %s", SQL.identifier(name), value) for name, value in {**asked, **vals}.items()]
        table = SQL.identifier(record._table)
        with self.env.cr.savepoint() as savepoint:
            self.env.cr.execute(SQL("UPDATE %s SET %s WHERE id = %s", table, SQL(", ").join(columns), record.id))
            self.env.invalidate_all()
            yield record
            savepoint.rollback()
        self.env.invalidate_all()

    def _get_waiting(self, role, kind):
        """Return what a role finds of a kind on its page, by the filter that is on when it opens."""
        todos = self.env["partner.loyalty.todo"].with_user(self.users[role])
        arch = etree.fromstring(todos.get_view(view_type="search")["arch"])
        (waits,) = arch.xpath("//filter[@name='waits_for_me']")
        domain = safe_eval(waits.get("domain"), {"uid": self.users[role].id})
        return todos.search([*domain, ("kind", "=", kind)])

    def test_every_kind_of_work_is_tried(self):
        kinds = dict(self.env["partner.loyalty.todo"]._fields["kind"].selection)
        self.assertEqual({kind for kind, *_rest in WORK}, set(kinds))

    def test_work_waits_for_whom_it_takes(self):
        for kind, model, vals, roles in WORK:
            with self.subTest(work=kind, standing=vals), self._let(model, vals) as record:
                res_id = record.program_id.id if kind in BY_PROGRAM else record.id
                seen = {role for role in OFFICERS if res_id in self._get_waiting(role, kind).mapped("res_id")}
                self.assertEqual(seen, roles)

    def test_work_has_a_name_and_opens(self):
        labels = dict(self.env["partner.loyalty.todo"]._fields["kind"]._description_selection(self.env))
        for kind, model, vals, roles in WORK:
            with self.subTest(work=kind, standing=vals), self._let(model, vals):
                todo = self._get_waiting(min(roles), kind)[0]
                self.assertTrue(todo.record_name or model == "sale.order")
                # What the way back from the record is called.
                self.assertEqual(todo.display_name, labels[kind])
                self.assertTrue(todo.action_open()["res_model"])

    def test_what_one_may_not_read_has_no_name_and_hides_nothing_else(self):
        todos = self.env["partner.loyalty.todo"].with_user(self.users["officer"])
        with self._let("partner.loyalty.check", {"state": "failed"}):
            found = todos.search([])
            self.assertFalse(found.filtered(lambda todo: todo.kind == "check_error").record_name)
            self.assertTrue(found.filtered("record_name"))

    def test_who_has_no_part_in_the_program_has_no_page(self):
        for role in ("internal", "salesperson", "accountant", "portal_own"):
            with self.subTest(role=role), self.assertRefused(exception=AccessError):
                self.env["partner.loyalty.todo"].with_user(self.users[role]).search([])
