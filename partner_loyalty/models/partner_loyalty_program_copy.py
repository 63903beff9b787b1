from odoo import models
from odoo.fields import Command


class PartnerLoyaltyProgramCopy(models.AbstractModel):
    """What a copy of a program brings along: all that says how it works, and nothing of what has happened in it."""

    _name = "partner.loyalty.program.copy"
    _description = "Copy of a Program"

    # === CRUD METHODS ===#

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        for program, vals in zip(self, vals_list, strict=True):
            if "name" not in (default or {}):
                vals["name"] = self.env._("%s (copy)", program.name)
            for _command, _id, rule_vals in vals.get("rule_ids", ()):
                # They name tiers of this program: see _copy_tier_rates().
                rule_vals.pop("tier_rate_ids", None)
        return vals_list

    def copy(self, default=None):
        programs = super().copy(default)
        for program, new_program in zip(self, programs, strict=True):
            program._copy_parts(new_program)
        return programs

    # === BUSINESS METHODS ===#

    def _copy_parts(self, new_program):
        """Give a copy of this program what Odoo has not copied, because it names tiers and rewards of this one.

        :param new_program: the copy, which has copies of tiers and rules already
        """
        tiers = self._get_copies(new_program, "tier_ids")
        self._copy_tier_rates(new_program, tiers)
        self._copy_versions(new_program)
        rewards = self._copy_rewards(new_program, tiers)
        self._copy_entitlements(tiers, rewards)
        goals = self._copy_goals(new_program)
        self._copy_bonus_actions(new_program, {**tiers, **rewards, **goals})
        self._copy_message_settings(new_program)

    def _get_copies(self, new_program, name):
        """Return what a copy of this program has instead of its own rules or tiers.

        :param new_program: the copy
        :param str name: the field, whose records Odoo copies in the order of their ids
        :rtype: dict
        """
        return dict(zip(self[name].sorted("id"), new_program[name].sorted("id"), strict=True))

    def _copy_tier_rates(self, new_program, tiers):
        """Give the rules of a copy of this program their rates, for the tiers of the copy."""
        for rule, new_rule in self._get_copies(new_program, "rule_ids").items():
            new_rule.tier_rate_ids = [
                Command.create(
                    {
                        "tier_id": tiers.get(rate.tier_id, rate.tier_id).id,
                        "categ_id": rate.categ_id.id,
                        "rate": rate.rate,
                    }
                )
                for rate in rule.tier_rate_ids
            ]

    def _copy_versions(self, new_program):
        """Let copies of rules be versions of each other where the originals are.

        :param new_program: the copy
        """
        copies = self._get_copies(new_program, "rule_ids")
        for rule, new_rule in copies.items():
            if rule.previous_id in copies:
                new_rule.previous_id = copies[rule.previous_id]

    def _copy_rewards(self, new_program, tiers):
        """Copy the rewards that members can have; archived ones stay where they are.

        :return: the new rewards by the old ones
        :rtype: dict
        """
        rewards = self.env["partner.loyalty.reward"].search([("program_id", "=", self.id)], order="id")
        return {reward: self._copy_part(reward, new_program, tiers) for reward in rewards}

    def _copy_entitlements(self, tiers, rewards):
        """Give tiers the rewards that members have by them."""
        self.env["partner.loyalty.tier.entitlement"].create(
            [
                {**vals, "tier_id": tiers[entitlement.tier_id].id, "reward_id": rewards[entitlement.reward_id].id}
                for entitlement in self.tier_ids.entitlement_ids
                if entitlement.reward_id in rewards
                for vals in entitlement.copy_data()
            ]
        )

    def _copy_goals(self, new_program):
        """Copy the goals.

        :return: the new goals by the old ones
        :rtype: dict
        """
        goals = self.env["partner.loyalty.goal"].search([("program_id", "=", self.id)], order="id")
        return {goal: self._copy_part(goal, new_program, {}) for goal in goals}

    def _copy_bonus_actions(self, new_program, copies):
        """Copy the bonus actions, as drafts; those that give what is archived stay where they are."""
        actions = self.env["partner.loyalty.bonus.action"].search([("program_id", "=", self.id)], order="id")
        for action in actions:
            if all(reward in copies for reward in action.effect_ids.reward_id):
                self._copy_part(action, new_program, copies)

    def _copy_message_settings(self, new_program):
        """Switch on in a copy what this program writes to its members about."""
        settings = {setting.kind: setting for setting in self.message_setting_ids}
        for new_setting in new_program.message_setting_ids:
            setting = settings.get(new_setting.kind)
            if setting:
                new_setting.write(
                    {
                        "is_active": setting.is_active,
                        "period": setting.period,
                        "template_id": setting.template_id.id,
                    }
                )

    def _copy_part(self, record, new_program, copies):
        """Copy a part of this program, in all its languages.

        :param record: the part
        :param new_program: whose part the copy is
        :param dict copies: what the copy has instead of the tiers, rewards and goals that the part names
        :return: the copy
        """
        [vals] = record.copy_data({"program_id": new_program.id, "name": record.name})
        new_record = record.create(self._replace_names(record, vals, copies))
        record.copy_translations(new_record)
        return new_record

    def _replace_names(self, model, vals, copies):
        """Return values of a copy with the copies of what they name, in their lines as well.

        :param model: the model that the values are of
        :param dict vals: what :meth:`copy_data` returns
        :param dict copies: copies by the records that they are of
        :rtype: dict
        """
        replaced = dict(vals)
        for name, value in vals.items():
            field = model._fields[name]
            if not value or not field.relational:
                continue
            others = self.env[field.comodel_name]
            if field.type == "many2one":
                replaced[name] = copies.get(others.browse(value), others.browse(value)).id
            elif field.type == "many2many":
                [(_command, _id, ids)] = value
                replaced[name] = [Command.set([copies.get(other, other).id for other in others.browse(ids)])]
            else:
                replaced[name] = [
                    Command.create(self._replace_names(others, line_vals, copies)) for _command, _id, line_vals in value
                ]
        return replaced
