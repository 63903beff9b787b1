"""The ledger alone, without documents: Hypothesis decides what is posted, spent, given back and when days pass."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import HealthCheck, settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from odoo.exceptions import UserError

from .ledger import Account, Book, Entry
from .model import Mismatch
from .world import START, TODAY

AMOUNTS = strategies.integers(1, 20000).map(lambda cents: Decimal(cents) / 100)


class LedgerMachine(RuleBasedStateMachine):
    """An account in the database and one in the model, and everything that can be posted on them."""

    player = None  # a Player of .run, whose world and transaction it uses

    # === Set-up ===

    @initialize(share=strategies.sampled_from([100, 50, 20]))
    def open_account(self, share):
        env = self.player.world.env
        self.taken_back = self.player.taken_back()
        self.taken_back.__enter__()
        self.today = TODAY
        self.shop = self.player.world.shops[0]
        self.player.clock.move_to(f"{self.today} 10:00:00")
        self.shop.program.recovery_share = share
        member = self.shop.program._enroll({self.player.world.partners[0]: START})
        self.record = member._get_account("money")
        self.book = Book(TODAY, recovery_share=Decimal(share))
        self.account = Account(self.book)
        self.Entry, self.Allocation = env["partner.loyalty.entry"], env["partner.loyalty.allocation"]
        self.number, self.others, self.spends, self.debits = 0, 0, 0, []

    def teardown(self):
        """Compare once more, and take everything back."""
        if hasattr(self, "taken_back"):
            try:
                self._compare()
                problems = self.shop.env["partner.loyalty.program"]._check_invariants()
                if problems:
                    raise Mismatch("; ".join(problems))
            finally:
                self.taken_back.__exit__(None, None, None)

    # === What can happen ===

    @rule(
        amount=AMOUNTS,
        age=strategies.integers(0, 60),
        hold=strategies.sampled_from([0, 5, 30]),
        life=strategies.sampled_from([None, 10, 40, 200]),
    )
    def earn(self, amount, age, hold, life):
        self.number += 1
        day = self.today - timedelta(days=age)
        expiry = None if life is None else day + timedelta(days=life)
        self._post("accrual", amount, self.number, day, day, day + timedelta(days=hold), expiry, revision=0)

    @rule(amount=AMOUNTS, sign=strategies.sampled_from([1, -1]), life=strategies.sampled_from([None, 10, 40]))
    def open_balance(self, amount, sign, life):
        """An opening balance, which may be a debt."""
        expiry = self.today + timedelta(days=life) if life and sign > 0 else None
        self._post("opening", sign * amount, self._new_cause(), self.today, self.today, self.today, expiry, revision=0)

    @rule(amount=AMOUNTS, life=strategies.sampled_from([None, 10, 40]))
    def adjust(self, amount, life):
        expiry = self.today + timedelta(days=life) if life else None
        self._post("adjustment", amount, self._new_cause(), self.today, self.today, self.today, expiry, revision=0)

    @precondition(lambda self: self.number)
    @rule(amount=AMOUNTS, number=strategies.integers(0, 10**6))
    def take_back(self, amount, number):
        """A document of before earns less now; of how much is not the ledger's business."""
        cause = 1 + number % self.number
        lines = [entry for entry in self.account.entries if entry.cause == (0, cause)]
        day = lines[0].contribution_date
        self._post("clawback", -amount, cause, day, self.today, day, None, revision=len(lines))

    @rule(share=strategies.integers(1, 12), ahead=strategies.sampled_from([0, 0, 10]))
    def spend(self, share, ahead):
        """Spend a part of what is available, and sometimes more than that."""
        amount = (self.account.available() * share / 10).quantize(Decimal("0.01")) or Decimal(1)
        spent = self.account.spend("payout", amount, (0, f"spend {self.spends}"))
        self.spends += 1
        entry = self._spend_in_database(amount)
        if bool(spent) != bool(entry):
            raise Mismatch(f"Spending {amount}: {bool(entry)} in the database, {bool(spent)} in the model")
        if spent:
            self.debits.append((entry, spent))

    @precondition(lambda self: self.debits)
    @rule(number=strategies.integers(0, 10**6))
    def give_back(self, number):
        entry, spent = self.debits.pop(number % len(self.debits))
        entry._return("payout_return", self.shop.program, origin_id=entry.origin_id)
        self.account.give_back(spent, "payout_return")

    @rule()
    def expire(self):
        self.Entry._expire(self.record.ids)
        self.account.expire()

    @rule()
    def settle(self):
        self.Allocation._settle(self.record.ids)
        self.account.settle()

    @rule(days=strategies.sampled_from([1, 3, 15, 45]))
    def advance(self, days):
        self.today += timedelta(days=days)
        self.book.today = self.today
        self.player.clock.move_to(f"{self.today} 10:00:00")

    @rule(back=strategies.integers(1, 30))
    def lock(self, back):
        day = self.today - timedelta(days=back)
        if day > (self.book.lock_date or START):
            self.shop.program.lock_date = self.book.lock_date = day

    # === Helpers ===

    def _new_cause(self):
        """Return the number of something that nobody takes back."""
        self.others += 1
        return 2 * 10**6 + self.others

    def _post(self, entry_type, amount, cause, contribution_date, day, mature_date, expiry_date, revision):
        vals = self.Entry._prepare_entry_vals(
            self.record,
            entry_type,
            amount,
            self.shop.program,
            origin_id=cause,
            contribution_date=contribution_date,
            date=day,
            mature_date=mature_date,
            expiry_date=expiry_date,
            revision=revision,
        )
        self.Entry._post_vals([vals])
        self.Allocation._settle(self.record.ids)
        self.account.post(Entry(entry_type, amount, (0, cause), contribution_date, day, mature_date, expiry_date))
        self.account.settle()
        self._compare()

    def _spend_in_database(self, amount):
        env = self.shop.env
        try:
            with env.cr.savepoint():
                vals = self.Entry._prepare_entry_vals(
                    self.record, "payout", -amount, self.shop.program, origin_id=10**6 + self.spends
                )
                entry = self.Entry._post_vals([vals])
                self.Allocation._consume(entry, mature_by=self.today)
                if entry.amount_open:
                    raise UserError("Less than that is there.")
                return entry
        except UserError:
            env.invalidate_all()
            return None

    def _compare(self):
        cr = self.shop.env.cr
        cr.execute(
            "SELECT type, amount::text, date, amount_open::text FROM partner_loyalty_entry"
            " WHERE account_id = %s ORDER BY sequence",
            [self.record.id],
        )
        actual = sorted((kind, Decimal(amount), day, Decimal(left)) for kind, amount, day, left in cr.fetchall())
        expected = sorted((line.type, line.amount, line.date, line.open) for line in self.account.entries)
        if actual != expected:
            raise Mismatch(f"Database {actual}\nModel {expected}")


def run(player, examples, steps=15):
    """Let Hypothesis look for a sequence that fails.

    :param Player player: gives the world and the transaction
    :raises Exception: with the shortest sequence that was found
    """
    machine = type("Machine", (LedgerMachine,), {"player": player})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=examples < 100,
            suppress_health_check=list(HealthCheck),
        ),
    )
