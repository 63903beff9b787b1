from . import test_clawback
from . import test_entry
from . import test_lifecycle
from . import test_member
from . import test_payout
from . import test_periods
from . import test_program
