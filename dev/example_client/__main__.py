"""Sends an order in hryvnia and then its states: python3 -m example_client URL KEY PARTNER_CODE PRODUCT [DATABASE]"""

import sys
from datetime import datetime, timezone

from .client import OdooShop, Refused, Unreachable


def main(url, key, partner_code, product, database=None):
    """Send an order of two pieces that is paid, and of which one comes back."""
    shop = OdooShop(url, key, database)
    now = datetime.now(timezone.utc)
    # A real shop takes the number of its own order, which stays the same however often it is sent.
    reference, moment = f"EXAMPLE-{now:%Y%m%d%H%M%S}", now.isoformat()
    order = {
        "date": moment,
        "currency": "UAH",
        "partner_code": partner_code,
        "customer": {"name": "Олена Коваль", "phone": "067 123 45 67", "email": "olena@example.com"},
        "lines": [{"product": product, "quantity": 2, "price": 1250.00}],
    }
    try:
        print(shop.send_order(reference, order))
        print(shop.send_state(reference, "paid", moment))
        print(shop.send_state(reference, "returned", moment, [{"product": product, "quantity": 1}]))
    except (Refused, Unreachable) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    if not 5 <= len(sys.argv) <= 6:
        sys.exit(__doc__)
    main(*sys.argv[1:])
