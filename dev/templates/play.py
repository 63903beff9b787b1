"""Plays a year of a template, in a transaction of its own that is never committed."""

from contextlib import closing, contextmanager
from datetime import timedelta
from unittest.mock import patch

from odoo.api import SUPERUSER_ID
from odoo.modules.registry import Registry

from .clock import Clock
from .happened import Happened
from .life import Life
from .world import START, World

# A year, and what it takes to look back at all of it.
DAYS = 400
TEMPLATES = ("service", "academy", "live")
REPORT = "odoo.addons.base.models.ir_actions_report.IrActionsReport"


def play(database, template, days=DAYS, tell=lambda text: None):
    """Play a year of a template.

    :param str database: name of the database, of which nothing is changed
    :param tell: is called with each month that is over
    :return: how often each part happened, and what violates an invariant
    :rtype: tuple[dict, list]
    """
    # What is not committed is rolled back.
    with closing(Registry(database).cursor()) as cr, _without_paper():
        clock = Clock(cr)
        world = World(cr, clock, template)
        life, happened = Life(world), Happened(world)
        jobs = Jobs(world)
        for number in range(days):
            day = START + timedelta(days=number)
            with clock.at(day, 9):
                life.live(day)
            with clock.at(day, 22):
                jobs.work()
                if day.day == 28:
                    happened.look()
                    tell(day)
        with clock.at(day, 23):
            return happened.tell(), world.env["partner.loyalty.program"]._check_invariants()


class Jobs:
    """The scheduled actions of the app, once a day and in the order of the night.

    :param world: :class:`templates.world.World`
    """

    def __init__(self, world):
        self.env = world.env(user=SUPERUSER_ID)
        crons = (
            self.env["ir.cron"]
            .with_context(active_test=False)
            .search([("model_id.model", "like", "partner.loyalty.%")])
        )
        # Those that run all the time come first, and write to members in the end.
        self.actions = [cron.ir_actions_server_id for cron in crons.sorted(self._get_place)]

    def _get_place(self, cron):
        hour = cron.nextcall.time().isoformat() if cron.interval_type == "days" else "00:00:00"
        return ("_cron_send" in cron.code, hour, cron.id)

    def work(self):
        """Do what the night does."""
        for action in self.actions:
            action.with_context(active_test=True).run()
            self.env.cr.flush()


@contextmanager
def _without_paper():
    """Keep the mails in the queue, where they are counted and nobody gets one, and print nothing that they carry."""
    no_pdf = patch(f"{REPORT}._render_qweb_pdf", lambda *args, **kwargs: (b"%PDF-1.4", "pdf"))
    with patch("odoo.addons.mail.models.mail_mail.MailMail.send", lambda *args, **kwargs: True), no_pdf:
        yield
