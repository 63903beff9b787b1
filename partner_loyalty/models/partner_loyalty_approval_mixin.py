from odoo import api, fields, models
from odoo.exceptions import UserError

from ..const import NAMES_IN_MESSAGE

# How many characters the reason of a refusal has at most: it is read on a form and in messages.
MAX_REASON = 500


class PartnerLoyaltyApprovalMixin(models.AbstractModel):
    """Something that one person asks for and a manager decides on who had no part in it.

    The model has ``name``, ``partner_id``, ``program_id`` and a field for what was decided, which is protected and set
    through :meth:`_set_decision` alone.
    """

    _name = "partner.loyalty.approval.mixin"
    _description = "Four Eyes"
    _inherit = ["mail.thread", "mail.activity.mixin", "partner.loyalty.protected.mixin"]

    # The field that holds what was decided, and the values in which something waits for a decision.
    _decision_field = "state"
    _waiting_decisions = ("submitted",)
    # The values in which it can still be withdrawn.
    _cancelable_decisions = ("draft", "submitted")
    # The fields with the users who had a part in it, and so do not decide on it.
    _requester_fields = ("create_uid", "submitted_by_id")

    # === FIELDS ===#

    decided_by_id = fields.Many2one(comodel_name="res.users", string="Decided by", readonly=True, copy=False)
    decided_at = fields.Datetime(string="Decided on", readonly=True, copy=False)
    is_decided_alone = fields.Boolean(
        string="Decided Alone",
        readonly=True,
        copy=False,
        help="Whoever asked for it has decided on it as well, as the only manager of the company.",
    )
    refuse_reason = fields.Char(string="Refused because", readonly=True, copy=False, tracking=True)
    can_approve = fields.Boolean(compute="_compute_can_approve")

    # === COMPUTE METHODS ===#

    @api.depends(lambda self: (self._decision_field, *self._requester_fields))
    @api.depends_context("uid")
    def _compute_can_approve(self):
        reasons = self._get_cannot_approve_reason()
        for record in self:
            record.can_approve = not reasons[record.id]

    # === CRUD METHODS ===#

    @api.ondelete(at_uninstall=False)
    def _unlink_only_draft(self):
        for record in self:
            if record[self._decision_field] != "draft":
                raise UserError(
                    self.env._("%s was submitted and is kept: only drafts can be deleted.", record.display_name)
                )

    # === ACTION METHODS ===#

    def action_refuse(self, reason=None):
        """Refuse records.

        :param str reason: what to tell who asked for them
        :raises UserError: when the user may not decide on one of them, or gives no reason that can be read
        """
        records = self._get_in(*self._waiting_decisions)
        records._check_can_decide()
        reason = records._read_reason(reason)
        records._withdraw()
        records._set_decision("refused", refuse_reason=reason, **records._prepare_decision_vals())
        records.activity_unlink(["mail.mail_activity_data_todo"])

    def action_cancel(self):
        """Withdraw records that nobody has decided on yet."""
        self.check_access("write")
        records = self._get_in(*self._cancelable_decisions)
        records._check_can_cancel()
        records._withdraw()
        records._set_decision("canceled", **records._prepare_decision_vals())
        records.activity_unlink(["mail.mail_activity_data_todo"])

    # === BUSINESS METHODS - APPROVAL ===#

    def _check_can_cancel(self):
        """Check that the user may withdraw the records, beyond the right to change them.

        :raises UserError: where somebody else has to
        """

    @api.model
    def _read_reason(self, reason):
        """Return why something is refused, without the spaces around it.

        :param reason: what the user wrote, if anything
        :rtype: str
        :raises UserError: where nothing is said, or more than anybody reads
        """
        text = reason.strip() if isinstance(reason, str) else ""
        if not text:
            raise UserError(self.env._("Say why: who asked for it has to know."))
        if len(text) > MAX_REASON:
            raise UserError(
                self.env._(
                    "The reason has %(length)s characters: shorten it to %(most)s or fewer.",
                    length=len(text),
                    most=MAX_REASON,
                )
            )
        return text

    def _withdraw(self):
        """Take back what asking for the records has done already."""

    def _get_requesters(self):
        """Return the users who had a part in a record, and so do not decide on it.

        :rtype: recordset of ``res.users``
        """
        self.ensure_one()
        return self.env["res.users"].union(*(self[name] for name in self._requester_fields))

    def _get_cannot_approve_reason(self):
        """Say why the user cannot decide; the button and the call both ask here.

        :return: sentence or False by id
        :rtype: dict
        """
        return {record.id: record._get_refusal(self.env.user) for record in self}

    def _get_refusal(self, user):
        """Return why a user cannot decide on a record, or False."""
        self.ensure_one()
        terms = {"record": self.name}
        if self[self._decision_field] not in self._waiting_decisions:
            return self.env._("%(record)s is not waiting for approval.", **terms)
        if not user.has_group("partner_loyalty.partner_loyalty_group_manager"):
            return self.env._("%(record)s has to be approved by a loyalty manager.", **terms)
        if user in self._get_requesters() and not self._is_decided_alone_by(user):
            return self.env._("You asked for %(record)s yourself: another manager has to approve it.", **terms)
        if user.partner_id.commercial_partner_id == self.partner_id:
            return self.env._("%(record)s is for your own company: another manager has to approve it.", **terms)
        return False

    def _is_decided_alone_by(self, user):
        """Return whether a user may decide on its own request, as the only manager of the company."""
        self.ensure_one()
        return self.company_id._is_single_loyalty_manager(user)

    def _check_can_decide(self):
        """Check that the user may decide on all of the records.

        :raises UserError: with the reasons
        """
        self.check_access("read")
        reasons = list(filter(None, self._get_cannot_approve_reason().values()))
        if reasons:
            raise UserError("\n".join(reasons[:NAMES_IN_MESSAGE]))
        self._mark_decided_alone()

    def _mark_decided_alone(self):
        """Mark and log what a user decides on that asked for it, which only the single manager of a company can."""
        alone = self.filtered(lambda record: self.env.user in record._get_requesters())
        # The mark is set by the program alone.
        alone.sudo().is_decided_alone = True
        alone._message_log_batch(
            bodies=dict.fromkeys(
                alone.ids, self.env._("Decided by who had asked for it, as the only loyalty manager of the company.")
            )
        )

    def _check_draft(self):
        """Check that what was asked for is not changed behind the back of who decides on it.

        :raises UserError: where one of the records was submitted already
        """
        submitted = self.filtered(lambda record: record[self._decision_field] != "draft")
        if submitted:
            raise UserError(
                self.env._(
                    "%(records)s cannot be changed any more: what was submitted stands. Cancel it and ask anew.",
                    records=submitted._get_names(),
                )
            )

    def _notify_approvers(self):
        """Ask the responsible of each program for approval: once, however many are asked for together."""
        for program, records in self.grouped("program_id").items():
            responsible = program.user_id
            others = responsible - self.env.user
            if others and others.has_group("partner_loyalty.partner_loyalty_group_manager"):
                records[0].activity_schedule(
                    "mail.mail_activity_data_todo",
                    summary=records.with_context(lang=others.lang)._get_approval_summary(),
                    user_id=others.id,
                )

    def _get_approval_summary(self):
        """Return what the activity of the approver says."""
        return self.env._("To approve: %s", len(self))

    def _get_in(self, *decisions):
        """Return those of the records that are in one of the states, locked; raise where none is.

        :raises UserError: when nothing is left to do, or somebody else is doing it right now
        """
        records = self.filtered(lambda record: record[self._decision_field] in decisions)
        locked = records.try_lock_for_update() if records else records
        if self and not locked:
            raise UserError(
                self.env._(
                    "%(records)s cannot be changed this way any more: reload the page to see what has happened.",
                    records=self._get_names(),
                )
            )
        return locked

    def _get_names(self):
        """Return the names of the records for a message; of many, the first ones."""
        names = self[:NAMES_IN_MESSAGE].mapped("name")
        return ", ".join([*names, "…"] if len(self) > NAMES_IN_MESSAGE else names)

    def _set_decision(self, decision, **vals):
        # Nobody may write the state by hand; each transition has been checked by its action.
        self.sudo().write({self._decision_field: decision, **vals})
        # Another record may follow in the same transaction, and unique indexes look at the table.
        self.flush_recordset([self._decision_field])

    def _prepare_decision_vals(self):
        return {"decided_by_id": self.env.uid, "decided_at": fields.Datetime.now()}
