from odoo import SUPERUSER_ID, api

COMPANY = "user.commercial_partner_id.id"
UNITS = "user.partner_id.loyalty_sees_money and ('money', 'point') or ('point',)"
KINDS = "not user.partner_id.loyalty_sees_money and ('mdf', 'money') or ()"
SEES_MONEY = "(user.partner_id.loyalty_sees_money and 1 or 0, '=', 1)"

# The rules that look at the right of a contact by now; updates leave rules as they are.
DOMAINS = {
    "account": f"[('member_id.partner_id', '=', {COMPANY}), ('unit', 'in', {UNITS})]",
    "entry": f"[('account_id.member_id.partner_id', '=', {COMPANY}), ('account_id.unit', 'in', {UNITS})]",
    "payout": f"[('partner_id', '=', {COMPANY}), ('decision', '!=', 'draft'), {SEES_MONEY}]",
    "claim": f"[('partner_id', '=', {COMPANY}), ('kind', 'not in', {KINDS})]",
    "fund": f"[('member_id.partner_id', '=', {COMPANY}), {SEES_MONEY}]",
}


def migrate(cr, version):
    """Let contacts in the portal see money only where they were given the right to."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    for name, domain in DOMAINS.items():
        rule = env.ref(f"partner_loyalty.partner_loyalty_{name}_rule_portal", raise_if_not_found=False)
        if rule:
            rule.domain_force = domain
