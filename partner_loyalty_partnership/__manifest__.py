{
    "name": "Partner Loyalty: Partnership",
    "version": "19.0.1.0.0",
    "category": "Sales/CRM",
    "summary": "The tier of a member sets its partner level",
    "author": "Partner Loyalty engineers",
    "license": "LGPL-3",
    "depends": ["partner_loyalty", "partnership"],
    "data": ["views/partner_loyalty_tier_views.xml", "views/partner_loyalty_member_views.xml"],
    "auto_install": True,
    "uninstall_hook": "uninstall_hook",
}
