from . import test_kpi_margin
from . import test_margin
from . import test_margin_setups
