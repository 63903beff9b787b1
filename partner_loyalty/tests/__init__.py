from . import test_lifecycle
from . import test_payout
from . import test_clawback
