"""A real proxy before mongod that passes a request on, swallows the answer, and cuts the connection."""

from __future__ import annotations

import contextlib
import socket
import threading


class CuttingProxy:
    """Listens on loopback for connections to `host:port`. `cut(word, times)` arms it."""

    def __init__(self, target: str) -> None:
        host, port = target.rsplit(":", 1)
        self._target = (host, int(port))
        self._word = b""
        self._left = 0
        self._lock = threading.Lock()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, word: bytes, times: int) -> None:
        """Swallow the answers to the next `times` requests that contain `word`."""
        with self._lock:
            self._word, self._left = word, times

    @property
    def left(self) -> int:
        """How many answers are still to be swallowed."""
        return self._left

    def close(self) -> None:
        self._server.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._target) as server, contextlib.suppress(OSError):
            answers = threading.Thread(target=self._answer, args=(server, client), daemon=True)
            answers.start()
            while request := client.recv(1 << 20):
                with self._lock:
                    swallow = self._left > 0 and self._word in request
                    self._left -= swallow
                if swallow:
                    client.shutdown(socket.SHUT_WR)  # no answer gets through any more
                    server.sendall(request)
                    server.settimeout(5)
                    return
                server.sendall(request)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while answer := server.recv(1 << 20):
                client.sendall(answer)
            client.shutdown(socket.SHUT_RDWR)
