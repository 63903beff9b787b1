"""The example client over a bad line: requests get lost on the way there, and answers on the way back."""

import threading
from concurrent.futures import ThreadPoolExecutor

from example_client.client import OdooShop


class BadLine(OdooShop):
    """Loses one message in so many, half of them after Odoo has done what they ask for."""

    def __init__(self, *arguments, random, losses=0.2, **options):
        super().__init__(*arguments, **options)
        self.random, self.losses, self.lock = random, losses, threading.Lock()
        self.figures = {"requests": 0, "lost on the way there": 0, "answers lost": 0}

    def post(self, method, arguments):
        """Send one request, if it does not get lost."""
        with self.lock:
            self.figures["requests"] += 1
            luck = self.random.random()
        if luck < self.losses / 2:
            return self._lose("lost on the way there")
        answer = super().post(method, arguments)
        return self._lose("answers lost") if luck < self.losses else answer

    def _lose(self, name):
        with self.lock:
            self.figures[name] += 1
        raise TimeoutError(name)


def send_all(shop, orders, random, threads=6):
    """Send all that there is to say, some of it twice, in any order, several at once.

    :return: how many messages there were
    :rtype: int
    """
    messages = [message for order in orders for message in order.get_messages()]
    messages += random.sample(messages, len(messages) // 5)
    random.shuffle(messages)
    with ThreadPoolExecutor(threads) as pool:
        for future in [pool.submit(getattr(shop, method), *arguments) for method, arguments in messages]:
            future.result()
    return len(messages)
