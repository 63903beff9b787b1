import secrets

from odoo import fields, models
from odoo.tools import SQL

# No letter or digit that is mistaken for another one when somebody reads the code out.
CODE_SIGNS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
CODE_LENGTH = 10


class PartnerLoyaltyMemberReferral(models.AbstractModel):
    """The code by which a member brings others: in its link, on a form, or on an order that comes from elsewhere."""

    _name = "partner.loyalty.member.referral"
    _description = "Referral Code of a Member"

    # === DEFAULT METHODS ===#

    def _default_referral_code(self):
        return "".join(secrets.choice(CODE_SIGNS) for _sign in range(CODE_LENGTH))

    # === FIELDS ===#

    referral_code = fields.Char(
        readonly=True,
        copy=False,
        default=lambda self: self._default_referral_code(),
        help="Who comes with this code was brought by the member.",
    )
    referred_ids = fields.One2many(
        comodel_name="partner.loyalty.member", inverse_name="referrer_id", string="Members Who Came"
    )

    # === CONSTRAINTS ===#

    _referral_code_unique = models.UniqueIndex("(referral_code)", "Another member has this code already.")

    # === BUSINESS METHODS ===#

    def _init_column(self, column_name):
        """Override: each member that is there already gets a code of its own."""
        if column_name != "referral_code":
            return super()._init_column(column_name)
        return self.env.execute_query(
            SQL(
                """
                UPDATE partner_loyalty_member
                   SET referral_code = upper(substr(replace(gen_random_uuid()::text, '-', ''), 1, 12))
                 WHERE referral_code IS NULL
                """
            )
        )
