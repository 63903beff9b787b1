"""The company of the sales, its books, customers and products: made once, found again on every later run."""

from dataclasses import dataclass, field
from functools import partial

from kit import say
from kit.say import Failure

from odoo.fields import Command

MODULE = "__retail__"
NAME = "Online Retail Ltd"
CURRENCY = "base.GBP"
COUNTRY = "base.uk"
CHART = "generic_coa"
JOURNAL_CODE = "RETL"
BATCH = 500

# What the file calls otherwise than Odoo. "Unspecified" and "European Community" are no countries.
COUNTRIES = {
    "EIRE": "IE",
    "USA": "US",
    "RSA": "ZA",
    "Channel Islands": "JE",
    "Czech Republic": "CZ",
    "Hong Kong": "HK",
    "United Kingdom": "GB",
}


@dataclass
class Books:
    """The ids that a document needs."""

    company: int
    currency: int
    journal: int
    income: int
    receivable: int
    uom: int
    partners: dict = field(default_factory=dict)
    products: dict = field(default_factory=dict)


def prepare(session, sales):
    """Make what is missing of company, journal, customers and products.

    :param session.Session session: the database
    :param source.Sales sales: what will be loaded
    :rtype: Books
    """
    company_id = session.run(lambda env: _company(env, sales).id)
    books = session.run(_books, company_id)
    books.partners = _fill(session, books, "customers", "res.partner", "ref", _partner_vals(session, sales, books))
    books.products = _fill(session, books, "products", "product.product", "default_code", _product_vals(sales, books))
    session.tell_servers()
    return books


def _company(env, sales):
    """Return the company, ready to take the sales."""
    company = find(env, "company") or _create_company(env)
    _admit_users(env, company)
    _raise_price_precision(env, sales)
    return company


def find(env, name):
    """Return the record that an earlier run made under this name, or None."""
    return env.ref(f"{MODULE}.{name}", raise_if_not_found=False)


def remember(env, name, record):
    """Remember a record under a name."""
    env["ir.model.data"].create({"module": MODULE, "name": name, "model": record._name, "res_id": record.id})


def _create_company(env):
    """Create the company with a chart of accounts: without demo data Odoo gives a new company none."""
    if env["res.company"].with_context(active_test=False).search_count([("name", "=", NAME)]):
        raise Failure(f"There is a company {NAME} that is not of this loader.", "Rename it and run the command again.")
    currency = env.ref(CURRENCY)
    currency.active = True
    country = env.ref(COUNTRY)
    company = env["res.company"].create({"name": NAME, "country_id": country.id, "currency_id": currency.id})
    env["account.chart.template"].try_loading(CHART, company, install_demo=False)
    # The template brings the dollar and its country along; nothing is posted yet, so both can be put right.
    company.currency_id = currency
    company.account_fiscal_country_id = country
    remember(env, "company", company)
    return company


def _admit_users(env, company):
    """Let the people of the database see the company."""
    users = env["res.users"].search([("share", "=", False), ("company_ids", "not in", company.ids)])
    users.write({"company_ids": [Command.link(company.id)]})


def _raise_price_precision(env, sales):
    """Let prices have the decimals that the file has, or Odoo would round them before it multiplies."""
    wanted = max(-line.price.normalize().as_tuple().exponent for document in sales.documents for line in document.lines)
    precision = env.ref("product.decimal_price")
    if precision.digits < wanted:
        say.note(f"Prices of the file have {wanted} decimals: the accuracy 'Product Price' is raised to that.")
        precision.digits = wanted


def _books(env):
    """Return the books of the company, with a journal of their own for the loaded documents."""
    company = env.company
    journal = find(env, "journal") or _create_journal(env, company)
    return Books(
        company=company.id,
        currency=company.currency_id.id,
        journal=journal.id,
        income=journal.default_account_id.id,
        receivable=company.partner_id.property_account_receivable_id.id,
        uom=env.ref("uom.product_uom_unit").id,
    )


def _create_journal(env, company):
    """Create the journal; documents are numbered as in the file, so Odoo's own numbers stay in the chart's journal."""
    chart_journal = env["account.journal"].search([("company_id", "=", company.id), ("type", "=", "sale")], limit=1)
    journal = env["account.journal"].create(
        {
            "name": "Online Retail",
            "code": JOURNAL_CODE,
            "type": "sale",
            "sequence": chart_journal.sequence + 10,
            "company_id": company.id,
            "default_account_id": chart_journal.default_account_id.id,
        }
    )
    remember(env, "journal", journal)
    return journal


def _fill(session, books, label, model, key, vals_by_key):
    """Create the records that are missing and return the id of each by its key."""
    ids = session.run(lambda env: _ids(env, books, model, key), books.company)
    missing = [vals for value, vals in vals_by_key.items() if value not in ids]
    for start in range(0, len(missing), BATCH):
        batch = missing[start : start + BATCH]
        ids |= session.run(partial(_create, model=model, key=key, vals_list=batch), books.company)
    say.note(f"{len(vals_by_key):,} {label}, {len(missing):,} of them new.")
    return ids


def _create(env, model, key, vals_list):
    """Create records and return the id of each by its key."""
    return {record[key]: record.id for record in env[model].create(vals_list)}


def _ids(env, books, model, key):
    """Return the ids of the company's records by their key."""
    domain = [("company_id", "=", books.company), (key, "!=", False)]
    records = env[model].with_context(active_test=False).search(domain, order="id desc")
    return {record[key]: record.id for record in records}


def _partner_vals(session, sales, books):
    """Return the values of each customer; where the file names two countries, the first counts."""
    first = {}
    for document in sales.documents:
        first.setdefault(document.customer, document.country)
    with session.env() as env:
        countries = _countries(env)
    return {
        partner_ref(customer): {
            "name": f"Customer {customer}",
            "ref": partner_ref(customer),
            "is_company": True,
            "company_id": books.company,
            "country_id": countries.get(country, False),
        }
        for customer, country in first.items()
    }


def partner_ref(customer):
    """Return the reference of the contact of a customer."""
    return f"retail-{customer}"


def _countries(env):
    """Return the ids of countries by the file's names."""
    countries = env["res.country"].with_context(lang="en_US").search([])
    by_code = {country.code: country.id for country in countries}
    return {country.name: country.id for country in countries} | {
        name: by_code[code] for name, code in COUNTRIES.items()
    }


def _product_vals(sales, books):
    """Return the values of each product, with its first description and price."""
    first = {}
    for document in sales.documents:
        for line in document.lines:
            first.setdefault(line.code, line)
    return {
        code: {
            "name": line.description,
            "default_code": code,
            "list_price": float(line.price),
            "company_id": books.company,
            "taxes_id": [Command.clear()],
            "supplier_taxes_id": [Command.clear()],
        }
        for code, line in first.items()
    }
