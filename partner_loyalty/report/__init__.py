from . import partner_loyalty_overview_report
from . import partner_loyalty_overview_sheet
