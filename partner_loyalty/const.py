"""Selections and limits that several models share."""

from datetime import date

# Who reads what is for the company alone: budgets, margins, costs and what colleagues tell each other.
STAFF_GROUPS = (
    "partner_loyalty.partner_loyalty_group_officer,account.group_account_invoice,account.group_account_readonly"
)

# What a contribution can be: a moment in the life of a sale that counts, or something else that a partner does.
CONTRIBUTION_KINDS = [
    ("order", "Order"),
    ("invoice", "Invoice"),
    ("payment", "Payment"),
    ("opportunity", "Won Opportunity"),
    ("deal", "Registered Deal"),
    ("certificate", "Certificate"),
    ("bill", "Vendor Bill"),
    ("new_customer", "New Customer"),
    ("repeat_order", "Repeat Order"),
    ("referral", "First Sale of a Referred Member"),
    ("anniversary", "Membership Anniversary"),
]

# Whom a contribution speaks of.
CONTRIBUTION_ROLES = [
    ("buyer", "Buyer"),
    ("referrer", "Referrer"),
    ("member", "Member Itself"),
    ("supplier", "Supplier"),
]

# Kinds that sell something: a fixed sum takes a net amount above zero. Of the others each counts as it is.
AMOUNT_KINDS = ("order", "invoice", "payment", "bill", "new_customer", "repeat_order", "referral")

# Over which time bands, caps and the like add up.
PERIODS = [
    ("month", "Month"),
    ("quarter", "Quarter"),
    ("half", "Half a Year"),
    ("year", "Year"),
]

# Of whom a kind can speak; each pair is a branch of the contributions.
KIND_ROLES = {
    "order": ("buyer", "referrer"),
    "invoice": ("buyer", "referrer"),
    "payment": ("buyer", "referrer"),
    "opportunity": ("buyer", "referrer"),
    "deal": ("referrer",),
    "certificate": ("member",),
    "bill": ("supplier",),
    "new_customer": ("referrer",),
    "repeat_order": ("buyer", "referrer"),
    "referral": ("referrer",),
    "anniversary": ("member",),
}

# The kinds that are about the first sale to somebody: another document may become the first.
FIRST_KINDS = ("new_customer", "repeat_order", "referral")

# The kinds that happen at a moment, and so on a day that depends on the time zone.
MOMENT_KINDS = ("order", "opportunity", "deal", "certificate")

UNITS = [
    ("point", "Points"),
    ("money", "Money"),
]

ENTRY_TYPES = [
    ("accrual", "Earned"),
    ("clawback", "Taken Back"),
    ("opening", "Opening Balance"),
    ("adjustment", "Adjustment"),
    ("bonus", "Bonus"),
    ("bonus_undo", "Bonus Taken Back"),
    ("expiry", "Expired"),
    ("expiry_return", "Expiry Taken Back"),
    ("transfer", "Transfer"),
    ("payout", "Payout"),
    ("payout_return", "Payout Returned"),
    ("redemption", "Redeemed"),
    ("redemption_return", "Redemption Returned"),
    ("reward", "Reward"),
    ("reward_undo", "Reward Taken Back"),
]

# The types of entries that bring the ledger in line with the documents.
RECONCILED_TYPES = ("accrual", "clawback")

# The types of entries that a member earns by, and what takes them back.
EARNED_TYPES = (*RECONCILED_TYPES, "bonus", "bonus_undo")

# The types of entries that a program costs: what members earn or get, and what takes it back.
COST_TYPES = (*EARNED_TYPES, "reward", "reward_undo", "adjustment")

# The types of debits that take back what was earned: from that earning first, and what had expired of it is given back.
RECOVERY_TYPES = ("clawback", "bonus_undo", "reward_undo")

# The types of debits that may leave a debt, which later earnings pay.
DEBT_TYPES = (*RECOVERY_TYPES, "opening", "transfer")

# The types of debits that take what is there, and no more.
SPEND_TYPES = ("payout", "redemption", "expiry", "adjustment")

# The documents whose change may move contributions, and the kinds of contribution that are read from them.
TOUCH_KINDS = {
    "sale.order": ("order", "repeat_order"),
    "account.move": ("invoice", "payment", "bill", "new_customer", "referral"),
    "crm.lead": ("opportunity",),
    "partner.loyalty.deal": ("deal",),
    "survey.user_input": ("certificate",),
    "partner.loyalty.member": ("anniversary",),
}

# The origin of what a member earns for a period as a whole.
MEMBER = "partner.loyalty.member"
# The documents that have a referrer, in the order in which it goes from one to the next.
ATTRIBUTED_MODELS = [
    ("crm.lead", "Lead"),
    ("sale.order", "Order"),
    ("account.move", "Invoice"),
]

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
