"""Sends orders of a shop to Odoo: a generic example, with nothing but Python's standard library.

Each message may be sent as often as needed: Odoo knows an order again by its reference. So whoever is not sure whether
a message has arrived sends it again, and that is all there is to it.
"""

import json
import random
import time
import urllib.error
import urllib.request

# What may pass by itself: a server that is busy or restarts, and too many requests.
PASSING = {408, 425, 429, 500, 502, 503, 504}


class Refused(Exception):
    """Odoo does not take the message, and would not the next time: the sentence says what is wrong."""


class Unreachable(Exception):
    """Odoo did not answer, however often it was asked: send the message again later."""


class OdooShop:
    """Where the orders go.

    :param str url: address of Odoo, such as ``https://odoo.example.com``
    :param str key: API key of a salesperson (*Preferences*, *Security*, *Add API Key*)
    :param str database: its name, where the server has several
    :param int tries: how often a message is sent at most
    :param float pause: seconds before the second try; each further one waits twice as long
    """

    def __init__(self, url, key, database=None, tries=8, pause=0.5):
        self.url, self.tries, self.pause = url.rstrip("/"), tries, pause
        self.headers = {"Authorization": f"bearer {key}", "Content-Type": "application/json"}
        if database:
            self.headers["X-Odoo-Database"] = database

    def send_order(self, reference, order):
        """Send an order; see ``sale.order.loyalty_import_order``.

        :param str reference: what the shop calls the order
        :param dict order: ``date``, ``customer``, ``lines``, ``partner_code``, ``currency``
        :return: ``state`` (``done``, ``waiting``, ``failed``), ``reason``, ``order``
        :rtype: dict
        """
        return self.call("loyalty_import_order", external_ref=reference, values=order)

    def send_state(self, reference, state, occurred_at, lines=None):
        """Say what became of an order; see ``sale.order.loyalty_update_state``."""
        return self.call(
            "loyalty_update_state", external_ref=reference, state=state, occurred_at=occurred_at, lines=lines
        )

    def call(self, method, **arguments):
        """Call a method of ``sale.order``, again and again until there is an answer.

        :raises Refused: where the message is wrong
        :raises Unreachable: where there is no answer
        """
        error = None
        for number in range(self.tries):
            if number:
                # Not all at the same moment, or those who were turned away together come back together.
                time.sleep(self.pause * 2 ** (number - 1) * random.uniform(0.5, 1.5))
            try:
                return self.post(method, arguments)
            except urllib.error.HTTPError as refusal:
                if refusal.code not in PASSING:
                    raise Refused(read_message(refusal)) from refusal
                error = refusal
            except OSError as no_answer:
                error = no_answer
        raise Unreachable(f"No answer after {self.tries} tries: {error}")

    def post(self, method, arguments):
        """Send one request, and return the answer."""
        body = json.dumps(arguments).encode()
        request = urllib.request.Request(f"{self.url}/json/2/sale.order/{method}", body, self.headers)
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)


def read_message(refusal):
    """Return what a refusal says."""
    text = refusal.read().decode(errors="replace")
    try:
        return json.loads(text)["message"]
    except (ValueError, KeyError, TypeError):
        return text
