{
    "name": "Partner Loyalty: Example",
    "version": "19.0.1.0.0",
    "category": "Hidden",
    "summary": "A way to earn, a metric and a kind of reward of one's own, as an example for developers",
    "author": "Partner Loyalty engineers",
    "license": "LGPL-3",
    "depends": ["partner_loyalty"],
    "data": [
        "security/ir.model.access.csv",
        "data/partner_loyalty_metric_data.xml",
    ],
}
