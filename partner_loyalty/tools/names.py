"""Names as people write them."""

import re
import unicodedata


def normalize(name):
    """Return a name without what people write now this way and now that: case, blanks, dots and dashes.

    >>> normalize(" ACME-Trading  GmbH. ") == normalize("Acme Trading GmbH")
    True

    :param str name: as it was entered, or nothing
    :rtype: str
    """
    name = unicodedata.normalize("NFKC", name or "").casefold().strip()
    # A name of nothing but signs is still a name.
    return re.sub(r"[\W_]+", " ", name).strip() or name
