"""A webhook receiver as an integrator would write one: it believes what is signed."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook

from .client import until


class Receiver:
    """Listens on a free port; `received` holds `(event, headers)`, oldest first. While it
    `objects`, it answers everything that is genuine with 500, and forgets it."""

    def __init__(self):
        self.received = []
        self.objects = False
        self._refused = []
        self._secret = None
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(receiver._take(body, self.headers))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    def trust(self, secret):
        """From now on, what is not signed with this secret is refused."""
        self._secret = secret

    def event(self, action_id, phase):
        """The event of an action's phase, as soon as it is there."""

        def found():
            return [e for e in self.events(action_id) if e["phase"] == phase]

        event = until(f"the webhook of phase {phase}", found)[0]
        assert not self._refused, self._refused
        return event

    def events(self, action_id):
        """What has come about an action."""
        return [e for e, _ in self.received if e["actionId"] == action_id]

    def _take(self, body, headers):
        lower = {name.lower(): value for name, value in headers.items()}
        try:
            event = Webhook(self._secret).verify(body.decode(), lower)["event"]
        except Exception as error:
            self._refused.append(repr(error))
            return 400
        if self.objects:
            return 500
        self.received.append((event, lower))
        return 200
