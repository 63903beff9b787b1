from odoo import api, fields, models


class PartnerLoyaltyClaim(models.Model):
    """A claim can have codes that the member hands to its own clients."""

    _inherit = "partner.loyalty.claim"

    # === FIELDS ===#

    card_ids = fields.One2many(
        comodel_name="loyalty.card",
        inverse_name="loyalty_claim_id",
        string="Codes",
        readonly=True,
        copy=False,
        context={"active_test": False},
        groups="partner_loyalty.partner_loyalty_group_officer",
    )
    card_text = fields.Char(string="What Became of Them", compute="_compute_card_text", compute_sudo=True)

    # === COMPUTE METHODS ===#

    @api.depends("card_ids")
    @api.depends_context("lang")
    def _compute_card_text(self):
        for claim in self:
            claim.card_text = claim._get_card_text() if claim.card_ids else False

    def _get_card_text(self):
        """Return how many of the codes were used, and by how many clients.

        :rtype: str
        """
        used = self.card_ids.filtered(lambda card: card.loyalty_outcome == "used")
        return self.env._(
            "%(used)s of %(count)s used, by %(clients)s clients",
            used=len(used),
            count=len(self.card_ids),
            clients=len(used.loyalty_client_id.commercial_partner_id),
        )

    # === ACTION METHODS ===#

    def action_send_codes(self):
        """Write a mail to the member, with its codes."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "mail.compose.message",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_model": self._name,
                "default_res_ids": self.ids,
                "default_template_id": self.env.ref("partner_loyalty_coupon.mail_template_codes").id,
                "default_composition_mode": "comment",
                "default_email_layout_xmlid": "mail.mail_notification_light",
                "force_email": True,
            },
        }

    # === BUSINESS METHODS ===#

    def _get_code_benefit(self):
        """Return what a code gives, as its program says it.

        :rtype: str
        """
        # Officers hand out codes without any right on the programs of coupons.
        rewards_sudo = self.reward_id.sudo().coupon_program_id.reward_ids
        return ", ".join(filter(None, rewards_sudo.mapped("description")))

    def _get_unused_cards(self):
        """Return the codes that can still be handed out."""
        return self.card_ids.filtered(lambda card: card.loyalty_outcome == "unused")
