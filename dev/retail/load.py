"""Load the documents: created and posted by Odoo in batches, by a few processes at once.

A batch is one transaction, so a document is either there and posted or not there at all; a later run goes on with those
that are missing. Documents carry the file's number as their name, which is unique among the journal's posted documents.

Odoo derives the lines of an invoice from each other while they are written, line by line. The lines given here are
complete (income, receivable, amounts), so that is switched off with Odoo's own context keys while they are created,
which makes it three times as fast; Odoo still computes totals, checks that the entries balance, and posts with
everything switched on.
"""

import logging
import multiprocessing
import os
import traceback
from decimal import Decimal
from functools import partial
from multiprocessing.connection import wait

from kit.say import Failure

from odoo.fields import Command

from .company import partner_ref
from .progress import Progress

COMPLETE_LINES = {"skip_invoice_sync": True, "skip_invoice_line_sync": True, "skip_analytic_sync": True}
LINES_IN_BATCH = 800


def missing(session, books, documents):
    """Return the documents that are not in the database yet.

    :param session.Session session: the database
    :param company.Books books: the ids that documents need
    :param list documents: what the file has
    """
    with session.env(books.company) as env:
        known = _known_numbers(env, books, [document.number for document in documents])
    return [document for document in documents if document.number not in known]


def load(session, books, documents, jobs):
    """Load documents.

    :param session.Session session: the database
    :param company.Books books: the ids that documents need
    :param list documents: those that are not there yet
    :param int jobs: how many processes share the work
    """
    if documents:
        _run(session, books, [_batches(share) for share in _shares(documents, jobs)])


def _known_numbers(env, books, numbers):
    """Return which of these documents the company has."""
    env.cr.execute(
        "SELECT ref FROM account_move WHERE journal_id = %s AND ref = ANY(%s) AND reversed_entry_id IS NULL",
        [books.journal, numbers],
    )
    return {ref for (ref,) in env.cr.fetchall()}


def _shares(documents, jobs):
    """Divide the documents by customer, so that no two processes touch the same contact; return lists of like size."""
    by_customer = {}
    for document in documents:
        by_customer.setdefault(document.customer, []).append(document)
    shares = [[] for _number in range(min(jobs, len(by_customer)))]
    sizes = [0] * len(shares)
    for customer_documents in sorted(by_customer.values(), key=_lines_of, reverse=True):
        smallest = sizes.index(min(sizes))
        shares[smallest] += customer_documents
        sizes[smallest] += _lines_of(customer_documents)
    return [sorted(share, key=lambda document: (document.day, document.number)) for share in shares]


def _lines_of(documents):
    """Return the number of lines of some documents."""
    return sum(len(document.lines) for document in documents)


def _batches(documents):
    """Return lists of documents with about the same number of lines."""
    batches, lines = [[]], 0
    for document in documents:
        if lines >= LINES_IN_BATCH:
            batches.append([])
            lines = 0
        batches[-1].append(document)
        lines += len(document.lines)
    return batches


# ---------------------------------------------------------------------------------------------------------------------
# PROCESSES
# ---------------------------------------------------------------------------------------------------------------------


def _run(session, books, shares):
    """Load each share in a child process and show the progress of all."""
    session.disconnect()
    context = multiprocessing.get_context("fork")
    workers = {}
    total = sum(_lines_of(batch) for batches in shares for batch in batches)
    with Progress("lines", total) as progress:
        try:
            for batches in shares:
                receiver, sender = context.Pipe(duplex=False)
                arguments = (session, books, batches, sender, os.getpid())
                workers[receiver] = context.Process(target=_work, args=arguments, daemon=True)
                workers[receiver].start()
                sender.close()
            _follow(workers, progress)
        finally:
            for worker in workers.values():
                worker.terminate()
                worker.join()


def _follow(workers, progress):
    """Read what the child processes report until all are done."""
    open_receivers = set(workers)
    while open_receivers:
        for receiver in wait(list(open_receivers)):
            try:
                message = receiver.recv()
            except EOFError:
                raise _lost_worker() from None
            if message == "done":
                open_receivers.discard(receiver)
            elif isinstance(message, int):
                progress.add(message)
            else:
                raise Failure(message, "Mend the cause and run the command again: it goes on where it stopped.")


def _lost_worker():
    """Return the failure for a child process that ended without a word."""
    return Failure(
        "A process that loads documents was ended from outside.",
        "If memory was short, close other programs. Run the command again: it goes on where it stopped.",
    )


def _work(session, books, batches, sender, parent):
    """Load batches in a child process; stop as soon as the parent is gone."""
    logging.getLogger("odoo.sql_db").setLevel(logging.CRITICAL)  # it logs each conflict that is tried again below
    try:
        for batch in batches:
            if os.getppid() != parent:
                break
            session.run(partial(_load_batch, books=books, batch=batch), books.company)
            sender.send(_lines_of(batch))
        sender.send("done")
    except (KeyboardInterrupt, BrokenPipeError):
        pass  # the parent says so, or is gone
    except Exception as error:
        numbers = f"{batch[0].number} to {batch[-1].number}"
        sender.send(f"Odoo did not take the documents {numbers}: {error}\n{traceback.format_exc(limit=-3)}")


# ---------------------------------------------------------------------------------------------------------------------
# DOCUMENTS
# ---------------------------------------------------------------------------------------------------------------------


def _load_batch(env, books, batch):
    """Create and post those documents of a batch that are still missing."""
    numbers = [document.number for document in batch]
    known = _known_numbers(env, books, numbers)
    taken = _taken_names(env, books, numbers)
    vals_list = [
        _move_vals(books, document, f"{document.number}/FILE" if document.number in taken else document.number)
        for document in batch
        if document.number not in known
    ]
    moves = env["account.move"].with_context(**COMPLETE_LINES).create(vals_list)
    moves.with_env(env)._post(soft=False)


def _taken_names(env, books, numbers):
    """Return the numbers that Odoo gave to documents made by hand in the journal."""
    env.cr.execute(
        "SELECT name FROM account_move WHERE journal_id = %s AND name = ANY(%s) AND ref IS DISTINCT FROM name",
        [books.journal, numbers],
    )
    return {name for (name,) in env.cr.fetchall()}


def _move_vals(books, document, name):
    """Return the values of an invoice or a credit note with all its lines."""
    partner = books.partners[partner_ref(document.customer)]
    lines = [_product_line_vals(books, document, line) for line in document.lines]
    lines.append(_receivable_line_vals(books, document, name))
    common = {
        "partner_id": partner,
        "currency_id": books.currency,
        "tax_ids": [Command.clear()],
        "analytic_distribution": False,
    }
    return {
        "move_type": "out_refund" if document.is_credit_note else "out_invoice",
        "name": name,
        "ref": document.number,
        "payment_reference": False if document.is_credit_note else name,
        "partner_id": partner,
        "invoice_date": document.day,
        "invoice_date_due": document.day,
        "date": document.day,
        "journal_id": books.journal,
        "company_id": books.company,
        "currency_id": books.currency,
        "invoice_user_id": False,
        "line_ids": [Command.create(common | line) for line in lines],
    }


def _product_line_vals(books, document, line):
    """Return the values of an invoice line."""
    return {
        "display_type": "product",
        "product_id": books.products[line.code],
        "name": line.description,
        "quantity": document.sign * line.quantity,
        "price_unit": float(line.price),
        "product_uom_id": books.uom,
        "account_id": books.income,
        "balance": -float(line.amount),
        "amount_currency": -float(line.amount),
    }


def _receivable_line_vals(books, document, name):
    """Return the values of the line that the customer owes, due at once."""
    return {
        "display_type": "payment_term",
        "name": False if document.is_credit_note else name,
        "quantity": 0,
        "account_id": books.receivable,
        "date_maturity": document.day,
        "balance": float(document.total),
        "amount_currency": float(document.total),
    }


# ---------------------------------------------------------------------------------------------------------------------
# CHECK
# ---------------------------------------------------------------------------------------------------------------------

CHECK = """
    SELECT move.ref, move.state, partner.ref, move.invoice_date,
           count(line.id), count(line.id) FILTER (WHERE move.direction_sign * line.price_subtotal <> line.balance),
           sum(-line.balance)::text, move.amount_untaxed_signed::text, move.amount_total_signed::text
      FROM (SELECT *, CASE move_type WHEN 'out_refund' THEN 1 ELSE -1 END AS direction_sign FROM account_move) move
      JOIN res_partner partner ON partner.id = move.partner_id
      JOIN account_move_line line ON line.move_id = move.id AND line.display_type = 'product'
     WHERE move.journal_id = %s AND move.ref = ANY(%s) AND move.reversed_entry_id IS NULL
  GROUP BY move.id, move.ref, move.state, partner.ref, move.invoice_date, move.direction_sign,
           move.amount_untaxed_signed, move.amount_total_signed
"""


def check(session, books, documents):
    """Compare every document in the database with the file.

    :return: the numbers of the documents that are not posted, or differ in customer, day, lines or amount
    """
    with session.env(books.company) as env:
        env.cr.execute(CHECK, [books.journal, [document.number for document in documents]])
        found = {row[0]: (*row[1:6], *map(Decimal, row[6:])) for row in env.cr.fetchall()}
    return [document.number for document in documents if found.get(document.number) != _expected(document)]


def _expected(document):
    """Return what the query of the check has to say of a document, after its number."""
    amounts = (document.total, document.total, document.total)
    return ("posted", partner_ref(document.customer), document.day, len(document.lines), 0, *amounts)
