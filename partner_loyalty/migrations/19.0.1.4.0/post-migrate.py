from odoo import SUPERUSER_ID, api
from odoo.tools import SQL


def migrate(cr, version):
    """Note of payouts that were approved before what their bills have to say: the amount, and the account of now."""
    cr.execute(
        SQL(
            """UPDATE partner_loyalty_payout payout
                  SET bill_currency_id = company.currency_id, bill_rate = 1, bill_amount = payout.amount
                 FROM res_company company
                WHERE company.id = payout.company_id AND payout.decision = 'approved'
                  AND payout.bill_currency_id IS NULL
            RETURNING payout.id"""
        )
    )
    payouts = api.Environment(cr, SUPERUSER_ID, {})["partner.loyalty.payout"].browse(row[0] for row in cr.fetchall())
    for payout in payouts:
        payout.bank_account = payout._get_bank_account()
