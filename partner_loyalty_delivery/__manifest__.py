{
    "name": "Partner Loyalty: Delivery",
    "version": "19.0.1.0.0",
    "category": "Sales/CRM",
    "summary": "What a customer pays for delivery earns nothing",
    "author": "Partner Loyalty engineers",
    "license": "LGPL-3",
    "depends": ["partner_loyalty", "delivery"],
    "auto_install": True,
}
