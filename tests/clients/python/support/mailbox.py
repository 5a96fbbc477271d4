"""A mail server that takes everything and shows it."""

import email
import email.policy
import socketserver
import threading

from .client import until


class Mailbox:
    """Listens on a free port; `mails` holds `(recipients, message)`, oldest first."""

    def __init__(self):
        self.mails = []
        mailbox = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                mailbox._converse(self.rfile, self.wfile)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self._server.server_address[1]

    def mail(self, subject):
        """The mail with this subject, as soon as it is there."""

        def found():
            return [mail for mail in self.mails if mail[1]["Subject"] == subject]

        return until(f"the mail {subject!r}", found)[0]

    def _converse(self, lines, out):
        recipients = []

        def say(line):
            out.write(line + b"\r\n")

        say(b"220 mail.test ESMTP")
        for line in lines:
            verb = line[:4].upper()
            if verb == b"EHLO":
                say(b"250-mail.test\r\n250 8BITMIME")
            elif verb == b"DATA":
                say(b"354 go ahead")
                self.mails.append((recipients, _message(lines)))
                recipients = []
                say(b"250 taken")
            elif verb == b"QUIT":
                return say(b"221 bye")
            else:
                if verb == b"RCPT":
                    recipients.append(line[line.index(b"<") + 1 : line.rindex(b">")].decode())
                say(b"250 fine")


def _message(lines):
    text = []
    for line in lines:
        if line == b".\r\n":
            break
        text.append(line[1:] if line.startswith(b".") else line)
    return email.message_from_bytes(b"".join(text), policy=email.policy.default)
