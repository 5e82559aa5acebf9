"""A session with a relay: docs/protocol.md sections 3 to 8, over plain loopback."""

import os
import time

import cbor
import seals
from websocket import WebSocket

# Fields of the relay's frames: key -> (kind or size of byte string, optional).
RELAY_FRAMES = {
    1: ("welcome", {0: int, 1: 32, 2: 32, 3: int, 4: 64, 6: dict}, {5: 32}),
    2: ("created", {0: int, 1: 32, 2: int, 3: int}, {}),
    3: ("attached", {0: int, 1: 32, 2: int, 3: int, 4: int}, {}),
    4: ("record", {0: 32, 1: int, 2: int, 3: int, 4: int, 5: 16, 6: bytes}, {7: 32}),
    5: ("live", {0: 32, 1: int}, {}),
    6: ("kept", {0: int, 1: int, 2: int}, {}),
    7: ("refused", {1: int}, {0: int, 2: int, 3: int, 4: 32}),
    8: ("signalled", {0: 32, 1: bytes}, {}),
    9: ("lagged", {0: 32, 1: int}, {}),
    10: ("pong", {0: int, 1: int}, {}),
    11: ("closing", {0: int}, {}),
    20: ("done", {0: int}, {}),
    21: ("counted", {0: int, 1: list}, {}),
    22: ("taken", {0: int, 1: 16, 2: bytes, 3: bool, 4: bool}, {}),
    23: ("blob grant", {0: int, 1: 32, 2: int}, {}),
}


class Refusal(Exception):
    """The relay's `refused`."""

    def __init__(self, fields):
        super().__init__(f"refused: {fields}")
        self.code, self.limit, self.wait = fields[1], fields.get(2), fields.get(3)


class Distrust(Exception):
    """This is not the relay that the link means."""


def log_id(access_key):
    return seals.sha256(b"estoile.v1 log id\0" + b"\0" + access_key)


def relay_hash(relay_key):
    return seals.sha256(b"estoile.v1 relay key\0" + relay_key)


def welcome_bytes(challenge, nonce, now, certificate):
    end = b"\0" if certificate is None else b"\1" + certificate
    return b"estoile.v1 welcome\0" + challenge + nonce + now.to_bytes(8, "big") + end


def create_bytes(relay_key, nonce, access_key, max_ttl, quota):
    end = max_ttl.to_bytes(8, "big") + quota.to_bytes(8, "big")
    return b"estoile.v1 create\0" + relay_key + nonce + b"\0" + access_key + end


def attach_bytes(relay_key, nonce, log, epoch):
    return b"estoile.v1 attach\0" + relay_key + nonce + log + epoch.to_bytes(8, "big")


def _fits(value, kind):
    if isinstance(kind, int):
        return isinstance(value, bytes) and len(value) == kind
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 64
    return isinstance(value, kind)


def read_frame(data):
    """(type, fields), checked against the tables."""
    frame = cbor.decode(data)
    if not isinstance(frame, list) or len(frame) != 2 or not _fits(frame[0], int) or not isinstance(frame[1], dict):
        raise cbor.Malformed("not a type and a map")
    kind, fields = frame
    if not all(_fits(key, int) for key in fields):
        raise cbor.Malformed("a key that is no unsigned integer")
    if kind in RELAY_FRAMES:
        _, needed, optional = RELAY_FRAMES[kind]
        if any(key not in fields or not _fits(fields[key], of) for key, of in needed.items()):
            raise cbor.Malformed("a field is missing or of another type")
        if any(key in fields and not _fits(fields[key], of) for key, of in optional.items()):
            raise cbor.Malformed("a field of another type")
    return kind, fields


class Session:
    """Hello is said and the welcome checked when this exists; then requests and answers.

    `on_frame(name, fields)` gets what is not an answer: record, live, signalled, lagged, and refusals of nobody's request.
    """

    def __init__(self, host, port, pin, on_frame, receive_buffer=None):
        self.socket = WebSocket(host.strip("[]"), port, receive_buffer)
        self.on_frame, self.answers, self.next_request = on_frame, {}, 0
        challenge = os.urandom(32)
        asked = time.time()
        self._send(1, {0: [1], 1: challenge})
        kind, welcome = read_frame(self.socket.read())
        if kind == 11:
            raise Refusal({1: welcome[0]})
        if kind != 1 or welcome[0] != 1:
            raise cbor.Malformed("no welcome")
        if 5 in welcome:
            raise Distrust("a certificate where there is no TLS (R3.5)")
        self.relay_key, self.nonce, self.limits = welcome[1], welcome[2], welcome[6]
        self.skew_ms = welcome[3] - (asked + time.time()) * 500
        if not seals.verify(self.relay_key, welcome[4], welcome_bytes(challenge, self.nonce, welcome[3], None)):
            raise Distrust("the welcome's signature does not hold")
        if pin is not None and relay_hash(self.relay_key) != pin:
            raise Distrust("another relay answers there")

    def _send(self, kind, fields):
        self.socket.send(cbor.encode([kind, fields]))

    def pump(self):
        """Reads one frame."""
        kind, fields = read_frame(self.socket.read())
        if kind not in RELAY_FRAMES:
            return
        name = RELAY_FRAMES[kind][0]
        if name in ("created", "attached", "kept", "pong") or name == "refused" and 0 in fields:
            self.answers[fields[0]] = (name, fields)
            if name == "attached":
                self.on_frame(name, fields)
        else:
            self.on_frame(name, fields)

    def request(self, kind, fields):
        self.next_request += 1
        self._send(kind, {0: self.next_request, **fields})
        return self.next_request

    def answer(self, request):
        while request not in self.answers:
            self.pump()
        name, fields = self.answers.pop(request)
        if name == "refused":
            raise Refusal(fields)
        return fields

    def create(self, access, max_ttl=0, quota=0):
        signature = access.sign(create_bytes(self.relay_key, self.nonce, access.public, max_ttl, quota))
        fields = {1: 0, 2: access.public, 3: max_ttl, 4: quota, 5: signature}
        return self.answer(self.request(2, fields))

    def attach(self, access, log, after=0, epoch=0, newest=None):
        signature = access.sign(attach_bytes(self.relay_key, self.nonce, log, epoch))
        fields = {1: log, 2: epoch, 3: after, 4: signature, **({} if newest is None else {5: newest})}
        return self.answer(self.request(3, fields))

    def append(self, log, id16, body, ttl=None, epoch=0):
        fields = {1: log, 2: id16, 3: epoch, 5: body, **({} if ttl is None else {4: ttl})}
        return self.answer(self.request(5, fields))

    def signal(self, log, body):
        self._send(6, {0: log, 1: body})

    def detach(self, log):
        self._send(4, {0: log})

    def ping(self):
        return self.answer(self.request(7, {}))

    def close(self):
        self.socket.close()
