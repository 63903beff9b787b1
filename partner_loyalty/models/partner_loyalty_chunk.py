import psycopg2

from odoo import api, fields, models
from odoo.tools import SQL

CHUNK_SIZE = 1000


class PartnerLoyaltyChunk(models.Model):
    """Members that wait to be compared with the ledger, in the nightly run or because somebody applies the past.

    Several worker crons, on any number of hosts, each claim a chunk at a time and delete it in the transaction that
    compared it.
    """

    _name = "partner.loyalty.chunk"
    _description = "Chunk of the Nightly Comparison"
    _order = "id"
    _log_access = False
    _allow_sudo_commands = False

    # === FIELDS ===#

    program_id = fields.Many2one(comodel_name="partner.loyalty.program", required=True, index=True, ondelete="cascade")
    first_member_id = fields.Integer(required=True)
    last_member_id = fields.Integer(required=True)
    user_id = fields.Many2one(
        comodel_name="res.users",
        ondelete="restrict",
        help="Who applies the program to the past: what is lacking is posted. By night there is nobody, and it is only "
        "listed.",
    )

    # === BUSINESS METHODS ===#

    @api.model
    def _cron_plan(self):
        """Lay out tonight's comparison in chunks and wake the workers; rules that failed are tried again."""
        self.env.execute_query(SQL("UPDATE partner_loyalty_rule SET error = NULL WHERE error IS NOT NULL"))
        self.env["partner.loyalty.rule"].invalidate_model(["error"])
        self.env.ref("partner_loyalty.ir_cron_reconcile_touched")._trigger()
        self._plan(self.env["partner.loyalty.program"].search([("state", "!=", "draft")]))
        self._wake_workers()

    @api.model
    def _wake_workers(self):
        for number in (1, 2):
            # Managers have no right on crons; these are the program's own.
            self.env.ref(f"partner_loyalty.ir_cron_compare_{number}").sudo()._trigger()

    @api.model
    def _plan(self, programs, size=CHUNK_SIZE, user=None):
        """Create the chunks of ``programs``, where the last ones of the same kind are done with.

        :param programs: recordset of ``partner.loyalty.program``
        :param int size: number of members of a chunk
        :param user: who applies the programs to the past; nobody where they are only compared
        """
        known = [("user_id", "!=" if user else "=", False)]
        planned = {program for (program,) in self._read_group(known, ["program_id"])}
        for program in programs.filtered(lambda program: program not in planned):
            roots = self.env["partner.loyalty.member"].search(
                [("program_id", "=", program.id), ("merged_into_id", "=", False)], order="id"
            )
            self.create(
                [
                    {
                        "program_id": program.id,
                        "first_member_id": roots[start].id,
                        "last_member_id": roots[start : start + size][-1].id,
                        "user_id": user and user.id,
                    }
                    for start in range(0, len(roots), size)
                ]
            )

    @api.model
    def _cron_compare(self):
        """Work off chunks until none is left, committing each; what collides is halved and tried again."""
        collisions = 0
        while chunk := self._claim():
            try:
                chunk._apply() if chunk.user_id else chunk._compare()
                chunk.unlink()
                if not self.env["ir.cron"]._commit_progress(1, remaining=self.search_count([])):
                    break
            except psycopg2.extensions.TransactionRollbackError:
                self.env.cr.rollback()
                collisions += 1
                if collisions > 20:
                    raise
                chunk._halve()

    @api.model
    def _claim(self):
        """Return a chunk that no other worker has, locked, or an empty recordset."""
        try:
            rows = self.env.execute_query(
                SQL("SELECT id FROM partner_loyalty_chunk ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED")
            )
        except psycopg2.extensions.TransactionRollbackError:
            # Another worker finished this chunk after our snapshot was taken: look again with a fresh one.
            self.env.cr.rollback()
            return self._claim()
        return self.browse(row[0] for row in rows)

    def _compare(self):
        """List the differences of the chunk's members; a failing rule is noted and skipped."""
        rules = self.program_id._get_rules_in_force()
        scope = rules._get_member_scope(self._get_roots().ids)
        rules._run_all_safely(scope, self.env["partner.loyalty.difference"]._find)

    def _apply(self):
        """Post what the chunk's members lack, in the name of who asked for it; a failing rule is noted and skipped."""
        # The ledger is written by the program alone; whoever may change the program may have it applied.
        rules_sudo = self.program_id._get_rules_in_force().with_user(self.user_id).sudo()
        scope = rules_sudo._get_member_scope(self._get_roots().ids)
        rules_sudo._run_all_safely(scope, lambda rules, own_scope: rules._reconcile(own_scope))

    def _get_roots(self):
        return self.env["partner.loyalty.member"].search(
            [
                ("program_id", "=", self.program_id.id),
                ("merged_into_id", "=", False),
                ("id", ">=", self.first_member_id),
                ("id", "<=", self.last_member_id),
            ],
            order="id",
        )

    def _halve(self):
        """Split a chunk in two, so that less of it can collide."""
        chunk = self.exists()
        roots = chunk._get_roots() if chunk else []
        if len(roots) < 2:
            return
        middle = len(roots) // 2
        self.create(
            {
                "program_id": chunk.program_id.id,
                "first_member_id": roots[middle].id,
                "last_member_id": chunk.last_member_id,
                "user_id": chunk.user_id.id,
            }
        )
        chunk.last_member_id = roots[middle - 1].id
