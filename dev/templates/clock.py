"""Lets Python and PostgreSQL take some other day for today, within one transaction that is never committed."""

from contextlib import contextmanager
from datetime import datetime, time

from freezegun import freeze_time


class Clock:
    """A clock that is set by hand, also for what SQL calls ``now()``.

    :param cr: a cursor; a rollback takes all of it back
    """

    def __init__(self, cr):
        self.cr = cr
        cr.execute(
            """
            CREATE SCHEMA frozen;
            CREATE FUNCTION frozen.now() RETURNS timestamptz LANGUAGE sql STABLE AS
                $$ SELECT current_setting('frozen.now')::timestamptz $$;
            SELECT set_config('search_path', 'frozen, pg_catalog, public', TRUE)
            """
        )
        # What a job commits is kept until the end all the same: the rest of the transaction goes on.
        cr.commit = self._settle
        self.set(datetime(2026, 1, 1))

    def set(self, moment):
        """Set the clock of the database."""
        self.cr.execute("SELECT set_config('frozen.now', %s, TRUE)", (f"{moment.isoformat()}+00",))
        self.cr._now = None

    @contextmanager
    def at(self, day, hour):
        """Let it be an hour of a day, in UTC."""
        moment = datetime.combine(day, time(hour))
        with freeze_time(moment):
            self.set(moment)
            yield
            self._settle()

    def _settle(self):
        """Do what a commit does, but for the commit."""
        self.cr.flush()
        self.cr.postcommit.clear()
