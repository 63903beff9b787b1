from datetime import timedelta

from odoo import api, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tools import SQL

from ..const import NO_PERIOD


class PartnerLoyaltyMember(models.Model):
    """What happens where one member becomes part of another.

    The merged member keeps its accounts, entries, tiers and membership periods, and points to the one it was merged
    into. The engine adds up the accounts of both, so that no document is taken back here and earned again there; what
    is on the balance is moved by transfers.
    """

    _inherit = "partner.loyalty.member"

    # === CONSTRAINT METHODS ===#

    @api.constrains("merged_into_id")
    def _check_merged_into(self):
        for member in self.filtered("merged_into_id"):
            if member._has_cycle("merged_into_id"):
                raise ValidationError(
                    self.env._("%(member)s cannot be merged into itself.", member=member.partner_id.display_name)
                )
            if member.program_id != member.merged_into_id.program_id:
                raise ValidationError(
                    self.env._(
                        "%(member)s and %(target)s are members of different programs: only members of one program "
                        "can be merged.",
                        member=member.partner_id.display_name,
                        target=member.merged_into_id.partner_id.display_name,
                    )
                )

    # === BUSINESS METHODS - MERGE ===#

    def _merge_into(self, target, day=None):
        """Make this member part of another one of its program and move its balance there.

        Membership and tier end with ``day``; what was earned stays earned, and later changes of its documents are
        answered on the statement of the other.

        :param target: the member that goes on; where that was merged itself, the one that it was merged into
        :param date day: last day of the own membership; today by default
        :raises UserError: where this member was merged already
        :raises ValidationError: where the two cannot be merged
        """
        self.ensure_one()
        # A merge writes accounts, tiers and protected fields, to which nobody has any right.
        member_sudo, target_sudo = self.sudo(), target.sudo().root_id
        member_sudo._check_not_merged()
        member_sudo._claim_accounts()
        self.env["partner.loyalty.entry"]._expire(member_sudo.account_ids.ids)
        member_sudo._cancel_draft_payouts()
        member_sudo._end_for_good(day)
        if target_sudo.turnover_root_id == member_sudo:
            target_sudo.turnover_into_id = False
        member_sudo.merged_into_id = target_sudo
        member_sudo.flush_recordset()
        member_sudo._transfer_balance()
        member_sudo._move_differences()

    def _check_not_merged(self):
        for member in self.filtered("merged_into_id"):
            raise UserError(
                self.env._(
                    "%(member)s was merged into %(target)s already.",
                    member=member.partner_id.display_name,
                    target=member.merged_into_id.partner_id.display_name,
                )
            )

    def _claim_accounts(self):
        """Write the accounts, so that a posting that began before the merge starts over and finds the merge."""
        self.env.flush_all()
        self.env.execute_query(
            SQL("UPDATE partner_loyalty_account SET balance = balance WHERE member_id = ANY(%s)", list(self.ids))
        )

    def _cancel_draft_payouts(self):
        """Cancel drafts: what they would pay out moves to another balance."""
        self.env["partner.loyalty.payout"].search(
            [("member_id", "in", self.ids), ("decision", "=", "draft")]
        ).action_cancel()

    def _end_for_good(self, day=None):
        """End membership and tier with ``day``, and any suspension."""
        self.ensure_one()
        day = day or self.program_id._get_today()
        self._close_membership(day)
        self.suspended = False
        self.tier_period_ids.filtered(lambda period: not period.date_to and period.date_from <= day).date_to = day
        self._end_agreements(day)

    def _end_agreements(self, day):
        """End special agreements with ``day``, and drop those that begin later."""
        for agreement in self.agreement_ids:
            if agreement.date_from > day:
                agreement.unlink()
            elif not agreement.date_to or agreement.date_to > day:
                agreement.date_to = day

    def _move_differences(self):
        """List differences to confirm under the member that answers them from now on; dismissed ones stay dismissed."""
        self.ensure_one()
        self.env.flush_all()
        self.env.execute_query(
            SQL(
                """
                UPDATE partner_loyalty_difference difference
                   SET account_id = moved.account_id, origin_id = moved.origin_id
                  FROM (%s) moved
                 WHERE moved.id = difference.id AND NOT EXISTS (
                       SELECT 1 FROM partner_loyalty_difference other
                        WHERE other.rule_id = difference.rule_id AND other.account_id = moved.account_id
                          AND other.origin_model = difference.origin_model AND other.origin_id = moved.origin_id
                          AND other.period_start = difference.period_start)
                """,
                self._get_moved_differences_query(),
            )
        )
        self.env["partner.loyalty.difference"].invalidate_model()

    def _get_moved_differences_query(self):
        """Return the account and the origin that differences have from now on.

        By bands the member itself is the origin, and from now on that is the other one.

        :return: columns ``id, account_id, origin_id``
        :rtype: SQL
        """
        return SQL(
            """
            SELECT known.id, target.id AS account_id,
                   CASE WHEN rule.formula = 'bands' THEN target.member_id ELSE known.origin_id END AS origin_id
              FROM partner_loyalty_difference known
              JOIN partner_loyalty_rule rule ON rule.id = known.rule_id
              JOIN partner_loyalty_account own ON own.id = known.account_id AND own.member_id = %(member)s
              JOIN partner_loyalty_account target ON target.member_id = %(root)s AND target.unit = own.unit
            """,
            member=self.id,
            root=self.root_id.id,
        )

    def _log_merge(self):
        """Note the merge on both members."""
        self.ensure_one()
        names = {"member": self.partner_id.display_name, "target": self.root_id.partner_id.display_name}
        body = self.env._("%(member)s was merged into %(target)s: the statement goes on there.", **names)
        for member in self + self.root_id:
            member.message_post(body=body)

    # === BUSINESS METHODS - TRANSFER ===#

    def _transfer_balance(self):
        """Move all that is open on the accounts of a merged member to the member that it was merged into.

        Each lot keeps the days on which it matures and expires, and debts stay debts. Running it again moves nothing.
        """
        self.ensure_one()
        Entry, Allocation = self.env["partner.loyalty.entry"], self.env["partner.loyalty.allocation"]
        rows = Entry._post(self._get_transfer_source())
        if rows:
            entry_ids = [row[0] for row in rows]
            Allocation._allocate_lots(self._get_transfer_allocation(entry_ids))
            self.env["partner.loyalty.inquiry"]._follow_transfer(entry_ids)
            Allocation._settle(self.root_id.account_ids.ids)

    def _get_transfer_source(self):
        """Return the entries that move what is open, as a source for ``partner.loyalty.entry._post``.

        :rtype: SQL
        """
        return SQL(
            """
            SELECT account_id, 'transfer' AS type, amount, NULL::integer AS rule_id,
                   'partner.loyalty.member' AS origin_model, %(member)s AS origin_id,
                   %(no_period)s::date AS period_start,
                   %(revision)s + row_number() OVER (
                       PARTITION BY account_id
                       ORDER BY amount < 0, mature_date, expiry_date, idle_months, held_id) - 1 AS revision,
                   %(today)s::date AS contribution_date, %(today)s::date AS date,
                   mature_date, expiry_date, idle_months, NULL::integer AS reverses_id,
                   NULL::varchar AS external_ref,
                   jsonb_strip_nulls(jsonb_build_object(direction, name, 'held', held_id)) AS explanation
              FROM (%(moved)s) moved
            """,
            member=self.id,
            moved=self._get_moved_query(),
            today=self.program_id._get_today(),
            no_period=NO_PERIOD,
            revision=self.env["partner.loyalty.entry"]._get_next_revision(
                SQL("moved.account_id"), self.id, SQL("%s::date", NO_PERIOD)
            ),
        )

    def _get_moved_query(self):
        """Return what is open as amounts that leave the own accounts and amounts that arrive at the other.

        Here one debit takes all lots and one credit closes all debts; there is a credit for each day of maturity and
        expiry and for each disputed line, which stays out of payouts, and one debit.

        :rtype: SQL
        """
        return SQL(
            """
            WITH open_entry AS (
                SELECT own.id AS account_id, target.id AS target_id, entry.amount_open AS amount,
                       GREATEST(entry.mature_date, %(today)s::date) AS mature_date, entry.expiry_date,
                       entry.idle_months, CASE WHEN entry.id IN (%(held)s) THEN entry.id END AS held_id
                  FROM partner_loyalty_entry entry
                  JOIN partner_loyalty_account own ON own.id = entry.account_id
                  JOIN partner_loyalty_account target ON target.member_id = %(target)s AND target.unit = own.unit
                 WHERE own.member_id = %(member)s AND entry.amount_open <> 0
            )
            SELECT account_id, -SUM(amount) AS amount, %(today)s::date AS mature_date, NULL::date AS expiry_date,
                   NULL::integer AS idle_months, 'moved_to' AS direction, %(target_name)s AS name,
                   NULL::integer AS held_id
              FROM open_entry GROUP BY account_id, sign(amount)
             UNION ALL
            SELECT target_id, SUM(amount), mature_date, expiry_date, idle_months, 'moved_from', %(name)s, held_id
              FROM open_entry WHERE amount > 0 GROUP BY target_id, mature_date, expiry_date, idle_months, held_id
             UNION ALL
            SELECT target_id, SUM(amount), %(today)s::date, NULL, NULL, 'moved_from', %(name)s, NULL
              FROM open_entry WHERE amount < 0 GROUP BY target_id
            """,
            held=self.env["partner.loyalty.inquiry"]._get_held_query(),
            member=self.id,
            name=self.partner_id.display_name,
            target=self.root_id.id,
            target_name=self.root_id.partner_id.display_name,
            today=self.program_id._get_today(),
        )

    def _get_transfer_allocation(self, entry_ids):
        """Return which lots and debts of the own accounts the transfers close, for ``_allocate_lots``.

        :param list entry_ids: ids of the transfers
        :rtype: SQL
        """
        return SQL(
            """
            SELECT CASE WHEN moved.amount < 0 THEN moved.id ELSE closed.id END AS debit_id,
                   CASE WHEN moved.amount < 0 THEN closed.id ELSE moved.id END AS lot_id,
                   abs(closed.amount_open) AS amount, GREATEST(moved.date, closed.date) AS date
              FROM partner_loyalty_entry moved
              JOIN partner_loyalty_account account ON account.id = moved.account_id
              JOIN partner_loyalty_entry closed
                ON closed.account_id = moved.account_id AND sign(closed.amount_open) = -sign(moved.amount)
             WHERE moved.id = ANY(%(entries)s) AND account.member_id = %(member)s
               AND closed.id <> ALL(%(entries)s)
            """,
            entries=entry_ids,
            member=self.id,
        )

    # === BUSINESS METHODS - CONTACTS ===#

    @api.model
    def _merge_contacts(self, sources, destination):
        """Merge the members that contacts are, program by program, before Odoo makes one contact of them.

        The member that the destination is goes on, or else the first of the others. A membership that goes on longer
        than that of the member that stays is continued by it.

        :param sources: recordset of ``res.partner`` that will be gone
        :param destination: the ``res.partner`` that stays
        :raises UserError: where the destination could not be a member, or the contacts stand for different members
        """
        partners = sources | destination
        # Whoever merges contacts need not have any right on members, and contacts may be members in other companies.
        members_sudo = self.sudo().search([("partner_id", "in", partners.ids)], order="id")
        if not members_sudo:
            return
        members_sudo._check_contacts_can_be_merged(sources, destination)
        for members in members_sudo.filtered(lambda member: not member.merged_into_id).grouped("program_id").values():
            target = members.filtered(lambda member: member.partner_id == destination) or members[0]
            for member in members - target:
                member._continue_in(target)
                member._merge_into(target)
                member._log_merge()
        members_sudo._check_stand_for_one()

    def _check_contacts_can_be_merged(self, sources, destination):
        """Check that the contact that stays can be all these members.

        :raises UserError: where it would be a contact of another company, or belong to another company of ours
        """
        partners = sources | destination
        parent = (destination.parent_id or sources.parent_id)[:1]
        terms = {"partner": self[0].partner_id.display_name, "program": self[0].program_id.name}
        if parent and not any(partners.mapped("is_company")):
            raise UserError(
                self.env._(
                    "%(partner)s is a member of “%(program)s”, and would become a contact of %(company)s: "
                    "take the contacts out of that company first, or merge them with the company itself.",
                    company=parent.display_name,
                    **terms,
                )
            )
        company = (destination.company_id or sources.company_id)[-1:]
        for member in self.filtered(lambda member: company and member.company_id != company):
            raise UserError(
                self.env._(
                    "%(partner)s is a member of “%(program)s”, a program of %(company)s, and would belong to "
                    "%(other)s: clear the company of the contacts first.",
                    partner=member.partner_id.display_name,
                    program=member.program_id.name,
                    company=member.company_id.name,
                    other=company.name,
                )
            )

    def _check_stand_for_one(self):
        """Check that all members who will be one contact stand for the same member wherever both belong.

        :raises UserError: where a document would count twice
        """
        for members in self.grouped("program_id").values():
            for member in members:
                others = members.filtered(lambda other, member=member: other.root_id != member.root_id)
                if member.period_ids._overlaps(others.period_ids):
                    raise UserError(
                        self.env._(
                            "%(member)s was taken over by %(target)s in “%(program)s”, and its sales cannot be told "
                            "from those of a contact that it is merged with: choose contacts of one member only.",
                            member=(member if member.merged_into_id else others[0]).partner_id.display_name,
                            target=(member if member.merged_into_id else others[0]).root_id.partner_id.display_name,
                            program=member.program_id.name,
                        )
                    )

    def _continue_in(self, target):
        """Let ``target`` go on with the membership, where its own has ended and nobody suspended it."""
        self.ensure_one()
        today = self.program_id._get_today()
        ahead = self.period_ids.filtered(lambda period: not period.date_to or period.date_to > today)
        if target.suspended or target.period_ids.filtered(lambda period: not period.date_to or period.date_to > today):
            return
        ended = target.period_ids.filtered(lambda period: period.date_to == today)
        first = today + timedelta(days=1) if ended else today
        target.period_ids = [
            Command.create({"date_from": max(period.date_from, first), "date_to": period.date_to}) for period in ahead
        ]
