"""The seals of a quick room: docs/seal.md sections 1, 4, 5, 6, 7 and 9."""

import base64
import hashlib
import os
import re
import struct

import cbor
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from links import BadLink, check_name

MAX_TTL = 315_360_000
MAX_PACKET = 36_799
MAX_COUNTER = 2**63 - 1
TEXT_TYPE = "text/markdown;variant=GFM-MIMI"
HERE, GONE, TYPING, WHO_IS_HERE, MISSING, UNKNOWN = range(6)


class Refused(Exception):
    """What a reader does not take, and why."""


def sha256(data):
    return hashlib.sha256(data).digest()


# ---- Ed25519, strictly (S1.5) ----

_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P


def _is_sound(point):
    """Whether these 32 bytes are the canonical encoding of a point that is not of small order."""
    y, sign = int.from_bytes(point, "little") & (1 << 255) - 1, point[31] >> 7
    if y >= _P:
        return False
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * pow(2, (_P - 1) // 4, _P) % _P
    if (x * x - square) % _P or (x == 0 and sign):
        return False
    for _ in range(3):
        product = _D * x * x * y * y % _P
        x, y = 2 * x * y * pow(1 + product, -1, _P) % _P, (y * y + x * x) * pow(1 - product, -1, _P) % _P
    return (x, y) != (0, 1)


def verify(key, signature, message):
    if not (_is_sound(key) and _is_sound(signature[:32])):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
        return True
    except (InvalidSignature, ValueError):
        return False


class Signer:
    """An Ed25519 key with its public half."""

    def __init__(self, seed):
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key().public_bytes_raw()

    def sign(self, message):
        return self._key.sign(message)


# ---- XChaCha20-Poly1305 ----


def hchacha20(key, nonce):
    def left(value, by):
        return (value << by | value >> (32 - by)) & 0xFFFFFFFF

    s = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce))

    def quarter(a, b, c, d):
        for one, two, three, by in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[one] = (s[one] + s[two]) & 0xFFFFFFFF
            s[three] = left(s[three] ^ s[one], by)

    for _ in range(10):
        for column in range(4):
            quarter(column, 4 + column, 8 + column, 12 + column)
        for column in range(4):
            quarter(column, 4 + (column + 1) % 4, 8 + (column + 2) % 4, 12 + (column + 3) % 4)
    return struct.pack("<8I", *s[:4], *s[12:])


def _xchacha(key, nonce):
    return ChaCha20Poly1305(hchacha20(key, nonce[:16])), bytes(4) + nonce[16:]


def xchacha_seal(key, plain, data):
    nonce = os.urandom(24)
    cipher, short = _xchacha(key, nonce)
    return nonce + cipher.encrypt(short, plain, data)


def xchacha_open(key, sealed, data):
    if len(sealed) < 40:
        raise Refused("too short")
    cipher, short = _xchacha(key, sealed[:24])
    try:
        return cipher.decrypt(short, sealed[24:], data)
    except InvalidTag as error:
        raise Refused("not sealed with this room's signal key") from error


# ---- keys ----


class RoomKeys:
    """S1.2 and S1.3."""

    def __init__(self, secret):
        def derive(info):
            return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=info).derive(secret)

        self.fernet = derive(b"estoile.v1 quick fernet")
        self.access_seed = derive(b"estoile.v1 quick access")
        self.signal = derive(b"estoile.v1 quick signal")
        self.access = Signer(self.access_seed)
        self.log = sha256(b"estoile.v1 log id\0" + b"\0" + self.access.public)


# ---- content ----


def text_content(text, salt=None):
    """S6.2."""
    part = [1, "", 1, TEXT_TYPE, text.encode()]
    return cbor.encode([salt or os.urandom(16), None, b"", None, None, {}, part])


def read_text(content):
    """The text of a letter that is one part of text; Refused for what is no content at all, None for other content."""
    try:
        message = cbor.decode(content, 32)
        salt, replaces, topic, _expires, answers, extensions, part = message
        kinds = isinstance(topic, bytes) and isinstance(extensions, dict) and len(extensions) <= 32
        ids = all(i is None or (isinstance(i, bytes) and len(i) == 32) for i in (replaces, answers))
        if len(salt) != 16 or not isinstance(salt, bytes) or not kinds or not ids or len(part) < 3:
            raise Refused("no content")
    except (cbor.Malformed, TypeError, ValueError) as error:
        raise Refused("no content") from error
    if part[2] == 1 and len(part) == 5 and str(part[3]).startswith("text/") and isinstance(part[4], bytes):
        try:
            return part[4].decode()
        except UnicodeDecodeError as error:
            raise Refused("text that is not UTF-8") from error
    return None


def content_end(content):
    """When the content ends by its own word, in ms (S6.3)."""
    expires = cbor.decode(content, 32)[3]
    if expires is None:
        return None
    if not isinstance(expires, list) or len(expires) != 2 or not isinstance(expires[0], bool):
        raise Refused("no content")
    return None if expires[0] else 1000 * expires[1]


def message_id(log, sender, content):
    """draft-ietf-mimi-content-08's, with S6.4's URIs."""
    room = f"estoile:q/{log.hex()}"
    salt = cbor.decode(content, 32)[0]
    uris = b"".join(len(uri).to_bytes(2, "big") + uri.encode() for uri in (f"{room}/{sender.hex()}", room))
    return b"\x01" + sha256(uris + content + salt)[:31]


# ---- letters ----


class Reference:
    """What a letter says of a parent (S5.3)."""

    def __init__(self, digest, sender, counter, sent_at, ends_at):
        self.hash, self.sender, self.counter = digest, sender, counter
        self.sent_at, self.ends_at = sent_at, ends_at

    def fields(self):
        return [self.hash, self.sender, self.counter, 0, self.sent_at, self.ends_at]


def _reference(value):
    def number(item):
        return isinstance(item, int) and not isinstance(item, bool) and item >= 0

    if not isinstance(value, list) or len(value) != 6:
        raise Refused("a parent is six values")
    digest, sender, counter, epoch, sent_at, ends_at = value
    for key in (digest, sender):
        if not isinstance(key, bytes) or len(key) != 32:
            raise Refused("a parent's hash or sender")
    if not (number(counter) and number(epoch) and number(sent_at) and (ends_at is None or number(ends_at))):
        raise Refused("a parent's numbers")
    return Reference(digest, sender, counter, sent_at, ends_at)


class Letter:
    """A letter: its bytes, fixed, and what they say."""

    def __init__(self, log, sender, data):
        self.sender, self.data = sender, data
        self.hash = sha256(b"estoile.v1 letter hash\0" + log + sender + data)
        self.id16 = sha256(b"estoile.v1 letter id16\0" + self.hash)[:16]
        self._read(data)

    def _read(self, data):
        try:
            fields = cbor.decode(data)
        except cbor.Malformed as error:
            raise Refused("a letter's spelling") from error
        if not isinstance(fields, dict) or not {1, 2, 3, 5} <= fields.keys() <= {0, 1, 2, 3, 4, 5}:
            raise Refused("a letter's keys")
        self.content, self.counter, parents = fields.get(0), fields[1], fields[2]
        self.sent_at, self.ttl, self.name = fields[3], fields.get(4), fields[5]
        numbers = (self.counter, self.sent_at, *((self.ttl,) if 4 in fields else ()))
        if any(not isinstance(n, int) or isinstance(n, bool) or n < 0 for n in numbers):
            raise Refused("a letter's numbers")
        if 4 in fields and not 1 <= self.ttl <= MAX_TTL or self.counter > MAX_COUNTER:
            raise Refused("a letter's ttl or counter")
        if 0 in fields and not isinstance(self.content, bytes) or not isinstance(self.name, str):
            raise Refused("a letter's content or name")
        try:
            check_name(self.name)
        except BadLink as error:
            raise Refused("a letter's name") from error
        if not isinstance(parents, list) or len(parents) > 16:
            raise Refused("a letter's parents")
        self.parents = [_reference(p) for p in parents]
        if len({p.hash for p in self.parents}) != len(self.parents):
            raise Refused("one parent twice")
        self.text = None if self.content is None else read_text(self.content)
        ends = [] if self.content is None else [content_end(self.content)]
        # Our own affair (S6.3); relative ends count from now on, so they are not over yet.
        self.shown_until = min([end for end in [self.ends_at, *ends] if end is not None], default=None)

    @property
    def ends_at(self):
        return None if self.ttl is None else self.sent_at + 1000 * self.ttl

    def reference(self):
        return Reference(self.hash, self.sender, self.counter, self.sent_at, self.ends_at)


def write_letter(log, signer, *, text, counter, parents, sent_at, ttl, name):
    """(letter, signature)"""
    fields = {1: counter, 2: [p.fields() for p in parents], 3: sent_at, 5: name}
    if text is not None:
        fields[0] = text_content(text)
    if ttl is not None:
        fields[4] = ttl
    data = cbor.encode(fields)
    return Letter(log, signer.public, data), signer.sign(b"estoile.v1 letter\0" + log + signer.public + data)


def seal_letter(keys, letter, signature):
    """A record's body."""
    packet = b"\x01" + letter.sender + signature + letter.data
    token = Fernet(base64.urlsafe_b64encode(keys.fernet)).encrypt_at_time(packet, letter.sent_at // 1000)
    if len(packet) > MAX_PACKET or len(token) > 49_152:
        raise Refused("too long a letter")
    return token


def open_letter(keys, body):
    """The letter in a record's body, its seal and signature checked; its time is judged elsewhere."""
    if not re.fullmatch(rb"[A-Za-z0-9_-]+={0,2}", body):
        raise Refused("not base64url")
    try:
        raw = base64.urlsafe_b64decode(body)
    except ValueError as error:
        raise Refused("not base64url") from error
    if base64.urlsafe_b64encode(raw) != body:
        raise Refused("another spelling of a token")
    fernet = Fernet(base64.urlsafe_b64encode(keys.fernet))
    try:
        packet, stamp = fernet.decrypt(body), fernet.extract_timestamp(body)
    except InvalidToken as error:
        raise Refused("not sealed with this room's key") from error
    if not 97 < len(packet) <= MAX_PACKET or packet[0] != 1:
        raise Refused("a packet's layout")
    sender, signature, data = packet[1:33], packet[33:97], packet[97:]
    if not verify(sender, signature, b"estoile.v1 letter\0" + keys.log + sender + data):
        raise Refused("forged")
    letter = Letter(keys.log, sender, data)
    if stamp != letter.sent_at // 1000:
        raise Refused("the token's time is not the letter's")
    return letter


def judge(letter, now):
    """Section 7: "now", "expired", "held" or "future"."""
    if letter.shown_until is not None and now > letter.shown_until:
        return "expired"
    ahead = letter.sent_at - now
    return "now" if ahead <= 60_000 else "held" if ahead <= 86_400_000 else "future"


# ---- signals ----


def seal_signal(keys, signer, kind, name, sent_at, author=None, letters=None):
    fields = {0: kind, 1: name, 2: sent_at}
    if author is not None:
        fields[3] = author
    if letters is not None:
        fields[4] = letters
    data = cbor.encode(fields)
    signature = signer.sign(b"estoile.v1 signal\0" + keys.log + signer.public + data)
    return xchacha_seal(keys.signal, b"\x01" + signer.public + signature + data, keys.log)


def open_signal(keys, body):
    """(sender, fields)"""
    packet = xchacha_open(keys.signal, body, keys.log)
    if len(packet) <= 97 or packet[0] != 1:
        raise Refused("a packet's layout")
    sender, signature, data = packet[1:33], packet[33:97], packet[97:]
    if not verify(sender, signature, b"estoile.v1 signal\0" + keys.log + sender + data):
        raise Refused("forged")
    try:
        fields = cbor.decode(data)
        wanted = {MISSING: {0, 1, 2, 3, 4}, UNKNOWN: {0, 1, 2, 4}}.get(fields[0], {0, 1, 2})
        hashes_ok = all(isinstance(h, bytes) and len(h) == 32 for h in fields.get(4, []))
        if fields.keys() != wanted or fields[0] > 5 or not hashes_ok or len(fields.get(4, [0])) not in range(1, 17):
            raise Refused("a signal's layout")
        check_name(fields[1])
    except (cbor.Malformed, BadLink, KeyError, TypeError, AttributeError) as error:
        raise Refused("a signal's layout") from error
    return sender, fields
