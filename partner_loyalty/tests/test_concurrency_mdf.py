"""Many clicks at once: a marketing fund gives no more than its budget, and a claim is settled once."""

from uuid import uuid4

from psycopg2 import errors

from odoo.exceptions import UserError
from odoo.service.model import retrying
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_concurrency import ConcurrencyCase

THREADS = 12


@tagged("post_install", "-at_install")
class TestConcurrentMdf(ConcurrencyCase):
    @classmethod
    def _delete_all(cls, env):
        env.cr.execute("DELETE FROM partner_loyalty_claim WHERE program_id = %s", [cls.program_id])
        env.cr.execute(
            """DELETE FROM mail_message WHERE model = 'partner.loyalty.fund'
                  AND res_id IN (SELECT id FROM partner_loyalty_fund WHERE program_id = %s)""",
            [cls.program_id],
        )
        env.cr.execute("DELETE FROM partner_loyalty_fund WHERE program_id = %s", [cls.program_id])
        return super()._delete_all(env)

    def test_a_fund_is_given_once_however_many_ask_at_once(self):
        """Each asks by a reward of its own: the fund alone is what they have in common."""
        claim_ids = self._prepare_claims(THREADS)
        outcomes = self._run_together(lambda: self._press("action_request", claim_ids.pop()), THREADS)
        self.assertEqual((outcomes.count("done"), outcomes.count("refused")), (3, THREADS - 3))
        with self._transaction() as env:
            fund = env["partner.loyalty.fund"].browse(self.fund_id)
            self.assertEqual((fund.requested_amount, fund.left_amount), (300, 50))

    def test_a_claim_is_settled_once_however_many_settle_it_at_once(self):
        (claim_id,) = self._prepare_claims(1)
        self._prove(claim_id)
        outcomes = self._run_together(lambda: self._press("action_fulfill", claim_id), THREADS)
        self.assertEqual((outcomes.count("done"), outcomes.count("refused")), (1, THREADS - 1))
        self.assertEqual(self._get_balance(), 100)
        with self._transaction() as env:
            env["partner.loyalty.claim"].browse(claim_id).action_take_back("For the next test")

    @classmethod
    def _prepare_claims(cls, count):
        with cls._transaction() as env:
            today = env["partner.loyalty.program"].browse(cls.program_id)._get_today()
            dates = {"date_from": today, "date_to": today}
            vals = {"program_id": cls.program_id, "budget": 350, **dates}
            cls.fund_id = env["partner.loyalty.fund"].create({"name": str(uuid4()), **vals}).id
            rewards = env["partner.loyalty.reward"].create(
                [{"name": f"Money {number}", "program_id": cls.program_id, "kind": "mdf"} for number in range(count)]
            )
            plan = {
                "member_id": cls.member_id,
                "mdf_fund_id": cls.fund_id,
                "mdf_plan": "Fair",
                "mdf_date_from": today,
                "mdf_date_to": today,
                "mdf_requested_amount": 100,
            }
            return env["partner.loyalty.claim"].create([{"reward_id": reward.id, **plan} for reward in rewards]).ids

    @classmethod
    def _prove(cls, claim_id):
        """Bring a claim to where it is settled: approved by itself, and with its proof."""
        with cls._transaction() as env:
            claim = env["partner.loyalty.claim"].browse(claim_id)
            claim.reward_id.need_approval = False
            claim.action_request()
            file = {"name": "invoice.pdf", "raw": b"%PDF-1.4", "res_model": claim._name, "res_id": claim.id}
            claim.write({"mdf_spent_amount": 100, "mdf_proof_ids": env["ir.attachment"].create(file).ids})

    def _press(self, button, claim_id):
        """Press as a click does, with the retries of a request, and once more where those were used up."""
        while True:
            try:
                with self._transaction() as env, mute_logger("odoo.sql_db", "odoo.service.model"):
                    claim = env["partner.loyalty.claim"].browse(claim_id)
                    retrying(getattr(claim, button), claim.env)
                return "done"
            except UserError:
                return "refused"
            except errors.OperationalError:
                continue
