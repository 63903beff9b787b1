from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import formatLang

from ..const import UNITS


class PartnerLoyaltyExplain(models.TransientModel):
    """Shows what a document earned and why, or why not, and puts it into a message to the partner."""

    _name = "partner.loyalty.explain"
    _description = "Why or Why Not"
    _inherit = ["partner.loyalty.wizard.mixin"]

    # === FIELDS ===#

    document_ref = fields.Reference(
        selection=[("sale.order", "Order"), ("account.move", "Invoice"), ("crm.lead", "Opportunity")],
        string="Document",
        readonly=True,
    )
    line_ids = fields.One2many(comodel_name="partner.loyalty.explain.line", inverse_name="wizard_id", readonly=True)

    # === CRUD METHODS ===#

    @api.model
    def default_get(self, fields):
        document = self._get_document()
        values = super().default_get(fields)
        if document:
            values["document_ref"] = f"{document._name},{document.id}"
            values["line_ids"] = [Command.create(vals) for vals in self._prepare_lines(document)]
        return values

    # === ACTION METHODS ===#

    def action_write_message(self):
        """Open a message to the partner with the answer, in the partner's language.

        :raises UserError: where no partner could earn anything
        """
        self.ensure_one()
        partner = self.line_ids.partner_id[:1]
        if not partner:
            raise UserError(self.env._("There is nobody to write to: name the partner who brought it first."))
        document = self.document_ref.with_context(lang=partner.lang)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Write to the Partner"),
            "res_model": "mail.compose.message",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_model": document._name,
                "default_res_ids": document.ids,
                "default_partner_ids": partner.ids,
                "default_composition_mode": "comment",
                "default_body": self._get_message(document, partner),
            },
        }

    # === BUSINESS METHODS ===#

    @api.model
    def _get_document(self):
        """Return the order, invoice or opportunity that the dialog was opened for, where the user may read it."""
        model = self.env.context.get("active_model")
        kinds = self.env["partner.loyalty.touch"]._get_touch_kinds()
        if model not in kinds or model not in self._fields["document_ref"].get_values(self.env):
            return None
        document = self._get_active_records(model)[:1]
        document.check_access("read")
        return document

    @api.model
    def _prepare_lines(self, document):
        """Return the values of the lines: what each rule says."""
        return [self._prepare_line(answer) for answer in self.env["partner.loyalty.why"]._answer(document)]

    @api.model
    def _prepare_line(self, answer):
        return {
            "rule_name": answer["rule"].name,
            "program_name": answer["rule"].program_id.name,
            "partner_id": answer["partner"].id,
            "unit": answer["rule"].unit,
            "currency_id": answer["rule"].currency_id.id,
            "amount": float(answer["amount"]),
            "text": "\n".join(filter(None, (answer["text"], self._format_shares(answer)))),
        }

    @api.model
    def _get_message(self, document, partner):
        """Return the answer for a partner as the body of a message."""
        own = [
            answer for answer in document.env["partner.loyalty.why"]._answer(document) if answer["partner"] == partner
        ]
        rows = Markup().join(
            Markup("<li>%s: %s – %s</li>")
            % (answer["rule"].name, self._format_amount(answer, answer["amount"]), answer["text"])
            for answer in own
        )
        return Markup("<p>%s</p><ul>%s</ul>") % (document.display_name, rows)

    @api.model
    def _format_shares(self, answer):
        """Return the share of each line in words, such as “Saw: 5.00, Drill: 2.50”."""
        no_product = self.env._("No product")
        return ", ".join(
            f"{product.display_name or no_product}: {self._format_amount(answer, share)}"
            for product, share in answer["shares"]
        )

    @api.model
    def _format_amount(self, answer, amount):
        rule = answer["rule"].with_context(lang=answer["partner"].lang)
        if rule.unit == "money":
            return formatLang(rule.env, float(amount), currency_obj=rule.currency_id)
        return rule.env._("Points: %s", formatLang(rule.env, float(amount), digits=rule.program_id.point_digits))


class PartnerLoyaltyExplainLine(models.TransientModel):
    """What one rule says of the document."""

    _name = "partner.loyalty.explain.line"
    _description = "Answer of a Rule"

    # === FIELDS ===#

    wizard_id = fields.Many2one(comodel_name="partner.loyalty.explain", required=True, ondelete="cascade")
    rule_name = fields.Char(string="Rule")
    program_name = fields.Char(string="Program")
    partner_id = fields.Many2one(comodel_name="res.partner")
    unit = fields.Selection(selection=UNITS)
    currency_id = fields.Many2one(comodel_name="res.currency")
    amount = fields.Float(digits=(18, 4))
    text = fields.Text(string="Why or Why Not")
