from . import partner_loyalty_overview_report
