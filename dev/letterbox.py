"""A mailbox for whatever the app sends: takes mail by SMTP, and keeps it."""

import email
import re
import socketserver
import threading
from email import policy

DONE = b"250 OK\r\n"


class Mailbox:
    """Takes mail on a port of this machine, while it is used as a context manager."""

    def __init__(self):
        self.messages = []
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self._get_handler())
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error):
        self._server.shutdown()
        self._server.server_close()

    def find_link(self, address, pattern):
        """Return the latest link of a pattern that was sent to an address, or None.

        :param str address: e-mail address
        :param str pattern: regular expression for the link
        """
        for recipients, message in reversed(self.messages):
            body = message.get_body(("html", "plain"))
            found = re.search(pattern, body.get_content()) if body and address in recipients else None
            if found:
                return found[0].replace("&amp;", "&")
        return None

    def _get_handler(self):
        mailbox = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                recipients = []
                self.wfile.write(b"220 Mailbox\r\n")
                while line := self.rfile.readline():
                    command = line[:4].upper()
                    if command == b"QUIT":
                        self.wfile.write(b"221 Bye\r\n")
                        return
                    if command == b"RCPT":
                        recipients += re.findall(r"<([^>]+)>", line.decode())
                    if command == b"DATA":
                        self.wfile.write(b"354 Go on\r\n")
                        mailbox.messages.append((recipients, self.read_message()))
                        recipients = []
                    self.wfile.write(DONE)

            def read_message(self):
                lines = []
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(line.removeprefix(b"."))
                return email.message_from_bytes(b"".join(lines), policy=policy.default)

        return Handler
