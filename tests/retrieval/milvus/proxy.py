"""A TCP proxy that misbehaves on demand: it drops, delays and cuts connections to a server."""

import contextlib
import selectors
import socket
import threading
import time


class Proxy:
    """Passes bytes on between `port` and a server, unless told otherwise.

    `refusing` drops what is there and takes no more; `delay` holds back every piece so many seconds;
    `cut_after` cuts each connection once so many bytes have come from the client.
    """

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.delay = 0.0
        self.cut_after: int | None = None
        self.cuts = 0
        self._refusing = False
        self._open: set[socket.socket] = set()
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def refusing(self) -> bool:
        return self._refusing

    @refusing.setter
    def refusing(self, value: bool) -> None:
        self._refusing = value
        if value:
            self.cut()

    def cut(self) -> None:
        """Cut all connections that are open."""
        for each in list(self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._closed = True
        self.refusing = True
        self._listener.close()

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._refusing:
                client.close()
                continue
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._server_port), timeout=2)
        except OSError:
            client.close()
            return
        self._open |= {client, server}
        with client, server, contextlib.suppress(OSError):
            self._pass_on(client, server)
        self._open -= {client, server}

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        sent = 0
        with selectors.DefaultSelector() as ready:
            ready.register(client, selectors.EVENT_READ, server)
            ready.register(server, selectors.EVENT_READ, client)
            while True:
                for key, _ in ready.select():
                    assert isinstance(key.fileobj, socket.socket)
                    piece = key.fileobj.recv(65_536)
                    if not piece:
                        return
                    if self.delay:
                        time.sleep(self.delay)
                    sent += len(piece) * (key.fileobj is client)
                    if self.cut_after is not None and sent > self.cut_after:
                        self.cuts += 1
                        return
                    key.data.sendall(piece)
