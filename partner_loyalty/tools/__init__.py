from . import periods
from . import scope
from . import terms
