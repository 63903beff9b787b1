from odoo import models
from odoo.exceptions import UserError


class PartnerLoyaltyClaimAward(models.AbstractModel):
    """Claims that are awards: the certificate to hang on a wall."""

    _name = "partner.loyalty.claim.award"
    _description = "Award Claimed"

    # === ACTION METHODS ===#

    def action_print_certificate(self):
        """Print the certificates of awards, each in the language of its partner.

        :raises UserError: where one is no award that a member has
        """
        self.check_access("read")
        without = self.filtered(lambda claim: claim.kind != "award" or claim.state != "fulfilled")
        if without:
            raise UserError(
                self.env._("Certificates are for awards that members have: %s is none.", without._get_names())
            )
        return self.env.ref("partner_loyalty.partner_loyalty_claim_certificate_action").report_action(self)

    # === GETTERS ===#

    def _get_report_base_filename(self):
        """Return the file name of the certificate."""
        self.ensure_one()
        return self.env._("Certificate %s", self.name)
