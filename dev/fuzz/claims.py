"""Steps about what is decided and spent: payouts, adjustments, opening balances and bonus actions."""

from datetime import timedelta
from decimal import Decimal

from odoo.exceptions import UserError
from odoo.fields import Command

from .ledger import Entry
from .model import Mismatch


class ClaimSteps:
    """What officers ask for and managers decide on, in the database and in the model."""

    # === Payouts ===

    def _do_payout(self, side, a, b, c):
        """Prepare a payout and submit it."""
        member = self._pick(side.program.roots, b)
        payouts = side.env["partner.loyalty.payout"].with_user(self.world.officer)
        known = payouts.search(
            [("member_id", "=", member.id), ("date", "=", self.today), ("decision", "not in", ("refused", "canceled"))]
        )
        account = member.accounts["money"]
        amount = account.available()
        if known or amount <= 0:
            return
        payout = payouts.create({"member_id": member.id, "date": self.today})
        self._compare("Amount of a payout", [Decimal(str(payout.amount))], [amount])
        payout.action_submit()
        side.payouts[payout.id] = account, account.spend("payout", amount, (0, payout))

    def _do_approve(self, side, a, b, c):
        """Approve a payout."""
        payout = self._pick_payout(side, b)
        if payout:
            payout.with_user(self.world.manager).action_approve()
            side.payouts.pop(payout.id)

    def _do_refuse(self, side, a, b, c):
        """Refuse a payout."""
        self._take_back(side, b, "refuse", "No")

    def _do_cancel_payout(self, side, a, b, c):
        """Cancel a payout."""
        self._take_back(side, b, "cancel")

    def _take_back(self, side, number, verb, *reason):
        payout = self._pick_payout(side, number)
        if payout:
            getattr(payout.with_user(self.world.manager), f"action_{verb}")(*reason)
            self._give_back(*side.payouts.pop(payout.id))

    def _give_back(self, account, debit):
        account.give_back(debit, "payout_return")
        if account.owner.merged_into:
            account.owner.move_balance()

    def _forget_payouts(self, side, member):
        """Give back what a member waits for, as cancelled payouts do: in the order of the payouts."""
        for payout_id, (account, debit) in sorted(side.payouts.items()):
            if account.owner is member:
                self._give_back(account, debit)
                del side.payouts[payout_id]

    def _pick_payout(self, side, number):
        payout_id = self._pick(list(side.payouts), number)
        return payout_id and side.env["partner.loyalty.payout"].browse(payout_id)

    # === Bonuses ===

    def _do_bonus(self, side, a, b, c):
        """Give something to all members on a day, which is once, however often it is run."""
        unit = ("money", "point")[b % 2]
        step = side.step if unit == "money" else side.point_step
        amount = max(step, (Decimal(1 + c % 3000) / 100).quantize(step))
        action = side.env["partner.loyalty.bonus.action"].create(
            {
                "name": "Gift",
                "program_id": side.record.id,
                "schedule": "date",
                "date": self.today,
                "effect_ids": [Command.create({"kind": unit, "amount": float(amount)})],
            }
        )
        members = {member.id: member for member in side.program.roots if member.belongs(self.today)}
        if not members:
            return
        action.state = "running"
        for _attempt in range(1 + b % 2):
            action._run_safely()
        if action.error:
            raise Mismatch(action.error)
        lines = action.run_ids.line_ids
        self._compare("Members who get a bonus", lines.member_id.ids, list(members))
        given = [(members[line.member_id.id], line.id) for line in lines.sorted("id")]
        side.bonuses.append((action.run_ids, [self._give_bonus(side, *one, unit, amount) for one in given]))

    def _give_bonus(self, side, member, line_id, unit, amount):
        """Post a bonus in the model; return member, unit and line."""
        day = self.today
        entry = Entry("bonus", amount, ("bonus", line_id), day, day, day + timedelta(days=side.terms.maturity_days))
        entry.expiry_date = side.terms.expiry(day)
        entry.idle_months = side.terms.months if side.terms.kind == "idle" else None
        member.accounts[unit].post(entry)
        member.accounts[unit].settle()
        return member, unit, entry

    def _do_undo_bonus(self, side, a, b, c):
        """Take back what a bonus action gave."""
        if not side.bonuses:
            return
        run, given = side.bonuses.pop(b % len(side.bonuses))
        run.with_user(self.world.manager).action_undo()
        for member, unit, entry in given:
            account = member.root.accounts[unit]
            account.post(
                Entry("bonus_undo", -entry.amount, entry.cause, entry.contribution_date, self.today, self.today)
            )
        for account in {member.root.accounts[unit] for member, unit, _entry in given}:
            account.settle()

    # === Adjustments ===

    def _do_adjustment(self, side, a, b, c):
        """Ask for an adjustment, and mostly decide on it."""
        self._request(side, "adjustment", self.today, b, c)

    def _do_opening(self, side, a, b, c):
        """Ask for an opening balance, which may be a debt, and mostly decide on it."""
        self._request(side, "opening", self._pick_day(a), b, c)

    def _request(self, side, kind, day, b, c):
        member = self._pick(side.program.roots, b)
        unit = ("money", "point")[b // 3 % 2]
        step = side.step if unit == "money" else side.point_step
        amount = max(step, (Decimal(1 + c % 5000) / 100).quantize(step)) * (-1 if c % 7 < 3 else 1)
        expiry = day + timedelta(days=c % 60) if amount > 0 and b % 4 == 0 else None
        vals = {"kind": kind, "unit": unit, "amount": float(amount), "date": day, "expiry_date": expiry, "reason": "So"}
        adjustments = side.env["partner.loyalty.adjustment"].with_user(self.world.officer)
        record = adjustments.create({"member_id": member.id, **vals})
        record.action_request()
        entry = Entry(kind, amount, (kind, record.id), day, day, day, expiry)
        if amount > 0 and not expiry:
            entry.expiry_date = side.terms.expiry(day)
            entry.idle_months = side.terms.months if side.terms.kind == "idle" else None
        side.requests.append((record.with_user(self.world.manager), member, unit, entry))
        if c % 4:
            self._do_decide(side, 0, len(side.requests) - 1, c)

    def _do_decide(self, side, a, b, c):
        """Approve or refuse what was asked for; what is not covered can only be refused."""
        if not side.requests:
            return
        record, member, unit, entry = side.requests.pop(b % len(side.requests))
        if c % 9 == 0:
            record.action_refuse("No")
            return
        account = member.root.accounts[unit]
        can = entry.type == "opening" or account.can_adjust(entry.amount)
        if self._approve(record) != can:
            raise Mismatch(f"Adjusting {entry.amount} {unit}: covered in the model is {can}")
        if can:
            account.adjust(entry)
        else:
            record.action_refuse("Less than that is there.")

    def _approve(self, record):
        """Approve an adjustment; return whether it was covered."""
        try:
            with self.env.cr.savepoint():
                record.action_approve()
            return True
        except UserError as error:
            self.env.invalidate_all()
            if "takes more than" not in str(error):
                raise
            return False
