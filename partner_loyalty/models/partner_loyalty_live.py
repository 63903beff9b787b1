from decimal import Decimal

from odoo import api, models
from odoo.tools import SQL, formatLang

# Where one transaction posts to more accounts, nobody watches each of them: their pages say it when they are opened.
MOST_ACCOUNTS = 50


class PartnerLoyaltyLive(models.AbstractModel):
    """Tells the open portal pages of a member what it has just earned, once it is committed."""

    _name = "partner.loyalty.live"
    _description = "Live Pages"

    # === BUSINESS METHODS ===#

    @api.model
    def _note(self, rows):
        """Note what was posted, to be told with the commit of the transaction.

        :param list rows: ``(entry id, account id, amount)``
        """
        precommit = self.env.cr.precommit
        if self._name not in precommit.data:
            precommit.data[self._name] = {}
            precommit.add(self._tell)
        noted = precommit.data[self._name]
        for _entry_id, account_id, amount in rows:
            noted[account_id] = noted.get(account_id, Decimal(0)) + amount

    @api.model
    def _tell(self):
        """Send each login of the members what has come in, as far as it may see it."""
        noted = self.env.cr.precommit.data.pop(self._name, {})
        earned = {account_id: amount for account_id, amount in noted.items() if amount > 0}
        if not 0 < len(earned) <= MOST_ACCOUNTS:
            return
        # Whoever posts need not see accounts and logins; each login is told of its own company alone.
        users = self._get_users(list(earned))
        accounts_sudo = self.env["partner.loyalty.account"].sudo().browse(users)
        for account_sudo in accounts_sudo:
            for user_sudo in self.env["res.users"].sudo().browse(users[account_sudo.id]):
                if account_sudo.unit == "point" or user_sudo.partner_id._get_loyalty_right() != "sales":
                    payload = self._prepare_payload(account_sudo, earned[account_sudo.id], user_sudo.lang)
                    user_sudo.partner_id._bus_send("partner_loyalty.earned", payload)

    @api.model
    def _get_users(self, account_ids):
        """Return the logins to the portal of those who hold accounts, by id of the account.

        :rtype: dict
        """
        return dict(
            self.env.execute_query(
                SQL(
                    """
                    SELECT account.id, array_agg(users.id)
                      FROM partner_loyalty_account account
                      JOIN partner_loyalty_member member ON member.id = account.member_id
                      JOIN res_partner contact ON contact.commercial_partner_id = member.partner_id
                      JOIN res_users users ON users.partner_id = contact.id AND users.active AND users.share
                     WHERE account.id = ANY(%s)
                  GROUP BY account.id
                    """,
                    account_ids,
                )
            )
        )

    @api.model
    def _prepare_payload(self, account_sudo, amount, lang):
        """Return what a page is told: the sentence to show, and the new balance.

        :rtype: dict
        """
        env = self.with_context(lang=lang).env
        return {
            "program_id": account_sudo.program_id.id,
            "unit": account_sudo.unit,
            "balance": self._format(env, account_sudo, account_sudo.balance),
            "text": env._("You have just earned %s.", self._format(env, account_sudo, amount)),
        }

    @api.model
    def _format(self, env, account_sudo, amount):
        if account_sudo.unit == "money":
            return formatLang(env, float(amount), currency_obj=account_sudo.company_id.currency_id)
        return env._("%s points", formatLang(env, float(amount), digits=account_sudo.program_id.point_digits))
