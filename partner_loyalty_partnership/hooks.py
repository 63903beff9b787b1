def uninstall_hook(env):
    """Take back the levels that tiers have set, and the price lists that came with them: nobody would do so later."""
    env["partner.loyalty.tier"].search([("grade_id", "!=", False)]).grade_id = False
    for program in env["partner.loyalty.program"].with_context(active_test=False).search([]):
        env["partner.loyalty.member"]._refresh_benefits(program)
