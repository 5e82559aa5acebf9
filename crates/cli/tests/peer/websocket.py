"""The client's side of RFC 6455, as far as docs/protocol.md section 1 needs it."""

import base64
import hashlib
import os
import socket

MAX_FRAME = 65_536


class Closed(Exception):
    """The connection has ended."""


class WebSocket:
    """One connection. `read` gives messages; pings are answered on the way."""

    def __init__(self, host, port, receive_buffer=None):
        if host != "localhost" and host != "::1" and not host.startswith("127."):
            raise ValueError("plain http is for loopback only (R1.2)")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(60)
        self.socket.connect((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        self.partial = None
        self._shake_hands(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")

    def _shake_hands(self, host):
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            "GET /v1/session HTTP/1.1",
            f"Host: {host}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Protocol: estoile.v1",
        ]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        while b"\r\n\r\n" not in self.buffer:
            self._fill()
        head, _, rest = bytes(self.buffer).partition(b"\r\n\r\n")
        self.buffer = bytearray(rest)
        status, *fields = head.decode("ascii").split("\r\n")
        if status.split(" ")[1] != "101":
            raise Closed(status)
        fields = {name.strip().lower(): value.strip() for name, _, value in (f.partition(":") for f in fields)}
        guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1((key + guid).encode()).digest()).decode()
        if fields.get("sec-websocket-accept") != accept:
            raise Closed("the handshake's answer is wrong")
        if fields.get("sec-websocket-protocol") != "estoile.v1":
            raise Closed("the subprotocol was not selected (R1.1)")
        if "sec-websocket-extensions" in fields:
            raise Closed("an extension that nobody offered (R1.3)")

    def _fill(self):
        piece = self.socket.recv(65_536)
        if not piece:
            raise Closed("the connection has ended")
        self.buffer += piece

    def _write(self, opcode, payload):
        size = len(payload)
        if size < 126:
            head = bytes([0x80 | opcode, 0x80 | size])
        elif size < 1 << 16:
            head = bytes([0x80 | opcode, 0x80 | 126]) + size.to_bytes(2, "big")
        else:
            head = bytes([0x80 | opcode, 0x80 | 127]) + size.to_bytes(8, "big")
        mask = os.urandom(4)
        key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
        masked = (int.from_bytes(payload, "big") ^ key).to_bytes(size, "big")
        self.socket.sendall(head + mask + masked)

    def send(self, message):
        self._write(2, message)

    def send_text(self, text):
        """What no client may do (R1.3)."""
        self._write(1, text.encode())

    def ready(self):
        """Whether a whole WebSocket frame is in the buffer."""
        return self._next_frame(peek=True) is not None

    def _next_frame(self, peek=False):
        if len(self.buffer) < 2:
            return None
        first, second = self.buffer[0], self.buffer[1]
        size, at = second & 127, 2
        if size > 125:
            more = 2 if size == 126 else 8
            if len(self.buffer) < 2 + more:
                return None
            size, at = int.from_bytes(self.buffer[2 : 2 + more], "big"), 2 + more
        if first & 0x70 or second & 0x80 or size > MAX_FRAME:
            raise Closed("reserved bits, a mask, or too long")
        if len(self.buffer) < at + size:
            return None
        if peek:
            return True
        payload = bytes(self.buffer[at : at + size])
        del self.buffer[: at + size]
        return first >> 7, first & 15, payload

    def read(self):
        """The next binary message."""
        while True:
            frame = self._next_frame()
            if frame is None:
                self._fill()
                continue
            final, opcode, payload = frame
            if opcode == 8:
                raise Closed("the relay has closed")
            if opcode == 9:
                self._write(10, payload)
                continue
            if opcode == 10:
                continue
            if opcode == 0 and self.partial is not None:
                payload = self.partial + payload
            elif opcode != 2 or self.partial is not None:
                raise Closed("not a binary message (R1.3)")
            if len(payload) > MAX_FRAME:
                raise Closed("a frame that is too long (R1.4)")
            if final:
                self.partial = None
                return payload
            self.partial = payload

    def close(self):
        try:
            self._write(8, (1000).to_bytes(2, "big"))
        except OSError:
            pass
        self.socket.close()
