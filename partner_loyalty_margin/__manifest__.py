{
    "name": "Partner Loyalty: Margin",
    "version": "19.0.1.0.0",
    "category": "Sales/CRM",
    "summary": "Rules that earn percent of the margin of orders, invoices and payments",
    "author": "Partner Loyalty engineers",
    "license": "LGPL-3",
    "depends": ["partner_loyalty", "sale_margin"],
    "data": [
        "views/partner_loyalty_rule_views.xml",
        "views/partner_loyalty_program_views.xml",
    ],
    "auto_install": True,
}
