"""What an order of ten lines and its invoice cost with the app, against the same Odoo without it.

Three databases in one process: Odoo's modules alone, the app with one rule, the app with a hundred. Each round makes
an order in each of them, in random order, and confirms and invoices it as somebody from sales does. Commits count, with
all that is done before and after them.
"""

from contextlib import ExitStack

from .sales import Sales
from .shop import Shop

RULES = {"plain": 0, "one": 1, "hundred": 100}
MISSED = (
    "the mark of the document is one INSERT, and the rest is Python that notes where the document stands; none of it "
    "looks at rules. Where 100 rules differ from 1 by as much, it is the machine that was too busy to tell."
)


def measure(bench):
    """Confirm and invoice orders with and without the app.

    :rtype: list[Row]
    """
    with ExitStack() as stack:
        sales = Sales(
            {
                label: Shop(stack.enter_context(bench.copy_empty(label, plain=not rules)), rules)
                for label, rules in RULES.items()
            }
        )
        sales.run()
    return [
        *_get_rows(sales, "confirm", "confirming an order of 10 lines", percent=5),
        *_get_rows(sales, "invoice", "creating and posting its invoice", percent=3),
    ]


def _get_rows(sales, step, work, percent):
    """Return the rows of queries and time of a step, and of what a hundred rules add to one."""
    hundred = f"{work}, 100 rules against 1"
    return [
        sales.compare_queries(work, step, "one", "plain", 2),
        sales.compare_time(work, step, "one", "plain", percent, missed=MISSED),
        sales.compare_queries(hundred, step, "hundred", "one", 0),
        sales.compare_time(hundred, step, "hundred", "one", percent, missed=MISSED),
    ]
