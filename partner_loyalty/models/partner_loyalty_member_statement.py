from datetime import timedelta
from decimal import Decimal

from odoo import models
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.sql import escape_psql

from ..const import UNITS

# What the lines of a statement are summed up by; every type of entry is in one of them.
STATEMENT_GROUPS = {
    "earned": ("accrual", "bonus", "reward"),
    "taken": ("clawback", "bonus_undo", "reward_undo"),
    "corrected": ("opening", "adjustment", "transfer"),
    "spent": ("redemption", "redemption_return"),
    "expired": ("expiry", "expiry_return"),
    "paid": ("payout", "payout_return"),
}


class PartnerLoyaltyMemberStatement(models.AbstractModel):
    """The statement of a member over some days: what there was, what came and went by which cause, and what is left."""

    _name = "partner.loyalty.member.statement"
    _description = "Statement of a Member"

    # === GETTERS ===#

    def _get_statement(self, first, last, units=None):
        """Return the statement of the member.

        Opening, the sums of the groups and closing add up, for each unit by itself; so do opening, lines and closing.

        :param date first: first day
        :param date last: last day
        :param units: ``point`` and ``money``, or one of them; both by default. Marketing money is named with money.
        :return: ``{"units": [...], "claims": recordset, "marketing": recordset}``, a unit with ``unit``, ``opening``,
            ``closing``, ``groups`` (pairs of name and Decimal, those at zero left out) and ``lines``
            (``partner.loyalty.entry``); claims of marketing money stand by themselves
        :rtype: dict
        """
        self.ensure_one()
        units = [unit for unit, _label in UNITS if units is None or unit in units]
        sections = [self._get_unit_statement(unit, first, last) for unit in units]
        claims = self._get_statement_claims(first, last)
        marketing = claims.filtered(lambda claim: claim.kind == "mdf")
        return {
            "units": [section for section in sections if section["opening"] or section["lines"]],
            "claims": claims - marketing,
            "marketing": marketing if "money" in units else marketing.browse(),
        }

    def _get_unit_statement(self, unit, first, last):
        """Return what a statement says about one unit; see :meth:`_get_statement`."""
        Entry = self.env["partner.loyalty.entry"]
        account = Domain("account_id", "=", self._get_account(unit).id)
        within = account & Domain("date", ">=", first) & Domain("date", "<=", last)
        opening = self._sum(Entry._read_group(account & Domain("date", "<", first), ["type"], ["amount:sum"]))
        by_type = Entry._read_group(within, ["type"], ["amount:sum"])
        groups = {
            name: self._sum([row for row in by_type if row[0] in types]) for name, types in STATEMENT_GROUPS.items()
        }
        return {
            "unit": unit,
            "opening": opening,
            "groups": [(name, amount) for name, amount in groups.items() if amount],
            "closing": opening + sum(groups.values()),
            "lines": Entry.search(within, order="sequence"),
        }

    @staticmethod
    def _sum(rows):
        """Add up amounts as they were stored, without what floats add to them."""
        return sum((Decimal(f"{amount:.4f}") for _type, amount in rows), Decimal(0))

    def _get_statement_claims(self, first, last):
        """Return the rewards that a statement names: asked for or got in these days, and those still to be had.

        :rtype: recordset of ``partner.loyalty.claim``
        """
        # A member may read all of its own claims, and nobody prints the statement of a member that they may not see.
        claims_sudo = self.env["partner.loyalty.claim"].sudo()
        after = last + timedelta(days=1)
        asked = Domain("requested_at", ">=", first) & Domain("requested_at", "<", after)
        got = Domain("fulfilled_at", ">=", first) & Domain("fulfilled_at", "<", after)
        still = Domain("state", "in", ("requested", "approved")) | (
            Domain("state", "=", "draft") & Domain("source", "!=", "points")
        )
        return claims_sudo.search(Domain("member_id", "=", self.id) & (asked | got | still), order="id")

    def _get_statement_lines(self, unit, group=None, first=None, last=None, text=None):
        """Return which lines of the member's statement are asked for.

        :param str unit: ``point`` or ``money``
        :param str group: one of ``STATEMENT_GROUPS``; all by default
        :param date first: first day; from the beginning by default
        :param date last: last day; up to the end by default
        :param str text: part of the name of a document, a rule, a bonus or a reward, or of a reason
        :return: on ``partner.loyalty.entry``
        :rtype: Domain
        """
        self.ensure_one()
        domain = Domain("account_id", "=", self._get_account(unit).id)
        if group:
            domain &= Domain("type", "in", STATEMENT_GROUPS[group])
        if first:
            domain &= Domain("date", ">=", first)
        if last:
            domain &= Domain("date", "<=", last)
        return domain & self._get_statement_text_domain(text) if text else domain

    def _get_statement_text_domain(self, text):
        """Return which lines have a text in the name of what they come from; see :meth:`_get_statement_lines`."""
        # A sign that stands for any text is looked for as it is.
        text = escape_psql(text)
        by_document = [
            Domain("origin_model", "=", model) & Domain("origin_id", "in", query)
            for model, query in self._get_statement_documents(text).items()
        ]
        by_facts = Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                "CONCAT_WS(' ', %(facts)s->>'reason', %(facts)s->>'bonus', %(facts)s->>'reward') ILIKE %(pattern)s",
                facts=SQL.identifier(alias, "explanation"),
                pattern=f"%{text}%",
            )
        )
        return Domain.OR([*by_document, Domain("rule_id.name", "ilike", text), by_facts])

    def _get_statement_documents(self, text):
        """Return the documents of the member's company that have a text in their name, for each model.

        :rtype: dict[str, Query]
        """
        partner = self.partner_id
        owners = {
            "account.move": Domain("commercial_partner_id", "=", partner.id)
            | Domain("loyalty_partner_id", "=", partner.id),
            "sale.order": Domain("loyalty_buyer_id", "=", partner.id) | Domain("loyalty_partner_id", "=", partner.id),
            "partner.loyalty.payout": Domain("member_id", "=", self.id),
            "partner.loyalty.claim": Domain("member_id", "=", self.id),
        }
        # The name of a document on one's own statement may be read without access to the document.
        return {
            model: self.env[model].sudo()._search(owner & Domain("name", "ilike", text))
            for model, owner in owners.items()
        }

    def _get_statement_labels(self):
        """Return what the groups of a statement are called.

        :rtype: dict[str, str]
        """
        return {
            "earned": self.env._("Earned"),
            "taken": self.env._("Taken back"),
            "corrected": self.env._("Corrected or moved"),
            "spent": self.env._("Spent on rewards"),
            "expired": self.env._("Expired"),
            "paid": self.env._("Paid out"),
        }
