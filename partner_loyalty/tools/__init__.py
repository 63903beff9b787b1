from . import migration
from . import periods
from . import scope
from . import terms
