"""What the services of these tests run: starts at once, answers everything, and ends on SIGTERM."""

import http.server
import os
import signal
import sys
from typing import Any


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers with the content of the mounted model, and with LEVEL of the environment."""

    def do_GET(self) -> None:
        with open(os.path.join(os.environ["MODEL_DIR"], "model.pt")) as model:
            body = f"{model.read()} {os.environ.get('LEVEL', '')}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
http.server.ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
