import logging
from pathlib import Path

from odoo import fields, models
from odoo.tools import config

_logger = logging.getLogger(__name__)


class MailFolder:
    """Stands in for the connection to a mail server: every message becomes a file.

    :param pathlib.Path folder: where the files go
    """

    from_filter = smtp_from = False

    def __init__(self, folder):
        self.folder = folder

    def send_message(self, message, smtp_from, smtp_to_list):
        """Write ``message`` into the folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / f"{fields.Datetime.now():%Y-%m-%d %H.%M.%S} {abs(hash(message['Message-Id']))}.eml"
        file.write_bytes(message.as_bytes())
        _logger.info("Mail to %s: %s", ", ".join(smtp_to_list), file)

    def quit(self):
        """Do nothing: there is no connection to close."""


class IrMailServer(models.Model):
    _inherit = "ir.mail_server"

    def _connect__(self, host=None, *args, mail_server_id=None, **kwargs):
        """Keep mails on the machine, unless a mail server is named."""
        if self._disable_send() or host or mail_server_id:
            return super()._connect__(host, *args, mail_server_id=mail_server_id, **kwargs)
        return MailFolder(Path(config["data_dir"], "mails", self.env.cr.dbname))
