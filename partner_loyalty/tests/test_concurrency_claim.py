"""Many requests at once: no more pieces than there are, no more points than the member has."""

from psycopg2 import errors

from odoo.exceptions import UserError
from odoo.service.model import retrying
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_concurrency import ConcurrencyCase

THREADS = 16


@tagged("post_install", "-at_install")
class TestConcurrentClaims(ConcurrencyCase):
    def test_the_last_pieces_go_to_as_many_as_there_are(self):
        self.assertEqual(self._race(stock=3, points=1000), 3)

    def test_points_are_spent_once_however_many_ask_at_once(self):
        self.assertEqual(self._race(stock=0, points=50), 5)

    def _race(self, stock, points):
        """Let as many threads claim a reward of 10 points at once; return how many got it."""
        claim_ids = self._prepare_claims(stock, points)
        outcomes = self._run_together(lambda: self._request(claim_ids.pop()), THREADS)
        self.assertEqual(len(outcomes), THREADS)
        with self._transaction() as env:
            requested = env["partner.loyalty.claim"].search(
                [("program_id", "=", self.program_id), ("state", "=", "requested")]
            )
            count = len(requested)
            self.assertEqual(self._get_points(env).balance, points - 10 * count)
            requested.action_cancel()
            self._clear_points(env)
        self.assertEqual(outcomes.count("requested"), count)
        return count

    def _prepare_claims(self, stock, points):
        with self._transaction() as env:
            account = self._get_points(env)
            Entry = env["partner.loyalty.entry"]
            origin = env["res.partner"].browse(self.partner_id)
            env.cr.execute("SELECT COUNT(*) FROM partner_loyalty_entry WHERE account_id = %s", [account.id])
            revision = env.cr.fetchone()[0]
            Entry._post_vals([Entry._prepare_entry_vals(account, "accrual", points, origin, revision=revision)])
            products = env["product.product"]
            product = products.search([("name", "=", "Racing Pen")], limit=1) or products.create({"name": "Racing Pen"})
            reward = env["partner.loyalty.reward"].create(
                {
                    "name": "Pen",
                    "program_id": self.program_id,
                    "product_id": product.id,
                    "point_cost": 10,
                    "stock": stock,
                }
            )
            vals = {"reward_id": reward.id, "member_id": self.member_id}
            return env["partner.loyalty.claim"].create([vals] * THREADS).ids

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

    def _get_points(self, env):
        return env["partner.loyalty.member"].browse(self.member_id)._get_account("point")

    def _clear_points(self, env):
        account = self._get_points(env)
        Entry = env["partner.loyalty.entry"]
        if account.balance:
            origin = env["res.partner"].browse(self.partner_id)
            vals = Entry._prepare_entry_vals(account, "clawback", -account.balance, origin, revision=account.version)
            Entry._post_vals([vals])
            env["partner.loyalty.allocation"]._settle(account.ids)
