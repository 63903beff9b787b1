"""A new company that sells, buys and is paid without taxes; for worlds that are made in a database of the proofs."""

from odoo.fields import Command


def create_company(env, name, currency, **vals):
    """Create a company with books, which the user of the environment has alone in view.

    :param str currency: name of its currency, active or not
    :return: the company, with such an environment
    :rtype: recordset of ``res.company``
    """
    currency = get_currency(env, currency)
    currency.active = True
    company = env["res.company"].create({"name": name, "currency_id": currency.id, **vals})
    env.user.company_ids |= company
    company = company.with_context(allowed_company_ids=company.ids)
    company.env["account.chart.template"].try_loading("generic_coa", company, install_demo=False)
    # The chart brings a currency and taxes of its own.
    company.write({"currency_id": currency.id, "account_sale_tax_id": False, "account_purchase_tax_id": False})
    _give_outstanding_account(get_journal(company, "bank"))
    return company


def get_currency(env, name):
    """Return a currency, active or not."""
    return env["res.currency"].with_context(active_test=False).search([("name", "=", name)])


def get_journal(company, kind):
    """Return the first journal of a company that is for ``sale``, ``purchase`` or ``bank``."""
    domain = [("type", "=", kind), ("company_id", "=", company.id)]
    return company.env["account.journal"].search(domain, limit=1)


def _give_outstanding_account(bank):
    """Let payments be booked when they are registered."""
    account = bank.env["account.account"].create(
        {
            "name": "Outstanding",
            "code": "OUT001",
            "account_type": "asset_current",
            "reconcile": True,
            "company_ids": [Command.set(bank.company_id.ids)],
        }
    )
    lines = bank.inbound_payment_method_line_ids | bank.outbound_payment_method_line_ids
    lines.payment_account_id = account
