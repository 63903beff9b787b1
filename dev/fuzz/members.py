"""Steps about members: who is suspended, merged or taken over.

Of what Odoo's contact merge can refuse nothing is played: contacts have no e-mail address, parent or user. A contact
that was taken over with its balance does not join again, and nobody is taken over with a last day in the past.
"""

from odoo.exceptions import UserError

from .model import Member, Mismatch

# What a take-over can move, in the order of the app; payouts do so only with the balance.
MOVES = ("payouts", "tier", "turnover", "balance", "deals", "users")


class MemberSteps:
    """What happens to members, in the database and in the model."""

    def _do_suspend(self, side, a, b, c):
        """Suspend a member."""
        member = self._pick([m for m in side.program.roots if m.date_to > self.today], b)
        if member:
            self._get_member(side, member).action_suspend()
            member.close(self.today)
            member.suspended = True

    def _do_resume(self, side, a, b, c):
        """Resume a member."""
        member = self._pick([m for m in side.program.roots if m.periods[-1][1]], b)
        if member:
            self._get_member(side, member).action_resume()
            member.resume(self.today)

    def _do_merge(self, side, a, b, c):
        """Merge two contacts; each of them may be a member, in both programs."""
        contacts = list(dict.fromkeys(self.partners))
        destination = self._pick(contacts, b)
        contacts.remove(destination)
        source = self._pick(contacts, c)
        if not source:
            return
        can = all(each.program.can_merge(source.id, destination.id) for each in self.sides)
        if self._merge(source, destination) != can:
            raise Mismatch(f"Merging contacts: possible in the model is {can}")
        if can:
            for each in self.sides:
                each.program.merge_contacts(source.id, destination.id)
            self.partners = [destination if partner == source else partner for partner in self.partners]

    def _merge(self, source, destination):
        """Merge two contacts; return whether the app lets them become one."""
        try:
            with self.env.cr.savepoint():
                wizard = self.env["base.partner.merge.automatic.wizard"].create({})
                wizard._merge([source.id, destination.id], destination)
            return True
        except UserError as error:
            if "cannot be told from those" not in str(error):
                raise
            return False
        finally:
            self.env.invalidate_all()

    def _do_takeover(self, side, a, b, c):
        """Let a partner take a member over, with some of what it has."""
        member = self._pick(side.program.roots, b)
        target = self._pick(self._get_heirs(side, member), c)
        if not target:
            return
        moves = [name for number, name in enumerate(MOVES) if (b // 7 + c) >> number & 1]
        wizard = side.env["partner.loyalty.takeover"].with_user(self.world.manager)
        vals = {f"move_{name}": name in moves for name in MOVES}
        wizard = wizard.create({"member_id": member.id, "target_partner_id": target.id, **vals})
        heir_id = wizard.action_take_over()["res_id"]
        self.env.invalidate_all()
        self._take_over(side, member, self._get_or_enroll(side, target, heir_id), moves)

    def _get_heirs(self, side, member):
        """Return the partners who can take a member over: members who were not merged, and who never were any."""
        gone = {one.partner for one in side.program.members} - {one.partner for one in side.program.roots}
        return [one for one in dict.fromkeys(self.partners) if one.id != member.partner and one.id not in gone]

    def _get_or_enroll(self, side, partner, member_id):
        found = [member for member in side.program.roots if member.partner == partner.id]
        if not found:
            found = [Member(member_id, partner.id, [[self.today, None]], side.book)]
            side.program.enroll(found[0])
        return found[0]

    def _take_over(self, side, member, heir, moves):
        program = side.program
        program.evaluate_tiers()
        if {"payouts", "balance"} <= {*moves}:
            self._forget_payouts(side, member)
        if "tier" in moves:
            heir.take_tier_of(member, program.thresholds, self.today)
        if "turnover" in moves:
            member.give_turnover_to(heir)
        else:
            member.keeps_turnover = True
        member.close(self.today)
        if "balance" in moves:
            member.merge_into(heir, self.today)
            program.move_differences(member)
        if "deals" in moves:
            for order, document in side.orders:
                if order.state == "draft" and document.referrer == member.partner:
                    document.referrer = heir.partner

    def _get_member(self, side, member):
        return side.env["partner.loyalty.member"].browse(member.id)
