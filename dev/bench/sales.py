"""Orders that are confirmed and invoiced in several databases by turns, with what each step costs."""

import gc
import time
from collections import defaultdict
from random import Random
from statistics import median

from .row import Row

ROUNDS = 25
# What the app leaves to be done beside a commit must not disturb what is measured next.
PAUSE = 0.15


class Sales:
    """Sells in several shops by turns.

    :param dict shops: a ``Shop`` by label
    """

    def __init__(self, shops):
        self.shops = shops
        self.costs = {label: defaultdict(list) for label in shops}

    def run(self, rounds=ROUNDS):
        """Sell in all shops, in another order each round; the first round fills caches and does not count.

        What the customers have then is checked.
        """
        random = Random(1)
        for _number in range(rounds + 1):
            for label in random.sample(list(self.shops), len(self.shops)):
                self._sell(label)
        for costs in self.costs.values():
            for step in costs:
                del costs[step][0]
        for shop in self.shops.values():
            if shop.program_id:
                shop.check()

    def _sell(self, label):
        shop = self.shops[label]
        with shop.work() as env:
            order_id = shop.make_order(env).id
        for step, work in (("confirm", lambda order: order.action_confirm()), ("invoice", shop.make_invoice)):
            self.costs[label][step].append(self._measure(shop, order_id, work))
            if shop.program_id:
                time.sleep(PAUSE)

    def _measure(self, shop, order_id, work):
        """Return the queries and seconds of a step, commit included."""
        with shop.work() as env:
            order, queries = env["sale.order"].browse(order_id), env.cr.sql_log_count
            gc.collect()
            start = time.perf_counter()
            work(order)
            env.cr.commit()
            return env.cr.sql_log_count - queries, time.perf_counter() - start

    def compare_queries(self, work, step, label, reference, target=None):
        """Return the row of how many queries a step takes more in one shop than in another."""
        ours, theirs = (median(queries for queries, _seconds in self.costs[name][step]) for name in (label, reference))
        return Row(work, f"{ours:.0f} queries", f"{theirs:.0f} queries", ours - theirs, target, "queries more")

    def compare_time(self, work, step, label, reference, target=None, missed=""):
        """Return the row of how much longer a step takes in one shop than in another, round by round."""
        ours, theirs = ([seconds for _queries, seconds in self.costs[name][step]] for name in (label, reference))
        more = median(own / other for own, other in zip(ours, theirs, strict=True)) * 100 - 100
        texts = (f"{median(seconds) * 1000:.1f} ms" for seconds in (ours, theirs))
        return Row(work, *texts, more, target, "% more", missed=missed)
