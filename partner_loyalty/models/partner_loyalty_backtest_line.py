from odoo import api, fields, models

from ..const import LEDGER_DIGITS


class PartnerLoyaltyBacktestLine(models.Model):
    """What a partner would have got for a document by a rule, beside what it has really got for it.

    Inserted by ``partner.loyalty.backtest`` in one go. Totals are not rounded, so that sums of them are exact.
    """

    _name = "partner.loyalty.backtest.line"
    _description = "Backtest Line"
    _inherit = ["partner.loyalty.document.mixin"]
    _order = "date desc, id desc"
    _log_access = False
    _rec_name = "origin_name"

    # === FIELDS ===#

    backtest_id = fields.Many2one(
        comodel_name="partner.loyalty.backtest", required=True, index=True, ondelete="cascade", readonly=True
    )
    company_id = fields.Many2one(comodel_name="res.company", required=True, readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    partner_id = fields.Many2one(
        comodel_name="res.partner", string="Member", index="btree_not_null", ondelete="set null", readonly=True
    )
    rule_id = fields.Many2one(
        comodel_name="partner.loyalty.rule",
        index="btree_not_null",
        ondelete="set null",
        readonly=True,
        help="Where the rules of both programs have the same name, they stand on one line.",
    )
    tier_id = fields.Many2one(
        comodel_name="partner.loyalty.tier",
        index="btree_not_null",
        ondelete="set null",
        readonly=True,
        help="The tier of the member on the day of the sale, by the program that is tried.",
    )
    date = fields.Date(string="Date of Sale", required=True, readonly=True)
    origin_model = fields.Char(required=True, readonly=True)
    origin_id = fields.Many2oneReference(model_field="origin_model", required=True, readonly=True, aggregator=None)
    origin_name = fields.Char(string="Document", compute="_compute_origin_name")
    period_start = fields.Date(readonly=True)
    total = fields.Monetary(string="Cost", readonly=True)
    money_amount = fields.Monetary(string="Money", readonly=True)
    point_amount = fields.Float(string="Points", digits=LEDGER_DIGITS, readonly=True)
    reference_total = fields.Monetary(string="Actually Posted", readonly=True)
    reference_money_amount = fields.Monetary(string="Money Posted", readonly=True)
    reference_point_amount = fields.Float(string="Points Posted", digits=LEDGER_DIGITS, readonly=True)
    difference = fields.Monetary(readonly=True)

    # === COMPUTE METHODS ===#

    @api.depends_context("lang")
    def _compute_origin_name(self):
        for model, lines in self.grouped("origin_model").items():
            # As on a statement, the name of a document may be read without access to the document.
            origins_sudo = self.env[model].sudo().browse(lines.mapped("origin_id")).exists()
            names = {origin.id: origin.display_name for origin in origins_sudo}
            for line in lines:
                line.origin_name = names.get(line.origin_id) or self.env._("Deleted document")
