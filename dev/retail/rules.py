"""The rules of the program *Retail dealers*: points up to a limit, commission by tier, a bonus by bands, a promotion.

:mod:`.recompute` says the same in plain Python, with figures of its own.
"""

from dataclasses import dataclass
from decimal import Decimal

from odoo.fields import Command

from . import company

NAMES = ("points", "commission", "bonus", "promotion")
POINTS_PER_POUND = 0.1
POINTS_IN_MONTH = 40
BONUS_BANDS = [(500, 1), (2000, 2), (10000, 3)]
PROMOTION_DAYS = (6, 12)
PROMOTION_STEP, PROMOTION_POINTS = 50, 5


@dataclass
class Promotion:
    """What the app says came of the promotion."""

    members: int
    documents: int
    turnover: Decimal
    points: Decimal
    sentence: str


def create(env, program, commission_rates, month):
    """Create the rules of a program, and the campaign of its promotion.

    :param program: a program with its tiers
    :param list commission_rates: percent of each tier, the lowest tier first
    :param datetime.date month: any day of the month of the promotion
    """
    tiers = program.tier_ids.sorted("threshold")
    campaign_vals = {"title": f"Week of more points in {month:%B %Y}", "company_id": program.company_id.id}
    vals_list = [
        _points_vals(),
        _commission_vals(tiers, commission_rates),
        _bonus_vals(),
        _promotion_vals(env["utm.campaign"].create(campaign_vals), month),
    ]
    common = {"program_id": program.id, "kind": "invoice", "role": "buyer"}
    created = env["partner.loyalty.rule"].create([common | vals for vals in vals_list])
    for name, rule in zip(NAMES, created, strict=True):
        company.remember(env, xmlid(name), rule)


def promotion(session, books):
    """Return what came of the promotion, as the app shows it.

    :rtype: Promotion
    """
    with session.env(books.company) as env:
        rule = company.find(env, xmlid("promotion"))
        return Promotion(
            members=rule.promotion_member_count,
            documents=rule.promotion_document_count,
            turnover=_exact(rule.promotion_turnover),
            points=_exact(rule.promotion_points),
            sentence=rule.promotion_result,
        )


def _exact(number):
    """Return the figure that a screen shows for a number of Odoo, which has no other than floats."""
    return Decimal(repr(number)).quantize(Decimal("0.01"))


def xmlid(name):
    """Return the name under which the rule ``name`` is remembered."""
    return f"rule_{name}"


def _points_vals():
    """Return the values of the rule for points; who buys much reaches its limit within a month."""
    return {
        "name": "Points on purchases",
        "formula": "per_amount",
        "unit": "point",
        "rate": POINTS_PER_POUND,
        "step_amount": 1,
        "cap_member": POINTS_IN_MONTH,
        "cap_period": "month",
    }


def _commission_vals(tiers, rates):
    """Return the values of the rule for commission, with the rate of each tier."""
    return {
        "name": "Commission by tier",
        "formula": "percent",
        "unit": "money",
        "rate": rates[0],
        "tier_rate_ids": [
            Command.create({"tier_id": tier.id, "rate": rate}) for tier, rate in zip(tiers, rates, strict=True)
        ],
    }


def _bonus_vals():
    """Return the values of the rule for the turnover of a month: each band of it earns its own percent."""
    return {
        "name": "Bonus on the turnover of a month",
        "formula": "bands",
        "unit": "money",
        "measure": "amount",
        "band_kind": "marginal",
        "period": "month",
        "band_ids": [Command.create({"threshold": threshold, "rate": rate}) for threshold, rate in BONUS_BANDS],
    }


def _promotion_vals(campaign, month):
    """Return the values of the promotion: points for each full amount of a document, for a week."""
    first, last = PROMOTION_DAYS
    return {
        "name": campaign.title,
        "campaign_id": campaign.id,
        "date_from": month.replace(day=first),
        "date_to": month.replace(day=last),
        "formula": "per_amount",
        "step_kind": "full",
        "step_amount": PROMOTION_STEP,
        "unit": "point",
        "rate": PROMOTION_POINTS,
    }
