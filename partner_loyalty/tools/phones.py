"""Phone numbers as people write them."""

import re

# The shortest number that somebody can be called by from elsewhere, and the longest that there is.
DIGITS = range(7, 16)


def normalize(number, country_code):
    """Return a phone number in its international form, or None where it is none.

    >>> normalize("067 123-45-67", 380) == normalize("00380 (67) 1234567", 380) == "+380671234567"
    True

    :param str number: as it was entered
    :param int country_code: what a number of the country begins with abroad, where nothing else is said
    :rtype: str
    """
    number = (number or "").strip()
    if re.search(r"[^\d\s()+./-]", number):
        return None
    digits = re.sub(r"\D", "", number)
    if digits.startswith("00"):
        digits = digits[2:]
    elif digits.startswith("0") and country_code:
        digits = f"{country_code}{digits[1:]}"
    return f"+{digits}" if len(digits) in DIGITS else None
