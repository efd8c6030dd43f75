"""A raw HTTP client and a server process for tests that need every byte in their own hand."""

import os
import select
import signal
import socket
import subprocess
import time

HOST = b"Host: x\r\n"
PATIENCE = 10


def get(path, headers=b"", method=b"GET", version=b"HTTP/1.1"):
    return b"%s %s %s\r\n%s%s\r\n" % (method, path, version, HOST, headers)


def post(path, body, headers=b""):
    return get(path, headers + b"Content-Length: %d\r\n" % len(body), b"POST") + body


class Response:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:200]}>"


class Closed(Exception):
    """The server ended the connection where an answer was due."""


class Client:
    """One connection. Reads answers by their Content-Length."""

    def __init__(self, port, host="127.0.0.1", timeout=PATIENCE, receive_buffer=None):
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.socket.settimeout(timeout)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def _more(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionError as error:
            raise Closed(f"{error} after {bytes(self.buffer[:200])}") from error
        if not data:
            raise Closed(f"end after {bytes(self.buffer[:200])}")
        self.buffer += data

    def head(self):
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        end = self.buffer.index(b"\r\n\r\n")
        head = self.buffer[:end]
        del self.buffer[:end + 4]
        lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, value = line.split(": ", 1) if ": " in line else (line, "")
            headers.setdefault(name.lower(), []).append(value)
        return int(lines[0].split()[1]), headers

    def response(self, bodyless=False):
        status, headers = self.head()
        n = 0 if bodyless or status in (204, 304) or status < 200 else int(headers.get("content-length", ["0"])[0])
        while len(self.buffer) < n:
            self._more()
        body = bytes(self.buffer[:n])
        del self.buffer[:n]
        return Response(status, headers, body)

    def ask(self, data, **options):
        self.send(data)
        return self.response(**options)

    def closed(self):
        """Waits for the end; what came before it, unread by response()."""
        while True:
            try:
                self._more()
            except Closed:
                rest = bytes(self.buffer)
                self.buffer.clear()
                return rest


def wait_until(condition, what, patience=PATIENCE):
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {patience} s: {what}"
        time.sleep(0.01)


class Server:
    """The echo server in a process of its own; see echo_server.c for its paths."""

    def __init__(self, program, **options):
        arguments = [a for name, value in options.items() for a in ("--" + name.replace("_", "-"), str(value))]
        self.process = subprocess.Popen([program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        first = self._line()
        assert first.startswith("port "), (first, self.process.stderr.read())
        self.port = int(first.split()[1])
        self.library = tuple(int(n) for n in first.split()[2].split(".")[:3])

    def _line(self):
        return self.process.stdout.readline().decode()

    def client(self, **options):
        return Client(self.port, **options)

    def ask(self, data, **options):
        with self.client() as c:
            return c.ask(data, **options)

    def hidden(self):
        return int(self.ask(get(b"/hidden-count")).body)

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def cpu_ticks(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    def open_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def end(self, patience=15):
        """Stops it and gives the lines it wrote; fails where a sanitizer found something."""
        if self.process.poll() is None:
            self.terminate()
        try:
            out, err = self.process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, err = self.process.communicate()
            raise AssertionError(f"did not end: {out[-500:]} {err[-500:]}") from None
        lines = out.decode("utf-8", "replace").splitlines()
        assert self.process.returncode == 0 and not err, (self.process.returncode, err.decode()[-6000:], lines[-5:])
        assert lines[-1] == "ended", lines[-3:]
        return lines[:-1]


def readable(sock, seconds):
    return bool(select.select([sock], [], [], seconds)[0])
