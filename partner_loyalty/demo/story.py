"""Plays the plan of the demo data into a database."""

from collections import defaultdict
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from math import ceil
from unittest.mock import patch

from odoo.fields import Command

from . import plan
from .talk import Talk

# A year of history goes into no chatter and to no follower.
QUIET = {
    "lang": "en_US",
    "mail_activity_quick_update": True,
    "mail_auto_subscribe_no_notify": True,
    "mail_create_nolog": True,
    "mail_create_nosubscribe": True,
    "tracking_disable": True,
}


class Story:
    """Tells a year month by month: what was sold in it, then tiers, statements and payouts as of its end."""

    def __init__(self, env):
        company = env.ref("base.main_company")
        self.env = env(context={**QUIET, "allowed_company_ids": company.ids})
        self.programs = self._get("program_dealer_club") | self._get("program_referral") | self._get("program_alliance")
        prices = {product: self._get(product).list_price for product in plan.PRODUCTS}
        # It ends yesterday, which is over wherever the reader is.
        self.plan = plan.Plan(self.programs[0]._get_today() - timedelta(days=1), prices)
        self.bank = self.env["account.journal"].search(
            [("type", "=", "bank"), ("company_id", "=", company.id)], limit=1
        )
        self.orders, self.invoices = {}, {}

    def tell(self):
        """Play everything; where there are members already the story has been told."""
        if self.programs.member_ids:
            return
        self.programs.action_start()
        for month in range(plan.OLDEST_MONTH, plan.FIRST_MONTH):
            self._sell(month)
        for month in range(plan.FIRST_MONTH, 1):
            self._play(month)
        self._open_prospects()
        self._answer_touched()
        self._adjust()
        self._register_deals()
        self._claim()
        self._ask_for_marketing_money()
        self._move_product()
        self._group()
        self.programs._refresh_tiers()
        for program in self.programs:
            program._warn()
        Talk(self).tell()
        self._begin_to_close()

    def _play(self, month):
        today = min(self.plan.get_month_start(month + 1), self.plan.today)
        with self._as_of(today):
            self._enroll(month)
            self._agree(month)
            self._sell(month)
            self._interrupt(month)
            for program in self.programs:
                program._apply_to_past()
            self._give_bonuses(month, today)
            self._lock(month)
            for payout in plan.PAYOUTS:
                if payout.month == month:
                    self._pay_out(payout, today)

    # === SALES ===#

    def _sell(self, month):
        """Let everything happen to sales that happens in a month."""
        first, after = self.plan.get_month_start(month), self.plan.get_month_start(month + 1)
        self._order([sale for sale in self.plan.sales if first <= sale.day < after])
        self._invoice(self._get_due("invoice_day", first, after))
        self._receive_payments(first, after)
        self._credit(self._get_due("credit_day", first, after))
        self._cancel(self._get_due("cancel_day", first, after))

    def _order(self, sales):
        vals_list = [
            self._prepare_order_vals(self._get(sale.buyer), sale.lines, self._win(sale) if sale.project else None)
            for sale in sales
        ]
        orders = self.env["sale.order"].create(vals_list)
        orders.action_confirm()
        for sale, order in zip(sales, orders, strict=True):
            self.orders[sale] = order
            # The confirmation has dated the order today.
            order.date_order = datetime.combine(sale.day, time(8 + order.id % 8, order.id % 60))

    def _prepare_order_vals(self, customer, lines, lead=None):
        return {
            "partner_id": customer.id,
            "company_id": self.env.company.id,
            "opportunity_id": lead.id if lead else False,
            "order_line": [
                Command.create({"product_id": self._get(product).id, "product_uom_qty": quantity})
                for product, quantity in lines.items()
            ],
        }

    def _win(self, sale):
        """Return the won opportunity of a project."""
        lead = self.env["crm.lead"].create(self._prepare_lead_vals(sale.project))
        lead.action_set_won()
        lead.date_closed = datetime.combine(sale.day, time(10))
        return lead

    def _prepare_lead_vals(self, project):
        customer = self._get(project.customer)
        return {
            "type": "opportunity",
            "name": project.name,
            "partner_id": customer.id,
            "user_id": customer.user_id.id,
            "company_id": self.env.company.id,
            "loyalty_partner_id": self._get(project.referrer).id,
            "expected_revenue": project.amount * 1000,
        }

    def _open_prospects(self):
        """Leave some projects open, with a quotation where it has come to that."""
        for prospect in plan.PROSPECTS:
            vals = self._prepare_lead_vals(prospect)
            lead = self.env["crm.lead"].create({**vals, "date_deadline": self._get_day(prospect.days)})
            lead.stage_id = self.env.ref(prospect.stage, raise_if_not_found=False) or lead.stage_id
            if prospect.products:
                lines = self.plan.get_lines(prospect.products, prospect.amount * 1000)
                quotation = self.env["sale.order"].create(self._prepare_order_vals(lead.partner_id, lines, lead))
                quotation.action_quotation_sent()

    def _cancel(self, sales):
        for sale in sales:
            self.orders[sale]._action_cancel()

    # === INVOICES ===#

    def _invoice(self, sales):
        self._get_orders(sales)._create_invoices(grouped=True)
        for sale in sales:
            self.invoices[sale] = self.orders[sale].invoice_ids
            self.invoices[sale].invoice_date = sale.invoice_day
        self._get_orders(sales).invoice_ids.sorted("invoice_date").action_post()

    def _receive_payments(self, first, after):
        """Let customers pay what is planned for a month: the invoices of a day together, parts by themselves."""
        together, batches = defaultdict(self.env["account.move"].browse), []
        for sale in self.plan.sales:
            for day, share in sale.payments:
                if first <= day < after:
                    invoice = self.invoices[sale]
                    if share < 1:
                        batches.append((day, invoice, invoice.amount_total * share))
                    elif invoice.amount_residual:
                        together[day, invoice.partner_id] |= invoice
        for (day, _customer), invoices in together.items():
            batches.append((day, invoices, sum(invoices.mapped("amount_residual"))))
        self._pay(batches)

    def _pay(self, batches):
        """Pay moves of a partner on a day; all payments at once, which is several times faster than one by one.

        :param list batches: day, moves and amount of each payment
        """
        payments = self.env["account.payment"].create([self._prepare_payment_vals(*batch) for batch in batches])
        payments.action_post()
        plan_lines = []
        for payment, (_day, moves, _amount) in zip(payments, batches, strict=True):
            paid = payment.move_id.line_ids.filtered(
                lambda line, pay=payment: line.account_id == pay.destination_account_id
            )
            plan_lines.append(self._get_open_terms(moves) | paid)
        self.env["account.move.line"]._reconcile_plan(plan_lines)

    def _prepare_payment_vals(self, day, moves, amount):
        return {
            "payment_type": "inbound" if moves[0].is_inbound() else "outbound",
            "partner_type": "customer" if moves[0].is_sale_document() else "supplier",
            "partner_id": moves.partner_id.id,
            "journal_id": self.bank.id,
            "date": day,
            "amount": amount,
            "memo": ", ".join(moves.mapped("name")),
        }

    def _credit(self, sales):
        """Take goods back, some or all of them: what the customer has not paid is settled, the rest is paid back."""
        for sale in sales:
            invoice = self.invoices[sale]
            wizard = self.env["account.move.reversal"].create(
                {
                    "move_ids": invoice.ids,
                    "company_id": self.env.company.id,
                    "journal_id": invoice.journal_id.id,
                    "date": sale.credit_day,
                    "reason": "Goods returned",
                }
            )
            wizard.refund_moves()
            self._reduce(wizard.new_move_ids, sale.credit_share)
            wizard.new_move_ids.action_post()
            open_terms = self._get_open_terms(invoice | wizard.new_move_ids)
            if len(open_terms.move_id) > 1:
                open_terms.reconcile()
            if owed := wizard.new_move_ids.amount_residual:
                self._pay([(sale.credit_day, wizard.new_move_ids, owed)])

    def _reduce(self, credit_note, share):
        """Keep a share of the first line of a credit note, or all of it."""
        if share == 1:
            return
        lines = credit_note.invoice_line_ids
        credit_note.invoice_line_ids = [Command.delete(line.id) for line in lines[1:]]
        lines[0].quantity = ceil(lines[0].quantity * share)

    # === PROGRAM ===#

    def _enroll(self, month):
        day = self.plan.get_month_start(month)
        for enrollment in plan.ENROLLMENTS:
            if enrollment.month == month:
                self._get(enrollment.program)._enroll({self._get(enrollment.partner): day})

    def _agree(self, month):
        for planned in plan.AGREEMENTS:
            if planned.first_month == month:
                self.env["partner.loyalty.agreement"].create(
                    {
                        "name": planned.reason,
                        "member_id": self._get_member("program_dealer_club", planned.partner).id,
                        "date_from": self.plan.get_month_start(month),
                        "date_to": self.plan.get_month_start(planned.last_month + 1) - timedelta(days=1),
                        **planned.terms,
                    }
                )

    def _interrupt(self, month):
        if month in plan.SUSPENDED:
            self._get_member("program_dealer_club", plan.SUSPENDED[month]).action_suspend()
        if month in plan.ENDED:
            self._get_member("program_dealer_club", plan.ENDED[month]).action_end()

    def _give_bonuses(self, month, today):
        """Start the bonus actions, and let them run month by month from then on."""
        actions = self.programs.bonus_action_ids
        if month == plan.BONUS_MONTH:
            actions.date_from = today
            actions.action_start()
        for action in actions.filtered(lambda action: action.state == "running"):
            action._run_safely()

    def _group(self):
        """Let a branch count with its head for the tier."""
        branch = self._get_member("program_dealer_club", "dealer_baltic")
        branch.head_id = self._get_member("program_dealer_club", "dealer_wisla")

    def _lock(self, month):
        if month in plan.LOCKED:
            locked_until = self.plan.get_month_start(plan.LOCKED[month] + 1) - timedelta(days=1)
            self._get("program_dealer_club").lock_date = locked_until

    def _pay_out(self, planned, today):
        """Take a payout as far as planned: prepared by the officer, decided by the manager, then billed and paid."""
        payouts = self.env["partner.loyalty.payout"].with_context(ir_sequence_date=today)
        member = self._get_member(planned.program, planned.partner)
        payout = payouts.with_user(self._get("user_officer")).create(
            {"member_id": member.id, "date": today - timedelta(days=1)}
        )
        if planned.outcome == "draft":
            return
        payout.action_submit()
        payout.sudo().submitted_at = datetime.combine(today, time(9))
        if planned.outcome != "submitted":
            self._decide(payout.with_user(self._get("user_manager")), planned.outcome, today)

    def _decide(self, payout, outcome, today):
        if outcome == "refused":
            payout.action_refuse("The claim for damaged panels is still open: pay out with the next quarter.")
        else:
            payout.action_approve()
            bill_sudo = payout.sudo().bill_id
            bill_sudo.invoice_date = today
            if outcome in ("billed", "paid"):
                bill_sudo.action_post()
            if outcome == "paid":
                self._pay([(today + timedelta(days=9), bill_sudo, bill_sudo.amount_total)])
        payout.sudo().decided_at = datetime.combine(today, time(15))

    # === AFTERWARDS ===#

    def _answer_touched(self):
        """Bring tiers up to today, and answer the marks that the documents left, as the scheduled actions would."""
        for program in self.programs:
            program._evaluate_tiers()
        self.env.flush_all()
        self.env.cr.precommit.run()
        touch = self.env["partner.loyalty.touch"]
        touch._answer(touch.search([]))

    def _adjust(self):
        """Correct balances by hand, each as far as planned."""
        adjustments = self.env["partner.loyalty.adjustment"]
        for planned in plan.ADJUSTMENTS:
            member = self._get_member("program_dealer_club", planned.partner)
            vals = {"member_id": member.id, "unit": planned.unit, "amount": planned.amount, "reason": planned.reason}
            adjustment = adjustments.with_user(self._get("user_officer")).create(vals)
            if planned.outcome != "draft":
                adjustment.action_request()
            if planned.outcome == "approved":
                adjustment.with_user(self._get("user_manager")).action_approve()

    def _register_deals(self):
        """Let the officer register deals for partners, and the manager decide as planned."""
        deals = self.env["partner.loyalty.deal"]
        for planned in plan.DEALS:
            customer = self._get(planned.customer) if planned.customer else self.env["res.partner"]
            deal = deals.with_user(self._get("user_officer")).create(
                {
                    "name": planned.name,
                    "member_id": self._get_member("program_referral", planned.partner).id,
                    "customer_id": customer.id,
                    "customer_name": customer.name or planned.name.split(":")[0],
                    "expected_amount": planned.amount,
                    "date_deadline": self._get_day(planned.days),
                    "lead_id": self.env["crm.lead"].search([("name", "=", planned.name)], limit=1).id,
                }
            )
            if planned.outcome != "draft":
                deal.action_submit()
            if planned.outcome == "canceled":
                deal.action_cancel()
            elif planned.outcome == "approved":
                deal.with_user(self._get("user_manager")).action_approve()
            elif planned.outcome == "refused":
                deal.with_user(self._get("user_manager")).action_refuse("We are in talks with the saw mill already.")

    def _begin_to_close(self):
        """Let the officer begin to close the last month of the dealer club."""
        closings = self.env["partner.loyalty.closing"].with_user(self._get("user_officer"))
        closing = closings.create({"program_id": self._get("program_dealer_club").id})
        closing.step_ids.filtered(lambda step: step.code == "statement").action_tick()

    def _claim(self):
        """Let the officer ask for rewards on behalf of dealers, and hand out what has come that far."""
        claims = self.env["partner.loyalty.claim"].with_user(self._get("user_officer"))
        for planned in plan.CLAIMS:
            member = self._get_member("program_dealer_club", planned.partner)
            claim = claims.create({"reward_id": self._get(planned.reward).id, "member_id": member.id})
            if planned.outcome != "draft":
                claim.action_request()
            if planned.outcome == "fulfilled":
                claim.action_fulfill()
                claim.rating = "5"
        # What was given by bonus actions long ago has been handed out.
        claims.search([("is_overdue", "=", True)]).action_fulfill()

    def _ask_for_marketing_money(self):
        """Let the officer ask for marketing money on behalf of dealers, and a manager approve some of it."""
        claims = self.env["partner.loyalty.claim"].with_user(self._get("user_officer"))
        for planned in plan.MARKETING:
            first, last = map(self._get_day, planned.days)
            claim = claims.create(
                {
                    "reward_id": self._get("reward_marketing").id,
                    "member_id": self._get_member("program_dealer_club", planned.partner).id,
                    "mdf_plan": planned.name,
                    "mdf_place": planned.place,
                    "mdf_date_from": first,
                    "mdf_date_to": last,
                    "mdf_requested_amount": planned.amount,
                }
            )
            claim.action_request()
            if planned.approved:
                manager_claim = claim.with_user(self._get("user_manager"))
                manager_claim.mdf_approved_amount = planned.approved
                manager_claim.action_approve()

    def _move_product(self):
        """Put a product into another category, and compare as the night does: there is a difference to confirm."""
        self._get("product_load_manager").categ_id = self._get("product_category_solar")
        chunk = self.env["partner.loyalty.chunk"]
        chunk._plan(self.programs)
        for planned in chunk.search([("program_id", "in", self.programs.ids)]):
            planned._compare()
            planned.unlink()

    # === GETTERS ===#

    @contextmanager
    def _as_of(self, day):
        """Let the programs take ``day`` for today."""
        with patch.object(type(self.env["partner.loyalty.program"]), "_get_today", lambda program: day):
            yield

    def _get(self, name):
        return self.env.ref(f"partner_loyalty.{name}")

    def _get_day(self, days):
        """Return the day that is so many days from today."""
        return self.programs[0]._get_today() + timedelta(days=days)

    def _get_member(self, program, partner):
        partner = self._get(partner)
        return self._get(program).member_ids.filtered(lambda member: member.partner_id == partner)

    def _get_orders(self, sales):
        return self.env["sale.order"].browse([self.orders[sale].id for sale in sales])

    def _get_open_terms(self, moves):
        """Return the receivable or payable lines that are not settled yet."""
        return moves.line_ids.filtered(lambda line: line.display_type == "payment_term" and not line.reconciled)

    def _get_due(self, name, first, after):
        return [sale for sale in self.plan.sales if (day := getattr(sale, name)) and first <= day < after]
