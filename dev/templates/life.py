"""What everybody does in the year: partners, their customers, and those who look after the program."""

import base64
import random
from datetime import date, timedelta

from odoo.exceptions import UserError

from .world import DEALERS

# A fading dealer begins with one large order, which leaves the time that is measured a year later.
FADING_START = date(2026, 1, 8)
# Who pays does so after so many days.
PAYING_DAYS = 15
RETURNS = 4
NOVELTY_DAY = date(2026, 4, 1)


class Life:
    """Plays the days of a world.

    :param world: :class:`templates.world.World`
    :param int seed: decides who buys when
    """

    def __init__(self, world, seed=1):
        self.world, self.env, self.program = world, world.env, world.program
        self.chance = random.Random(seed)
        self.unpaid = []

    def live(self, day):
        """Do what is done on a day."""
        self._buy(day)
        self._refer(day)
        self._pay_invoices(day)
        self._answer_surveys()
        self._claim(day)
        self._take_part(day)
        if day.day == 5:
            self._ask(day)
        if day.day == 6:
            self._answer()
        if day.day == 10:
            self._pay_out(day)
        if (day.month, day.day) == (3, 15):
            self._announce()

    # === SALES ===#

    def _buy(self, day):
        for name, (chance, amount, last) in DEALERS.items():
            if self.chance.randrange(100) < chance and (last is None or day <= last):
                self._sell(self.world.dealers[name], round(amount * self.chance.uniform(0.7, 1.3), 2), day)
        if day == FADING_START:
            self._sell(self.world.dealers["Fading"], 60000, day)
        if day >= NOVELTY_DAY and day.day == 1:
            self._try_novelty(day)

    def _sell(self, partner, amount, day, **vals):
        invoice = self.world.sell(partner, amount, day, **vals)
        if self.chance.randrange(100) < RETURNS:
            wizard = self.env["account.move.reversal"].with_context(active_model="account.move", active_ids=invoice.ids)
            wizard = wizard.create({"journal_id": invoice.journal_id.id, "date": day})
            self.env["account.move"].browse(wizard.reverse_moves()["res_id"]).action_post()
        else:
            self.unpaid.append((day + timedelta(days=PAYING_DAYS), invoice))

    def _try_novelty(self, day):
        """Let each dealer try to order what is released for some of them only."""
        for partner in self.world.dealers.values():
            try:
                with self.env.cr.savepoint():
                    self.world.sell(partner, 500, day, product=self.world.novelty)
            except UserError:
                continue

    def _refer(self, day):
        """Let those who refer bring deals, opportunities that are won, and orders of their customers."""
        for number, partner in enumerate(self.world.referrers):
            if day.day == 8 + 5 * number:
                self._register(partner, day)
                lead = self.env["crm.lead"].create(
                    {
                        "name": f"Project of {day}",
                        "type": "opportunity",
                        "partner_id": self.world.customers[day.month % len(self.world.customers)].id,
                        "loyalty_partner_id": partner.id,
                        "expected_revenue": 2000,
                    }
                )
                lead.action_set_won()
            if self.chance.randrange(100) < 10:
                customer = self.chance.choice(self.world.customers)
                self._sell(customer, self.chance.randint(600, 2500), day, loyalty_partner_id=partner.id)

    def _register(self, partner, day):
        """Let a deal be registered and approved."""
        deal = (
            self.env["partner.loyalty.deal"]
            .with_user(self.world.officer)
            .create(
                {
                    "name": f"Deal of {day}",
                    "member_id": self.world.get_member(partner).id,
                    "customer_name": f"Somebody of {day}",
                    "expected_amount": 2000,
                }
            )
        )
        deal.action_submit()
        deal.with_user(self.world.manager).action_approve()

    def _pay_invoices(self, day):
        due = [invoice for when, invoice in self.unpaid if when <= day]
        self.unpaid = [(when, invoice) for when, invoice in self.unpaid if when > day]
        self.world.pay([invoice for invoice in due if invoice.amount_residual], day)

    # === FEEDBACK ===#

    def _answer_surveys(self):
        """Answer what was asked, most of it with the best that there is to say."""
        public = self.env(user=self.env.ref("base.public_user"))
        answers = self.env["survey.user_input"].search([("state", "!=", "done")])
        for answer_sudo in answers.with_env(public).sudo():
            for question in answer_sudo.survey_id.question_ids:
                answer_sudo._save_lines(question, self._get_words(question))
            answer_sudo._mark_done()

    def _get_words(self, question):
        choices = question.suggested_answer_ids
        return {
            "simple_choice": lambda: str(choices[0].id),
            "multiple_choice": lambda: list(map(str, choices[:2].ids)),
            "scale": lambda: str(question.scale_max),
        }.get(question.question_type, lambda: "Whatever helps us to sell.")()

    def _ask(self, day):
        """Let each referrer ask something."""
        for partner in self.world.referrers:
            self.env["partner.loyalty.inquiry"].create(
                {
                    "member_id": self.world.get_member(partner).id,
                    "contact_id": partner.child_ids[0].id,
                    "name": f"Question of {day}",
                    "text": "Does this count?",
                }
            )

        if day.month % 3 == 0:
            self._dispute(day)

    def _dispute(self, day):
        """Let the dealer that earns most dispute its latest line."""
        member = self.world.get_member(self.world.dealers["Large"])
        entry = self.env["partner.loyalty.entry"].search(
            [("account_id.member_id", "=", member.id), ("amount_open", ">", 0)], order="id desc", limit=1
        )
        if entry:
            self.env["partner.loyalty.inquiry"].create(
                {
                    "kind": "dispute",
                    "member_id": member.id,
                    "contact_id": member.partner_id.child_ids[0].id,
                    "entry_id": entry.id,
                    "name": f"Dispute of {day}",
                    "text": "This should be more.",
                }
            )

    def _answer(self):
        inquiries = self.env["partner.loyalty.inquiry"].search(
            [("program_id", "=", self.program.id), ("is_open", "=", True)]
        )
        inquiries.filtered(lambda one: one.kind == "question").with_user(self.world.officer).action_answered()
        for dispute in inquiries.filtered(lambda one: one.kind == "dispute"):
            wizards = self.env["partner.loyalty.inquiry.decide"].with_user(self.world.manager)
            vals = {"inquiry_id": dispute.id, "decision": "explained", "text": "It is as the terms say."}
            wizards.create(vals).action_decide()

    def _announce(self):
        announcement = self.env["partner.loyalty.announcement"].create(
            {"name": "Spring", "program_id": self.program.id, "body": "<p>There is news.</p>"}
        )
        announcement.with_user(self.world.manager).action_send()

    # === REWARDS ===#

    def _claim(self, day):
        """Ask for what a tier has given, and for what can be had for points or a plan."""
        granted = self.env["partner.loyalty.claim"].search(
            [("program_id", "=", self.program.id), ("state", "=", "draft"), ("source", "=", "tier")]
        )
        for claim in granted:
            self._request(claim)
        if day.day == 20:
            for reward in self.env["partner.loyalty.reward"].search([("program_id", "=", self.program.id)]):
                self._claim_once(reward, day)

    def _claim_once(self, reward, day):
        """Let the first member that can have a reward and has not asked for it this month ask for it."""
        is_plan = reward.kind == "mdf"
        if not (reward.point_cost or is_plan):
            return
        for member in self.program.member_ids.sorted("id"):
            contact = member.partner_id.child_ids[day.month % 2]
            vals = {"contact_id": contact.id, **(self._prepare_plan(day) if is_plan else {})}
            try:
                with self.env.cr.savepoint():
                    claims = self.env["partner.loyalty.claim"].with_user(self.world.officer)
                    claim = claims.create({"reward_id": reward.id, "member_id": member.id, **vals})
                    claim.action_request()
                    return
            except UserError:
                continue

    def _prepare_plan(self, day):
        return {
            "mdf_plan": "A stand at the fair",
            "mdf_place": "Kyiv",
            "mdf_date_from": day,
            "mdf_date_to": day + timedelta(days=3),
            "mdf_requested_amount": 200,
        }

    def _request(self, claim):
        try:
            with self.env.cr.savepoint():
                claim.with_user(self.world.officer).action_request()
        except UserError:
            # It has not taken place yet, or not all is there: another day.
            return

    def _take_part(self, day):
        """Approve what was asked for, and do what belongs to it."""
        claims = self.env["partner.loyalty.claim"].with_user(self.world.manager)
        domain = [("program_id", "=", self.program.id)]
        claims.search([*domain, ("state", "=", "requested")]).action_approve()
        for claim in claims.search([*domain, ("state", "=", "approved")]).with_user(self.world.officer):
            handle = getattr(self, f"_do_{claim.kind}", None)
            if handle:
                handle(claim, day)

    def _do_product(self, claim, day):
        claim.action_fulfill()

    def _do_consulting(self, claim, day):
        hours = {"date": day, "hours": claim.hour_amount, "name": "A visit", "user_id": self.world.officer.id}
        self.env["partner.loyalty.claim.hour"].with_user(self.world.officer).create({"claim_id": claim.id, **hours})

    def _do_event(self, claim, day):
        if claim.event_date.date() < day:
            claim.action_fulfill()

    def _do_mdf(self, claim, day):
        if day <= claim.mdf_date_to:
            return
        proof = self.env["ir.attachment"].create(
            {
                "name": "invoice.pdf",
                "datas": base64.b64encode(b"%PDF-1.4 What was spent"),
                "res_model": claim._name,
                "res_id": claim.id,
            }
        )
        claim.write({"mdf_spent_amount": 400, "mdf_proof_ids": [(6, 0, proof.ids)]})
        claim.action_fulfill()

    # === PAYOUTS ===#

    def _pay_out(self, day):
        """Prepare, approve, bill and pay what has matured."""
        if not self.program.payout_journal_id:
            return
        wizards = self.env["partner.loyalty.payout.prepare"].with_user(self.world.officer)
        try:
            with self.env.cr.savepoint():
                wizards.create({"program_id": self.program.id}).action_prepare()
        except UserError:
            # Nothing has matured yet.
            return
        payouts = self.env["partner.loyalty.payout"].search(
            [("program_id", "=", self.program.id), ("state", "=", "draft")]
        )
        payouts.with_user(self.world.officer).action_submit()
        payouts.with_user(self.world.manager).action_approve()
        for bill in payouts.bill_id:
            bill.invoice_date = day
            bill.action_post()
            self.world.pay(bill, day)
