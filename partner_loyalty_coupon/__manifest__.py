{
    "name": "Partner Loyalty: Coupons",
    "version": "19.0.1.0.0",
    "category": "Sales/CRM",
    "summary": "Rewards that are codes which a partner hands to its own clients, and what became of them",
    "author": "Partner Loyalty engineers",
    "license": "LGPL-3",
    "depends": ["partner_loyalty", "sale_loyalty"],
    "data": [
        "security/ir.model.access.csv",
        # Before the mail that it is attached to.
        "report/partner_loyalty_claim_report.xml",
        "data/mail_template_data.xml",
        "views/partner_loyalty_reward_views.xml",
        "views/partner_loyalty_claim_views.xml",
        "views/portal_reward_templates.xml",
    ],
    "assets": {
        "web.assets_tests": ["partner_loyalty_coupon/static/tests/tours/**/*"],
    },
    "auto_install": True,
}
