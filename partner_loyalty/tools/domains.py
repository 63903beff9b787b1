"""Filters that people build in the browser, read without running anything."""

import ast

from odoo.fields import Domain

# A filter with more conditions than that was made by a machine, and slows down every sale.
MAX_CONDITIONS = 1000


def read_domain(env, text):
    """Return the filter that a text says.

    :param env: environment, for messages
    :param str text: a list of conditions, as the filter editor writes it
    :rtype: Domain
    :raises ValueError: where it is no list, or one that is too long
    """
    conditions = ast.literal_eval(text or "[]")
    if not isinstance(conditions, list):
        raise ValueError(env._("it is not a list of conditions"))
    if len(conditions) > MAX_CONDITIONS:
        raise ValueError(env._("it has more than %s conditions", MAX_CONDITIONS))
    return Domain(conditions)


def check_domain(env, model, text):
    """Check that a filter can be read by who writes it: that its fields exist, and are open to them.

    :param env: environment of who writes it
    :param str model: name of the model it is over
    :param str text: the filter
    :raises ValueError, TypeError, SyntaxError, KeyError, RecursionError, AccessError: where it cannot
    """
    env(su=False)[model].with_context(active_test=False)._search(read_domain(env, text))
