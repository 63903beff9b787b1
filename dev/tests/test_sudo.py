"""Every ``sudo()`` of the modules was read: how many each file may have, a reason beside each, and names that show it.

Who adds one reads it again with these questions, and then counts it here. Who may get here, by a button, a page or a
call? Is what is written decided by the program, and by nothing that a client sends? Are the records found through
somebody who may see them? Does only what was asked for leave the method?
"""

import ast
from collections import Counter

import pytest
from kit import paths

NOT_SHIPPED = {"tests", "demo", "migrations"}
RECORDS = {
    "browse",
    "create",
    "exists",
    "filtered",
    "filtered_domain",
    "search",
    "search_fetch",
    "sorted",
    "sudo",
    "with_company",
    "with_context",
    "with_env",
    "with_user",
}

REVIEWED = {
    "partner_loyalty/controllers/portal.py": 3,
    "partner_loyalty/controllers/portal_claim.py": 3,
    "partner_loyalty/controllers/portal_deal.py": 2,
    "partner_loyalty/controllers/portal_dialog.py": 5,
    "partner_loyalty/controllers/portal_feedback.py": 3,
    "partner_loyalty/controllers/portal_form.py": 1,
    "partner_loyalty/controllers/portal_news.py": 1,
    "partner_loyalty/controllers/portal_promotion.py": 4,
    "partner_loyalty/controllers/portal_reward.py": 7,
    "partner_loyalty/controllers/portal_topic.py": 2,
    "partner_loyalty/models/account_move.py": 1,
    "partner_loyalty/models/crm_lead.py": 1,
    "partner_loyalty/models/mail_activity.py": 1,
    "partner_loyalty/models/mail_message.py": 1,
    "partner_loyalty/models/onboarding_onboarding.py": 1,
    "partner_loyalty/models/partner_loyalty_acceptance.py": 1,
    "partner_loyalty/models/partner_loyalty_adjustment.py": 4,
    "partner_loyalty/models/partner_loyalty_agreement.py": 1,
    "partner_loyalty/models/partner_loyalty_announcement.py": 2,
    "partner_loyalty/models/partner_loyalty_application.py": 12,
    "partner_loyalty/models/partner_loyalty_approval_mixin.py": 2,
    "partner_loyalty/models/partner_loyalty_attribution.py": 9,
    "partner_loyalty/models/partner_loyalty_attribution_line.py": 3,
    "partner_loyalty/models/partner_loyalty_backtest.py": 2,
    "partner_loyalty/models/partner_loyalty_backtest_line.py": 1,
    "partner_loyalty/models/partner_loyalty_badge.py": 3,
    "partner_loyalty/models/partner_loyalty_bonus_action.py": 7,
    "partner_loyalty/models/partner_loyalty_bonus_action_pilot.py": 1,
    "partner_loyalty/models/partner_loyalty_bonus_effect.py": 1,
    "partner_loyalty/models/partner_loyalty_bonus_evaluation.py": 5,
    "partner_loyalty/models/partner_loyalty_bonus_event.py": 1,
    "partner_loyalty/models/partner_loyalty_bonus_line.py": 1,
    "partner_loyalty/models/partner_loyalty_bonus_reason.py": 4,
    "partner_loyalty/models/partner_loyalty_bonus_run.py": 2,
    "partner_loyalty/models/partner_loyalty_chunk.py": 2,
    "partner_loyalty/models/partner_loyalty_claim.py": 9,
    "partner_loyalty/models/partner_loyalty_claim_event.py": 3,
    "partner_loyalty/models/partner_loyalty_claim_mdf.py": 2,
    "partner_loyalty/models/partner_loyalty_claim_milestone.py": 1,
    "partner_loyalty/models/partner_loyalty_claim_survey.py": 4,
    "partner_loyalty/models/partner_loyalty_closing.py": 3,
    "partner_loyalty/models/partner_loyalty_closing_step.py": 1,
    "partner_loyalty/models/partner_loyalty_deal.py": 3,
    "partner_loyalty/models/partner_loyalty_deal_price.py": 5,
    "partner_loyalty/models/partner_loyalty_difference.py": 2,
    "partner_loyalty/models/partner_loyalty_engine.py": 2,
    "partner_loyalty/models/partner_loyalty_entry.py": 2,
    "partner_loyalty/models/partner_loyalty_explanation.py": 1,
    "partner_loyalty/models/partner_loyalty_external_order.py": 6,
    "partner_loyalty/models/partner_loyalty_feedback.py": 2,
    "partner_loyalty/models/partner_loyalty_feedback_policy.py": 2,
    "partner_loyalty/models/partner_loyalty_fund.py": 1,
    "partner_loyalty/models/partner_loyalty_goal.py": 4,
    "partner_loyalty/models/partner_loyalty_inquiry.py": 6,
    "partner_loyalty/models/partner_loyalty_inquiry_policy.py": 1,
    "partner_loyalty/models/partner_loyalty_kpi_pilot.py": 1,
    "partner_loyalty/models/partner_loyalty_kpi_source.py": 3,
    "partner_loyalty/models/partner_loyalty_live.py": 2,
    "partner_loyalty/models/partner_loyalty_member.py": 4,
    "partner_loyalty/models/partner_loyalty_member_benefits.py": 1,
    "partner_loyalty/models/partner_loyalty_member_merge.py": 3,
    "partner_loyalty/models/partner_loyalty_member_message.py": 1,
    "partner_loyalty/models/partner_loyalty_member_month.py": 1,
    "partner_loyalty/models/partner_loyalty_member_payout.py": 2,
    "partner_loyalty/models/partner_loyalty_member_portal.py": 4,
    "partner_loyalty/models/partner_loyalty_member_statement.py": 2,
    "partner_loyalty/models/partner_loyalty_message.py": 4,
    "partner_loyalty/models/partner_loyalty_message_setting.py": 1,
    "partner_loyalty/models/partner_loyalty_metric.py": 7,
    "partner_loyalty/models/partner_loyalty_metric_bonus.py": 4,
    "partner_loyalty/models/partner_loyalty_overview.py": 1,
    "partner_loyalty/models/partner_loyalty_overview_part.py": 2,
    "partner_loyalty/models/partner_loyalty_payout.py": 6,
    "partner_loyalty/models/partner_loyalty_payout_bill.py": 6,
    "partner_loyalty/models/partner_loyalty_payout_policy.py": 1,
    "partner_loyalty/models/partner_loyalty_pilot.py": 6,
    "partner_loyalty/models/partner_loyalty_pilot_comparison.py": 2,
    "partner_loyalty/models/partner_loyalty_pricelist_mixin.py": 1,
    "partner_loyalty/models/partner_loyalty_program.py": 4,
    "partner_loyalty/models/partner_loyalty_program_bonus.py": 3,
    "partner_loyalty/models/partner_loyalty_program_leaderboard.py": 8,
    "partner_loyalty/models/partner_loyalty_program_message.py": 1,
    "partner_loyalty/models/partner_loyalty_program_public.py": 1,
    "partner_loyalty/models/partner_loyalty_promotion.py": 2,
    "partner_loyalty/models/partner_loyalty_quality_mixin.py": 3,
    "partner_loyalty/models/partner_loyalty_release.py": 1,
    "partner_loyalty/models/partner_loyalty_replay.py": 1,
    "partner_loyalty/models/partner_loyalty_reward.py": 1,
    "partner_loyalty/models/partner_loyalty_reward_award.py": 2,
    "partner_loyalty/models/partner_loyalty_reward_consulting.py": 1,
    "partner_loyalty/models/partner_loyalty_reward_event.py": 1,
    "partner_loyalty/models/partner_loyalty_reward_mdf.py": 2,
    "partner_loyalty/models/partner_loyalty_reward_money.py": 1,
    "partner_loyalty/models/partner_loyalty_reward_pilot.py": 1,
    "partner_loyalty/models/partner_loyalty_reward_price.py": 2,
    "partner_loyalty/models/partner_loyalty_reward_product.py": 3,
    "partner_loyalty/models/partner_loyalty_reward_survey.py": 3,
    "partner_loyalty/models/partner_loyalty_rule.py": 2,
    "partner_loyalty/models/partner_loyalty_segment.py": 1,
    "partner_loyalty/models/partner_loyalty_stack.py": 5,
    "partner_loyalty/models/partner_loyalty_stack_mixin.py": 3,
    "partner_loyalty/models/partner_loyalty_stack_policy.py": 1,
    "partner_loyalty/models/partner_loyalty_support_mixin.py": 1,
    "partner_loyalty/models/partner_loyalty_tier.py": 1,
    "partner_loyalty/models/partner_loyalty_tier_entitlement.py": 1,
    "partner_loyalty/models/partner_loyalty_tier_period.py": 3,
    "partner_loyalty/models/partner_loyalty_tier_policy.py": 1,
    "partner_loyalty/models/partner_loyalty_tier_review.py": 2,
    "partner_loyalty/models/partner_loyalty_topic.py": 3,
    "partner_loyalty/models/partner_loyalty_touch.py": 3,
    "partner_loyalty/models/partner_loyalty_warning.py": 2,
    "partner_loyalty/models/partner_loyalty_why.py": 10,
    "partner_loyalty/models/res_company.py": 3,
    "partner_loyalty/models/res_config_settings.py": 1,
    "partner_loyalty/models/res_partner.py": 1,
    "partner_loyalty/models/sale_order.py": 1,
    "partner_loyalty/models/survey_user_input.py": 2,
    "partner_loyalty/wizard/base_module_uninstall.py": 1,
    "partner_loyalty/wizard/partner_loyalty_advice.py": 1,
    "partner_loyalty/wizard/partner_loyalty_apply_past.py": 3,
    "partner_loyalty/wizard/partner_loyalty_attribution_choose.py": 1,
    "partner_loyalty/wizard/partner_loyalty_invite.py": 1,
    "partner_loyalty/wizard/partner_loyalty_payout_prepare.py": 1,
    "partner_loyalty/wizard/partner_loyalty_portal_right.py": 1,
    "partner_loyalty/wizard/partner_loyalty_rule_version.py": 1,
    "partner_loyalty/wizard/partner_loyalty_takeover.py": 5,
    "partner_loyalty/wizard/partner_loyalty_template.py": 3,
    "partner_loyalty/wizard/partner_loyalty_tier_override.py": 1,
    "partner_loyalty_coupon/models/partner_loyalty_claim.py": 1,
    "partner_loyalty_coupon/models/partner_loyalty_reward.py": 3,
    "partner_loyalty_coupon/models/sale_order.py": 1,
    "partner_loyalty_margin/models/ir_module_module.py": 1,
    "partner_loyalty_margin/models/partner_loyalty_why.py": 1,
    "partner_loyalty_margin/models/sale_order_line.py": 1,
}


def get_files():
    found = {}
    for module in paths.modules():
        folder = paths.module_folder(module)
        for file in sorted(folder.rglob("*.py")):
            if not NOT_SHIPPED & set(file.relative_to(folder).parts):
                found[str(file.relative_to(paths.PROJECT))] = file.read_text(encoding="utf-8")
    return found


def get_calls(source):
    """Return the calls of ``sudo()`` in a source, each with the function around it and the parent of each node."""
    tree = ast.parse(source)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    calls = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "sudo":
            if node.args and ast.unparse(node.args[0]) == "False":
                continue
            around = node
            while not isinstance(around, ast.FunctionDef):
                around = parents[around]
            calls.append((node, around, parents))
    return calls


def has_reason(source, call, function):
    lines = source.splitlines()[function.lineno - 1 : call.end_lineno]
    return any(line.strip().startswith("#") for line in lines)


def get_wrong_name(call, parents):
    """Return the variable that holds records with all rights and does not say so, if any."""
    top, method = call, "sudo"
    while isinstance(parents[top], ast.Attribute | ast.Subscript) or (
        isinstance(parents[top], ast.Call) and parents[top].func is top
    ):
        top = parents[top]
        if isinstance(top, ast.Attribute):
            method = top.attr
    target = parents[top].targets[0] if isinstance(parents[top], ast.Assign) else None
    is_records = isinstance(top, ast.Call) and method in RECORDS
    return target.id if isinstance(target, ast.Name) and is_records and not target.id.endswith("_sudo") else None


FILES = get_files()


def test_each_sudo_was_reviewed():
    found = Counter({name: len(get_calls(source)) for name, source in FILES.items()})
    assert {name: count for name, count in found.items() if count} == REVIEWED


@pytest.mark.parametrize("name", sorted(REVIEWED))
def test_each_sudo_has_its_reason_beside_it_and_shows_in_the_name(name):
    for call, function, parents in get_calls(FILES.get(name, "")):
        assert has_reason(FILES[name], call, function), f"{name}:{call.lineno} has no comment above it that says why"
        wrong = get_wrong_name(call, parents)
        assert not wrong, f"{name}:{call.lineno}: call it {wrong}_sudo"


@pytest.mark.parametrize(
    ("source", "reason", "wrong"),
    [
        ("def f(self):\n    x = self.sudo()\n", False, "x"),
        ("def f(self):\n    # Because.\n    x_sudo = self.sudo().search([])\n", True, None),
        ("def f(self):\n    # Because.\n    n = self.sudo().search_count([])\n", True, None),
    ],
)
def test_what_is_missing_is_noticed(source, reason, wrong):
    ((call, function, parents),) = get_calls(source)
    assert has_reason(source, call, function) is reason
    assert get_wrong_name(call, parents) == wrong
