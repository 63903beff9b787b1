"""The rows that key figures are about, read by plain ``SELECT`` without any arithmetic.

All of a company is read, whatever the program: what counts is decided in :mod:`.recompute`.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from psycopg2.extensions import DECIMAL, register_type

PROGRAM = """
    SELECT id, name, company_id, tz, tier_kind, point_value::text, assumed_margin FROM partner_loyalty_program
     WHERE id = %s
"""
MEMBERS = "SELECT id, partner_id, merged_into_id FROM partner_loyalty_member WHERE program_id = %s ORDER BY id"
PERIODS = """
    SELECT member_id, date_from, date_to FROM partner_loyalty_member_period
     WHERE member_id IN (SELECT id FROM partner_loyalty_member WHERE program_id = %s)
"""
INVOICES = """
    SELECT move.id, move.move_type, move.invoice_date, move.commercial_partner_id, move.loyalty_partner_id,
           move.reversed_entry_id, move.loyalty_payout_id, move.amount_total, move.amount_residual,
           move.amount_untaxed_signed
      FROM account_move move
     WHERE move.company_id = %s AND move.state = 'posted'
       AND move.move_type IN ('out_invoice', 'out_refund', 'out_receipt')
"""
INVOICE_LINES = """
    SELECT line.move_id, line.product_id, -line.balance
      FROM account_move_line line JOIN account_move move ON move.id = line.move_id
     WHERE move.company_id = %s AND move.state = 'posted' AND line.display_type = 'product'
       AND move.move_type IN ('out_invoice', 'out_refund', 'out_receipt')
"""
PARTIALS = """
    SELECT term.move_id, other.move_id, partial.max_date,
           CASE WHEN partial.debit_move_id = term.id
                THEN partial.debit_amount_currency ELSE partial.credit_amount_currency END,
           settlement.move_type, settlement.reversed_entry_id, settlement.origin_payment_id,
           settlement.statement_line_id, payment.amount, payment.currency_id = other.currency_id, other.amount_currency
      FROM account_partial_reconcile partial
      JOIN account_move_line term ON term.id IN (partial.debit_move_id, partial.credit_move_id)
      JOIN account_move_line other
        ON other.id IN (partial.debit_move_id, partial.credit_move_id) AND other.id <> term.id
      JOIN account_move settlement ON settlement.id = other.move_id
 LEFT JOIN account_payment payment ON payment.id = settlement.origin_payment_id
     WHERE term.display_type = 'payment_term' AND term.company_id = %s
"""
ORDERS = """
    SELECT id, date_order, loyalty_buyer_id, loyalty_partner_id, currency_rate FROM sale_order
     WHERE company_id = %s AND state = 'sale' AND loyalty_claim_id IS NULL
"""
ORDER_LINES = """
    SELECT line.order_id, line.product_id, line.price_subtotal, to_jsonb(line)->>'margin',
           to_jsonb(line)->>'purchase_price', line.display_type, line.is_downpayment
      FROM sale_order_line line JOIN sale_order sale ON sale.id = line.order_id
     WHERE sale.company_id = %s AND sale.state = 'sale' AND sale.loyalty_claim_id IS NULL
"""
DEALS = """
    SELECT id, partner_id, customer_company_id, decided_at FROM partner_loyalty_deal
     WHERE company_id = %s AND state = 'approved'
"""
CERTIFICATES = """
    SELECT answer.id, answer.loyalty_holder_id, answer.end_datetime
      FROM survey_user_input answer JOIN survey_survey survey ON survey.id = answer.survey_id
     WHERE answer.state = 'done' AND answer.scoring_success AND survey.certification
       AND answer.test_entry IS NOT TRUE AND answer.loyalty_holder_id IS NOT NULL
"""
ENTRIES = """
    SELECT account.member_id, account.unit, entry.type, entry.date, entry.amount
      FROM partner_loyalty_entry entry JOIN partner_loyalty_account account ON account.id = entry.account_id
     WHERE entry.program_id = %s
"""
CLAIMS = """
    SELECT claim.member_id, claim.fulfilled_at, claim.quantity, COALESCE(claim.point_amount, 0), reward.kind,
           reward.unit_cost
      FROM partner_loyalty_claim claim JOIN partner_loyalty_reward reward ON reward.id = claim.reward_id
     WHERE claim.program_id = %s AND claim.state = 'fulfilled'
"""
FEEDBACK = """
    SELECT member_id, date, csat FROM partner_loyalty_feedback
     WHERE program_id = %s AND source = 'survey' AND csat > 0
"""
INQUIRIES = "SELECT member_id, asked_at, answered_at FROM partner_loyalty_inquiry WHERE program_id = %s"
PAYOUTS = """
    SELECT payout.member_id, payout.state, payout.submitted_at, payout.decided_at,
           (SELECT MAX(partial.max_date)
              FROM account_partial_reconcile partial
              JOIN account_move_line term ON term.id IN (partial.debit_move_id, partial.credit_move_id)
             WHERE term.move_id = payout.bill_id AND term.display_type = 'payment_term')
      FROM partner_loyalty_payout payout
     WHERE payout.program_id = %s AND payout.state IN ('approved', 'billed', 'partial', 'paid')
"""
QUALITY = """
    SELECT metric.survey_weight, metric.return_weight, metric.audit_weight, metric.minimum_answers,
           metric.audit_metric_id
      FROM partner_loyalty_metric metric
      JOIN ir_model_data known ON known.res_id = metric.id AND known.model = 'partner.loyalty.metric'
     WHERE known.module = 'partner_loyalty' AND known.name = 'partner_loyalty_metric_service_quality'
"""
RATINGS = """
    SELECT answer.loyalty_rated_partner_id, answer.end_datetime, sale.date_order, answer.scoring_percentage,
           answer.loyalty_holder_id
      FROM survey_user_input answer JOIN sale_order sale ON sale.id = answer.loyalty_order_id
     WHERE answer.state = 'done' AND answer.test_entry IS NOT TRUE AND sale.company_id = %s
"""
AUDITS = "SELECT id, metric_id, member_id, date, value FROM partner_loyalty_metric_value ORDER BY date, id"
PILOTS = """
    SELECT pilot.id, pilot.tried, pilot.family_id, pilot.action_id, pilot.reward_id, pilot.date_from, pilot.date_to,
           pilot.effect, pilot.effect_low, pilot.effect_high, pilot.treatment_count
      FROM partner_loyalty_pilot pilot JOIN partner_loyalty_metric metric ON metric.id = pilot.metric_id
     WHERE pilot.program_id = %s AND pilot.assignment = 'random' AND pilot.has_interval
       AND pilot.measured_on > pilot.date_to AND metric.source = 'contribution' AND metric.aggregate = 'sum'
       AND metric.field = 'amount' AND metric.kind IN ('order', 'invoice', 'payment', 'bill')
       AND metric.base_id IS NULL AND metric.is_growth IS NOT TRUE
"""
TREATED = "SELECT pilot_id, member_id FROM partner_loyalty_pilot_member WHERE arm = 'treatment'"
EARNED = """
    SELECT rule.family_id, account.member_id, entry.contribution_date, account.unit, entry.amount
      FROM partner_loyalty_entry entry
      JOIN partner_loyalty_rule rule ON rule.id = entry.rule_id
      JOIN partner_loyalty_account account ON account.id = entry.account_id
     WHERE entry.program_id = %s AND entry.type IN ('accrual', 'clawback')
"""
BONUSES = """
    SELECT action_id, member_id, due_date, money_amount, point_amount FROM partner_loyalty_bonus_line
     WHERE program_id = %s AND state = 'given'
"""
REWARDED = """
    SELECT claim.reward_id, claim.member_id, claim.fulfilled_at, claim.quantity, reward.unit_cost, reward.point_cost
      FROM partner_loyalty_claim claim JOIN partner_loyalty_reward reward ON reward.id = claim.reward_id
     WHERE claim.program_id = %s AND claim.state = 'fulfilled'
"""


class Program(NamedTuple):
    """What is said of the program as a whole."""

    id: int
    name: str
    company: int
    zone: ZoneInfo
    kind: str
    point_value: Decimal
    assumed_margin: float


@dataclass
class Books:
    """All rows, by what they are; ``left_out`` are products whose lines are no sale."""

    program: Program
    rows: dict
    left_out: set

    def day(self, moment):
        """Return the day of a moment in UTC where the program is."""
        return moment.replace(tzinfo=UTC).astimezone(self.program.zone).date()


def read(connection, program_id):
    """Read everything about a program.

    :param connection: a psycopg2 connection
    :rtype: Books
    """
    # Odoo lets the driver of its whole process read exact numbers as binary ones.
    register_type(DECIMAL, connection)
    with connection, connection.cursor() as cr:
        cr.execute("SET TIME ZONE 'UTC'")
        cr.execute(PROGRAM, [program_id])
        number, name, company, zone, kind, point_value, margin = cr.fetchone()
        program = Program(number, name, company, ZoneInfo(zone), kind, Decimal(point_value or 0), margin or 0)
        by_program = {
            "members": MEMBERS,
            "periods": PERIODS,
            "entries": ENTRIES,
            "claims": CLAIMS,
            "feedback": FEEDBACK,
            "inquiries": INQUIRIES,
            "payouts": PAYOUTS,
            "pilots": PILOTS,
            "earned": EARNED,
            "bonuses": BONUSES,
            "rewarded": REWARDED,
        }
        by_company = {
            "invoices": INVOICES,
            "invoice_lines": INVOICE_LINES,
            "partials": PARTIALS,
            "orders": ORDERS,
            "order_lines": ORDER_LINES,
            "deals": DEALS,
            "ratings": RATINGS,
        }
        rows = {key: _fetch(cr, query, [program_id]) for key, query in by_program.items()}
        rows |= {key: _fetch(cr, query, [company]) for key, query in by_company.items()}
        of_all = {"certificates": CERTIFICATES, "quality": QUALITY, "audits": AUDITS, "treated": TREATED}
        rows |= {key: _fetch(cr, query) for key, query in of_all.items()}
        return Books(program, rows, _read_left_out(cr))


def _fetch(cr, query, values=()):
    cr.execute(query, values)
    return cr.fetchall()


def _read_left_out(cr):
    """Return the products that deliver orders, where the database has deliveries, and its program leaves them out."""
    cr.execute("SELECT state FROM ir_module_module WHERE name = 'partner_loyalty_delivery'")
    if cr.fetchone() != ("installed",):
        return set()
    return {product for (product,) in _fetch(cr, "SELECT product_id FROM delivery_carrier")}


def group(rows, place=0):
    """Return rows by one of their columns."""
    grouped = defaultdict(list)
    for row in rows:
        grouped[row[place]].append(row)
    return grouped


def is_between(day, first, last):
    """Return whether a day, which may be missing, lies between two days."""
    return day is not None and first <= day <= (last or date.max)
