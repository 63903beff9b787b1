from . import migration
from . import domains
from . import names
from . import periods
from . import scope
from . import shares
from . import terms
