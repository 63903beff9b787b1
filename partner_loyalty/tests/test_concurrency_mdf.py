"""Many requests at once: a marketing fund gives no more than its budget."""

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
        env.cr.execute("DELETE FROM partner_loyalty_fund WHERE program_id = %s", [cls.program_id])
        env.cr.execute("DELETE FROM mail_message WHERE model = 'partner.loyalty.fund' AND res_id = %s", [cls.fund_id])
        return super()._delete_all(env)

    def test_a_fund_is_given_once_however_many_ask_at_once(self):
        """Each asks by a reward of its own: the fund alone is what they have in common."""
        claim_ids = self._prepare_claims()
        outcomes = self._run_together(lambda: self._request(claim_ids.pop()), THREADS)
        self.assertEqual((outcomes.count("requested"), outcomes.count("refused")), (3, THREADS - 3))
        with self._transaction() as env:
            fund = env["partner.loyalty.fund"].browse(self.fund_id)
            self.assertEqual((fund.requested_amount, fund.left_amount), (300, 50))

    @classmethod
    def _prepare_claims(cls):
        with cls._transaction() as env:
            today = env["partner.loyalty.program"].browse(cls.program_id)._get_today()
            dates = {"date_from": today, "date_to": today}
            vals = {"name": "Race", "program_id": cls.program_id, "budget": 350, **dates}
            cls.fund_id = env["partner.loyalty.fund"].create(vals).id
            rewards = env["partner.loyalty.reward"].create(
                [{"name": f"Money {number}", "program_id": cls.program_id, "kind": "mdf"} for number in range(THREADS)]
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

    def _request(self, claim_id):
        """Ask as a click does, with the retries of a request, and once more where those were used up."""
        while True:
            try:
                with self._transaction() as env, mute_logger("odoo.sql_db", "odoo.service.model"):
                    claim = env["partner.loyalty.claim"].browse(claim_id)
                    retrying(claim.action_request, claim.env)
                return "requested"
            except UserError:
                return "refused"
            except errors.OperationalError:
                continue
