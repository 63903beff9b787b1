"""What the groups of measurements share: sizes, and databases full of sales."""

import sys
import time
from contextlib import contextmanager

from . import data, databases


class Bench:
    """One run of the bench.

    :param str config: path of Odoo's configuration file, for processes of their own
    :param str database: name of a database with our modules and nothing in it; others are named after it
    :param str plain: name of a database with no more than the Odoo modules that ours stand on
    :param int members: number of members
    :param int lines: number of invoice lines where there are most
    """

    def __init__(self, config, database, plain, members, lines):
        self.config, self.database, self.plain = config, database, plain
        self.members, self.lines = members, lines
        # Pictures and the like that belong to the results, by the names of their files.
        self.files = {}
        # Where the time of a work went, by what the work was.
        self.profiles = {}
        self._made = {}
        self._results = {}

    @contextmanager
    def copy(self, lines=0, name="work"):
        """Give a database with a program, members, and so many invoice lines, for one group alone.

        What is done in it can be committed: it is dropped in the end. It is made once for each number of lines, and
        copied from then on.

        :param int lines: number of invoice lines
        :param str name: the end of its name, for who needs several at once
        :return: name of the database
        """
        source, target = self._get_source(lines), f"{self.database}_{name}"
        databases.copy(source, target)
        try:
            yield target
        finally:
            databases.drop(target)

    @contextmanager
    def copy_empty(self, name="work", plain=False):
        """Give a database with our modules and nothing in it, or without them; see :meth:`copy`."""
        target = f"{self.database}_{name}"
        databases.copy(self.plain if plain else self.database, target)
        try:
            yield target
        finally:
            databases.drop(target)

    def keep_copy(self, lines, name):
        """Like :meth:`copy`, but kept until the bench is over, or until it is made anew.

        :return: name of the database
        """
        target = f"{self.database}_{name}"
        databases.copy(self._get_source(lines), target)
        self._made[name] = target
        return target

    def once(self, key, work):
        """Do something that several groups build upon once only.

        :param str key: what it is
        :param work: callable without arguments
        :return: what it returned the first time
        """
        if key not in self._results:
            self._results[key] = work()
        return self._results[key]

    def drop(self):
        """Delete the databases that were kept."""
        for database in self._made.values():
            databases.drop(database)
        self._made.clear()

    def say(self, text):
        """Say how far it is."""
        print(f"          {text}", file=sys.stderr, flush=True)

    def _get_source(self, lines):
        """Return the database to copy, made first where it is missing: without lines, and then with them."""
        if lines not in self._made:
            target = f"{self.database}_{lines}"
            databases.copy(self._get_source(0) if lines else self.database, target)
            self._made[lines] = target
            self._fill(target, lines)
        return self._made[lines]

    def _fill(self, database, lines):
        start = time.perf_counter()
        with databases.environment(database) as env:
            if lines:
                data.make_invoices(env, lines // data.LINES_PER_INVOICE)
            else:
                data.make_members(env, data.make_program(env), self.members)
            data.vacuum(env)
        what = f"{lines:,} invoice lines made" if lines else f"{self.members:,} members enrolled"
        self.say(f"{what} in {time.perf_counter() - start:.0f} s")
