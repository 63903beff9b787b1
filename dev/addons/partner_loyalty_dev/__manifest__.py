{
    "name": "Partner Loyalty: development",
    "summary": "Makes Odoo at home on a developer's machine without a network; never for production",
    "version": "19.0.1.0.0",
    "category": "Hidden",
    "author": "Partner Loyalty engineers",
    "license": "LGPL-3",
    "depends": ["partner_loyalty", "partner_autocomplete", "crm_iap_enrich"],
    "data": ["data/ir_cron.xml"],
    "assets": {
        "web.assets_backend": [
            # Debian's package of Odoo leaves this file out, and a missing file is an error on every page.
            ("remove", "mail/static/lib/selfie_segmentation/selfie_segmentation.js"),
        ],
    },
}
