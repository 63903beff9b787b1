from . import portal
from . import portal_dialog
from . import portal_feedback
from . import portal_topic
from . import portal_overview
from . import portal_statement
from . import portal_payout
from . import portal_terms
