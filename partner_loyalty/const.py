"""Selections and limits that several models share."""

from datetime import date

# What a contribution can be: the moment in the life of a sale that counts.
CONTRIBUTION_KINDS = [
    ("order", "Order"),
    ("invoice", "Invoice"),
    ("payment", "Payment"),
]

# Who in the sale a contribution speaks of.
CONTRIBUTION_ROLES = [
    ("buyer", "Buyer"),
    ("referrer", "Referrer"),
]

UNITS = [
    ("point", "Points"),
    ("money", "Money"),
]

ENTRY_TYPES = [
    ("accrual", "Earned"),
    ("clawback", "Taken Back"),
    ("opening", "Opening Balance"),
    ("adjustment", "Adjustment"),
    ("expiry", "Expired"),
    ("expiry_return", "Expiry Taken Back"),
    ("transfer", "Transfer"),
    ("payout", "Payout"),
    ("payout_return", "Payout Returned"),
]

# The types of entries that bring the ledger in line with the documents.
RECONCILED_TYPES = ("accrual", "clawback")

# The types of debits that may leave a debt, which later earnings pay.
DEBT_TYPES = ("clawback", "opening", "transfer")

# The types of debits that take what is there, and no more.
SPEND_TYPES = ("payout", "expiry", "adjustment")

# The documents whose change may move contributions, and the kinds of contribution that are read from them.
TOUCH_KINDS = {
    "sale.order": ("order",),
    "account.move": ("invoice", "payment"),
}

# Sentinel of a key that knows no period: NULL would defeat uniqueness.
NO_PERIOD = date(1900, 1, 1)

# Nothing that a person enters is larger than this; beyond it is a typing error.
MAX_AMOUNT = 10**12
# Nor does a column for integers hold more.
MAX_INTEGER = 2**31

# So many names stand in a message; a selection may hold thousands.
NAMES_IN_MESSAGE = 10

# Decimal places of points and money in the ledger; the program rounds points, the currency rounds money.
LEDGER_DIGITS = (18, 4)
