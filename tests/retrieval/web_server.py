"""A web server of our own on this machine, for whatever tests ask of the web."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Answer:
    """What the server says at one path."""

    body: bytes = b""
    kind: str = "application/xml"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    etag: str = ""
    seconds: float = 0.0


@dataclass
class WebServer:
    """Answers by path, and what was asked: (path, headers), in order."""

    address: str
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    told: list[int] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)


@contextmanager
def web_server() -> Iterator[WebServer]:
    """Serves on a free port of the loopback interface while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append((self.path, dict(self.headers)))
            answer = state.answers.get(self.path, Answer(status=404))
            if answer.seconds:
                state.release.wait(answer.seconds)
            unchanged = bool(answer.etag) and self.headers.get("If-None-Match") == answer.etag
            status = 304 if unchanged else answer.status
            state.told.append(status)
            self.send_response(status)
            body = b"" if unchanged else answer.body
            headers = {"Content-Type": answer.kind, "Content-Length": str(len(body)), **answer.headers}
            if answer.etag:
                headers["ETag"] = answer.etag
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    state = WebServer(f"http://127.0.0.1:{server.server_port}")
    thread.start()
    try:
        yield state
    finally:
        state.release.set()
        server.shutdown()
        server.server_close()
        thread.join()
