"""Plays steps into the database and into the model alike, and compares the two."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from odoo import SUPERUSER_ID
from odoo.fields import Command
from odoo.tools import SQL

from .claims import ClaimSteps
from .members import MemberSteps
from .model import Document, Mismatch
from .rules import Rule
from .side import Side
from .world import DIGITS, RATES, START, TODAY

# What can happen, and how often.
STEPS = {
    "invoice": 16,
    "order": 6,
    "confirm": 4,
    "cancel_order": 2,
    "edit_order": 3,
    "move_order": 2,
    "refer": 2,
    "pay": 10,
    "unreconcile": 3,
    "credit": 7,
    "credit_alone": 2,
    "edit_invoice": 4,
    "draft": 3,
    "post": 3,
    "cancel_invoice": 2,
    "advance": 9,
    "payout": 5,
    "approve": 2,
    "refuse": 3,
    "cancel_payout": 2,
    "expire": 2,
    "lock": 2,
    "suspend": 2,
    "resume": 2,
    "new_version": 2,
    "archive": 1,
    "share": 1,
    "merge": 3,
    "takeover": 5,
    "adjustment": 6,
    "opening": 4,
    "decide": 3,
    "bonus": 4,
    "undo_bonus": 2,
    "compare": 4,
    "post_difference": 2,
    "dismiss_difference": 2,
}


# What the ledger notes as the period where there is none.
NO_PERIOD = date(1900, 1, 1)

# How many of it; mostly few, because many sequences find more than long ones do.
LENGTHS = (3, 4, 5, 6, 8, 14)


def make_steps(seed):
    """Return the steps of a seed: name and three numbers that pick what it is about."""
    random = Random(seed)
    names = random.choices(list(STEPS), list(STEPS.values()), k=random.choice(LENGTHS))
    return [(name, *(random.randrange(10**6) for _ in range(3))) for name in ("invoice", *names)]


class Driver(MemberSteps, ClaimSteps):
    """Plays one sequence.

    :param World world: what is there already
    :param clock: something with ``move_to``, for the day
    :param int seed: decides the terms of the programs, and when marks wait
    """

    def __init__(self, world, clock, seed):
        self.world, self.clock, self.env = world, clock, world.env
        self.random = Random(f"terms {seed}")
        self.today = TODAY
        self.partners = list(world.partners)  # where contacts were merged, the one that stayed, twice
        self._set_clock()
        self.sides = [Side(shop, world, self.random) for shop in self._choose_shops()]

    def _choose_shops(self):
        """Play in one company, or in both at once; the program of the other has not started."""
        first, second = self.world.shops
        shops = self.random.choice([[first], [first], [second], [first, second]])
        for shop in self.world.shops:
            shop.program.state = "running" if shop in shops else "draft"
        return shops

    def play(self, steps):
        """Play steps and compare after each that was answered, and thoroughly at the end."""
        for name, a, b, c in steps:
            getattr(self, f"_do_{name}")(self.sides[a % 5 // 4 % len(self.sides)], a, b, c)
            self._end_transaction()
            if c % 3 == 0:
                self._answer()
                self._compare_ledgers()
        self._answer()
        self._compare_ledgers()
        self._check_all()

    # === Comparison ===

    def _end_transaction(self):
        """Write what waits for the end of a transaction, such as the marks on documents."""
        self.env.flush_all()
        self.env.cr.precommit.run()

    def _answer(self):
        self._end_transaction()
        marks = self.env["partner.loyalty.touch"].with_user(SUPERUSER_ID).search([])
        marks._answer(marks)
        for side in self.sides:
            side.program.answer()

    def _compare_ledgers(self):
        """Compare all lines, open amounts and balances."""
        lines, balances = self._read_ledgers()
        for side in self.sides:
            for member in side.program.members:
                for unit, account in member.accounts.items():
                    key = (member.id, unit)
                    rows, entries = lines.get(key, []), account.entries
                    self._compare(f"Lines of {unit}", [row[:6] for row in rows], [entry.facts() for entry in entries])
                    left = [(*entry.facts(), entry.open) for entry in entries if entry.open]
                    self._compare(f"Open {unit}", [row for row in rows if row[6]], left)
                    self._compare(f"Balance of {unit}", [balances[key]], [account.balance])

    def _read_ledgers(self):
        """Return the lines and the balances of all accounts, by member and unit."""
        programs, lines = [side.record.id for side in self.sides], {}
        rows = self.env.execute_query(
            SQL(
                """SELECT account.member_id, account.unit, entry.type, entry.amount::text, entry.date,
                          entry.contribution_date, entry.mature_date, entry.expiry_date, entry.amount_open::text
                     FROM partner_loyalty_entry entry
                     JOIN partner_loyalty_account account ON account.id = entry.account_id
                    WHERE account.program_id = ANY(%s)""",
                programs,
            )
        )
        for member, unit, kind, amount, *days, left in rows:
            lines.setdefault((member, unit), []).append((kind, Decimal(amount), *days, Decimal(left)))
        rows = self.env.execute_query(
            SQL(
                "SELECT member_id, unit, balance::text FROM partner_loyalty_account WHERE program_id = ANY(%s)",
                programs,
            )
        )
        return lines, {(member, unit): Decimal(balance) for member, unit, balance in rows}

    def _compare(self, what, actual, expected):
        actual, expected = Counter(actual), Counter(expected)
        if actual != expected:
            extra, lacking = _words(actual - expected), _words(expected - actual)
            raise Mismatch(f"{what}: only in the database {extra}; only in the model {lacking}")

    def _check_all(self):
        problems = self.env["partner.loyalty.program"]._check_invariants()
        if problems:
            raise Mismatch("; ".join(problems))
        for side in self.sides:
            for member in side.program.members:
                record = side.env["partner.loyalty.member"].browse(member.id)
                for unit, account in member.accounts.items():
                    row = record._get_account(unit)
                    available = row._get_available().get(row.id, 0)
                    self._compare(f"Available {unit}", [Decimal(str(available))], [account.available()])
            waiting = side.program.waiting()
            found = side.record._apply_to_past(dry_run=True)["entries"]
            self._compare("Differences left", [found], [waiting])
            if side.program.rules[0].id and self.env["partner.loyalty.rule"].search([("error", "!=", False)]):
                raise Mismatch("A rule failed.")

    # === Documents ===

    def _do_invoice(self, side, a, b, c):
        """Create and post an invoice."""
        currency = list(RATES)[(0, 0, 1, 2)[b % 4]]
        amounts = self._make_amounts(currency, b)
        day = self._pick_day(a)
        buyer, referrer = self._pick_partners(b)
        move = self._create_move(side, "out_invoice", buyer, referrer, amounts, currency, day)
        document = Document("account.move", move.id, buyer.id, day, amounts, side.shop.rate(currency), referrer.id)
        side.invoices.append((move, document))
        side.program.documents.append(document)
        if c % 10:
            self._post_move(side, move, document)

    def _do_credit_alone(self, side, a, b, c):
        """A credit note of no invoice."""
        amounts, day = self._make_amounts("EUR", b), self._pick_day(a)
        buyer, referrer = self._pick_partners(b)
        move = self._create_move(side, "out_refund", buyer, referrer, amounts, "EUR", day)
        document = Document(
            "account.move", move.id, buyer.id, day, amounts, side.shop.rate("EUR"), referrer.id, is_refund=True
        )
        side.program.documents.append(document)
        self._post_move(side, move, document)

    def _create_move(self, side, move_type, buyer, referrer, amounts, currency, day):
        return side.env["account.move"].create(
            {
                "move_type": move_type,
                "partner_id": buyer.id,
                "loyalty_partner_id": referrer.id,
                "journal_id": side.shop.sales.id,
                "currency_id": self._currency(currency).id,
                "invoice_date": day,
                "invoice_line_ids": [
                    Command.create(
                        {
                            "product_id": side.shop.product.id,
                            "quantity": 1,
                            "price_unit": float(amount),
                            "tax_ids": [Command.clear()],
                        }
                    )
                    for amount in amounts
                ],
            }
        )

    def _post_move(self, side, move, document):
        move.action_post()
        document.worth = self._read_worth(side, move, document)
        document.counts = True
        side.program.touch(document)

    def _read_worth(self, side, move, document):
        """Return the worth of a document; Odoo may take off a rounding difference where it edits what was matched."""
        worth = Decimal(str(abs(move.amount_untaxed_signed))).quantize(side.step)
        if abs(worth - document.converted(side.step)) > side.step * len(document.lines):
            raise Mismatch(f"{move.name} is worth {worth}, and in the model {document.converted(side.step)}")
        return worth

    def _do_post(self, side, a, b, c):
        """Post a draft."""
        found = self._pick([pair for pair in side.invoices if pair[0].state == "draft"], b)
        if found:
            self._post_move(side, *found)

    def _do_draft(self, side, a, b, c):
        """Reset an invoice to draft; Odoo keeps what is matched with it."""
        found = self._pick_posted(side, b)
        if found:
            move, document = found
            move.button_draft()
            document.counts = False
            side.program.touch(document)
        return found

    def _do_edit_invoice(self, side, a, b, c):
        """Reset an invoice to draft, change a price and sometimes the day, post it again."""
        found = self._do_draft(side, a, b, c)
        if found:
            move, document = found
            line = move.invoice_line_ids[0]
            amount = self._make_amount(move.currency_id.name, c)
            if amount != document.lines[0]:
                document.lines[0] = amount
                self._forget_payments(document)
            line.price_unit = float(amount)
            if c % 4 == 0:
                move.invoice_date = document.day = self._pick_day(a)
            self._post_move(side, move, document)

    def _do_cancel_invoice(self, side, a, b, c):
        """Cancel an invoice."""
        found = self._do_draft(side, a, b, c)
        if found:
            found[0].button_cancel()
            self._forget_payments(found[1])

    def _do_pay(self, side, a, b, c):
        """Pay all of an invoice, or a part of it."""
        found = self._pick([pair for pair in side.invoices if pair[1].counts and pair[1].residual > 0], b)
        if not found:
            return
        move, document = found
        amount = document.residual
        if c % 2:
            step = Decimal(1).scaleb(-DIGITS[move.currency_id.name])
            amount = max(step, (amount * (c % 9 + 1) / 10).quantize(step))
        wizard = side.env["account.payment.register"].with_context(active_model="account.move", active_ids=move.ids)
        wizard.create(
            {
                "payment_date": self.today,
                "amount": float(amount),
                "currency_id": move.currency_id.id,
                "journal_id": side.shop.bank.id,
            }
        )._create_payments()
        document.payments.append((self.today, amount))
        side.program.touch(document)

    def _do_unreconcile(self, side, a, b, c):
        """Take the payments and credit notes of an invoice off it."""
        found = self._pick([p for p in side.invoices if p[1].counts and (p[1].payments or p[1].matched)], b)
        if found:
            move, document = found
            move.line_ids.filtered(lambda line: line.display_type == "payment_term").remove_move_reconcile()
            self._forget_payments(document)
            side.program.touch(document)

    def _forget_payments(self, document):
        document.payments.clear()
        document.matched.clear()

    def _do_credit(self, side, a, b, c):
        """Credit all of an invoice, or a part of it."""
        found = self._pick_posted(side, b)
        if not found:
            return
        move, document = found
        wizard = side.env["account.move.reversal"].with_context(active_model="account.move", active_ids=move.ids)
        wizard = wizard.create({"journal_id": move.journal_id.id, "reason": "Returned", "date": self.today})
        credit = side.env["account.move"].browse(wizard.reverse_moves()["res_id"])
        lines = list(document.lines)
        if c % 2:
            step = Decimal(1).scaleb(-DIGITS[move.currency_id.name])
            lines = [max(step, (document.total * (c % 9 + 1) / 10).quantize(step))]
            credit.invoice_line_ids[1:].unlink()
            credit.invoice_line_ids.write({"quantity": 1, "price_unit": float(lines[0])})
        note = Document(
            "account.move", credit.id, document.buyer, self.today, lines, document.rate, document.referrer,
            reversed=document, is_refund=True,
        )  # fmt: skip
        residual = document.residual
        side.program.documents.append(note)
        self._post_move(side, credit, note)
        if residual > 0:
            document.matched[note] = min(residual, note.total)

    # === Orders ===

    def _do_order(self, side, a, b, c):
        """Create an order, mostly confirmed."""
        currency = list(RATES)[(0, 0, 1, 2)[b % 4]]
        amounts = self._make_amounts(currency, b)
        buyer, referrer = self._pick_partners(b)
        order = side.env["sale.order"].create(
            {
                "partner_id": buyer.id,
                "loyalty_partner_id": referrer.id,
                "company_id": side.shop.company.id,
                "pricelist_id": side.shop.pricelists[currency],
                "order_line": [
                    Command.create({"product_id": side.shop.product.id, "product_uom_qty": 1, "price_unit": float(x)})
                    for x in amounts
                ],
            }
        )
        document = Document(
            "sale.order", order.id, buyer.id, self.today, amounts, side.shop.rate(currency), referrer.id
        )
        side.orders.append((order, document))
        side.program.documents.append(document)
        if c % 4:
            self._confirm(side, order, document, a)

    def _confirm(self, side, order, document, number):
        order.action_confirm()
        document.day, document.counts = self.today, True
        self._move_order(side, order, document, self._pick_day(number))

    def _move_order(self, side, order, document, day):
        """Let a confirmed order be of another day; it is marked where it stood and where it stands."""
        side.program.touch(document)
        order.date_order = f"{day} 12:00:00"
        document.day = day
        side.program.touch(document)

    def _do_confirm(self, side, a, b, c):
        """Confirm a quotation, or an order that was cancelled."""
        found = self._pick([pair for pair in side.orders if not pair[1].counts], b)
        if found:
            order, document = found
            if order.state == "cancel":
                order.action_draft()
            self._confirm(side, order, document, a)

    def _do_cancel_order(self, side, a, b, c):
        """Cancel an order."""
        found = self._pick([pair for pair in side.orders if pair[1].counts], b)
        if found:
            found[0]._action_cancel()
            found[1].counts = False
            side.program.touch(found[1])

    def _do_edit_order(self, side, a, b, c):
        """Change a price of an order."""
        found = self._pick([pair for pair in side.orders if pair[0].state != "cancel"], b)
        if found:
            order, document = found
            document.lines[0] = self._make_amount(order.currency_id.name, c)
            order.order_line[0].price_unit = float(document.lines[0])
            if document.counts:
                side.program.touch(document)

    def _do_move_order(self, side, a, b, c):
        """Let a confirmed order be of another day."""
        found = self._pick([pair for pair in side.orders if pair[1].counts], b)
        if found:
            self._move_order(side, *found, self._pick_day(a))

    def _do_refer(self, side, a, b, c):
        """Let an order or an invoice be brought by somebody else."""
        found = self._pick([pair for pair in side.orders + side.invoices if pair[1].counts], b)
        if found:
            record, document = found
            # It is marked where it stood and where it stands.
            side.program.touch(document)
            record.loyalty_partner_id = self._pick_partners(c)[1]
            document.referrer = record.loyalty_partner_id.id
            side.program.touch(document)

    # === Time ===

    def _do_advance(self, side, a, b, c):
        """Let days pass."""
        self.today += timedelta(days=(1, 3, 10, 25, 40)[b % 5])
        for each in self.sides:
            each.book.today = self.today
        self._set_clock()

    def _set_clock(self):
        self.clock.move_to(f"{self.today} 10:00:00")
        self.env.invalidate_all()

    def _do_expire(self, side, a, b, c):
        """What the nightly cron does about expiry."""
        for each in self.sides:
            accounts = each.env["partner.loyalty.account"].search([("program_id", "=", each.record.id)])
            self.env["partner.loyalty.entry"]._expire(accounts.ids)
            for member in each.program.members:
                for account in member.accounts.values():
                    account.expire()

    def _do_lock(self, side, a, b, c):
        """Lock a part of the past."""
        day = self.today - timedelta(days=1 + b % 20)
        if day > (side.book.lock_date or START):
            side.record.lock_date = side.book.lock_date = day

    # === Programs ===

    def _do_new_version(self, side, a, b, c):
        """Close a rule with yesterday and open its next version, with another rate."""
        rule = self._pick([r for r in side.program.rules if r.date_to >= self.today > max(r.date_from, START)], b)
        if not rule:
            return
        action = side.env["partner.loyalty.rule"].browse(rule.id).action_new_version()
        successor = side.env["partner.loyalty.rule"].browse(action["res_id"])
        rate = Decimal(1 + c % 20)
        successor.rate = float(rate)
        versions = side.env["partner.loyalty.rule.version"]
        versions.create({"rule_id": successor.id, "date_from": self.today}).action_apply()
        values = {**vars(rule), "id": successor.id, "rate": rate, "date_from": self.today}
        rule.date_to = self.today - timedelta(days=1)
        side.program.rules.append(Rule(**values))

    def _do_archive(self, side, a, b, c):
        """Archive a rule."""
        rule = self._pick([rule for rule in side.program.rules if rule.date_to > self.today], b)
        if rule:
            side.env["partner.loyalty.rule"].browse(rule.id).action_archive()
            rule.date_to = max(self.today, rule.date_from)

    def _do_share(self, side, a, b, c):
        """Recover debts from another share of earnings."""
        side.book.recovery_share = (Decimal(100), Decimal(50), Decimal(20))[b % 3]
        side.record.recovery_share = float(side.book.recovery_share)
        for member in side.program.members:
            for account in member.accounts.values():
                account.settle()

    # === Differences ===

    def _do_compare(self, side, a, b, c):
        """The nightly comparison."""
        self._answer()
        Chunk = self.env["partner.loyalty.chunk"]
        for each in self.sides:
            Chunk._plan(each.record.with_env(Chunk.env))
            for chunk in Chunk.search([]):
                chunk._compare()
                chunk.unlink()
            count = self.env["partner.loyalty.difference"].search_count(
                [("program_id", "=", each.record.id), ("state", "=", "open")]
            )
            self._compare("Open differences", [count], [each.program.compare()])

    def _do_post_difference(self, side, a, b, c):
        """Post a difference that was found."""
        found = self._pick_difference(side, a, b, c)
        if found:
            record, (rule, member, (origin, start)) = found
            # Posting by another document's name would answer marks that wait.
            record.action_post()
            periods = side.program.reach(rule, {origin}) if origin else {(member, start)}
            side.program.reconcile(rule, {origin} - {None}, periods)
            side.program.differences[found[1]][0] = "posted"

    def _do_dismiss_difference(self, side, a, b, c):
        """Dismiss a difference that was found."""
        found = self._pick_difference(side, a, b, c)
        if found:
            found[0].action_dismiss()
            side.program.differences[found[1]][0] = "dismissed"

    def _pick_difference(self, side, a, b, c):
        self._do_compare(side, a, b, c)
        key = self._pick(side.program.open_differences(), b)
        if not key:
            return None
        rule, member, (origin, start) = key
        record = side.env["partner.loyalty.difference"].search(
            [
                ("rule_id", "=", rule.id),
                ("account_id.member_id", "=", member.id),
                ("origin_model", "=", origin.model if origin else "partner.loyalty.member"),
                ("origin_id", "=", (origin or member).id),
                ("period_start", "=", start or NO_PERIOD),
            ]
        )
        if len(record) != 1:
            raise Mismatch(f"No difference for {origin or member} from {start} on by rule {rule.id}")
        return record, key

    # === Choices ===

    def _pick(self, items, number):
        return items[number % len(items)] if items else None

    def _pick_posted(self, side, number):
        return self._pick([pair for pair in side.invoices if pair[1].counts], number)

    def _pick_day(self, number):
        return self.today - timedelta(days=number % 7 * (number % 11))

    def _pick_partners(self, number):
        partners = self.partners
        referrer = partners[(number // 7) % 3] if number % 3 else partners[0].browse()
        return partners[(0, 0, 1, 2)[number // 3 % 4]], referrer

    def _make_amounts(self, currency, number):
        return [self._make_amount(currency, number + extra * 37) for extra in range(1 + number % 2)]

    def _make_amount(self, currency, number):
        """Return an amount that is worth some euros up to some hundreds, odd cents included."""
        step = Decimal(1).scaleb(-DIGITS[currency])
        return (Decimal(1 + number % 50000) / 100 * RATES[currency]).quantize(step) or step

    def _currency(self, name):
        return self.env["res.currency"].search([("name", "=", name)])


def _words(counter):
    return [tuple(str(part) for part in row) if isinstance(row, tuple) else str(row) for row in counter.elements()]
