from decimal import Decimal

from odoo import api, models
from odoo.tools import SQL, formatLang

from ..const import EARNED_TYPES

# Where one transaction posts more lines, nobody watches each of them: the pages say it when they are opened.
MOST_ENTRIES = 200


class PartnerLoyaltyLive(models.AbstractModel):
    """Tells the open portal pages of a member what it has just earned, once it is committed."""

    _name = "partner.loyalty.live"
    _description = "Live Pages"

    # === BUSINESS METHODS ===#

    @api.model
    def _note(self, entry_ids):
        """Note what was posted, to be told with the commit of the transaction.

        :param list entry_ids: ids of entries
        """
        precommit = self.env.cr.precommit
        if self._name not in precommit.data:
            precommit.data[self._name] = []
            precommit.add(self._tell)
        noted = precommit.data[self._name]
        if len(noted) <= MOST_ENTRIES:
            noted.extend(entry_ids)

    @api.model
    def _tell(self):
        """Send each login of the members what has come in, as far as it may see it."""
        entry_ids = self.env.cr.precommit.data.pop(self._name, [])
        if not 0 < len(entry_ids) <= MOST_ENTRIES:
            return
        # Whoever posts need not see accounts and logins; each login is told of its own company alone.
        accounts_sudo, users_sudo = self.env["partner.loyalty.account"].sudo(), self.env["res.users"].sudo()
        for account_id, amount, user_ids in self.env.execute_query(self._get_earned_query(entry_ids)):
            account_sudo = accounts_sudo.browse(account_id)
            for user_sudo in users_sudo.browse(user_ids):
                if account_sudo.unit == "point" or user_sudo.partner_id._get_loyalty_right() != "sales":
                    payload = self._prepare_payload(account_sudo, Decimal(amount), user_sudo.lang)
                    user_sudo.partner_id._bus_send("partner_loyalty.earned", payload)

    @api.model
    def _get_earned_query(self, entry_ids):
        """Return what was earned of entries that are still there, and who watches: ``(account, amount, user ids)``.

        What was posted to be looked at, and then taken back to a savepoint, is not there any more.

        :rtype: SQL
        """
        return SQL(
            """
            SELECT earned.account_id, earned.amount::text, array_agg(users.id)
              FROM (SELECT account_id, SUM(amount) AS amount FROM partner_loyalty_entry
                     WHERE id = ANY(%s) AND type = ANY(%s) GROUP BY account_id HAVING SUM(amount) > 0) earned
              JOIN partner_loyalty_account account ON account.id = earned.account_id
              JOIN partner_loyalty_member member ON member.id = account.member_id
              JOIN res_partner contact ON contact.commercial_partner_id = member.partner_id
              JOIN res_users users ON users.partner_id = contact.id AND users.active AND users.share
          GROUP BY earned.account_id, earned.amount
            """,
            entry_ids,
            list(EARNED_TYPES),
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
