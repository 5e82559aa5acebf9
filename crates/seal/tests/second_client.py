"""The quick room's formats once more, from docs/seal.md alone: prints each answer that the document names, computed anew.

Sealed examples carry random bytes: they are opened instead, and printed again when they open to what they must.
"""

import base64
import hashlib
import struct
import sys
import urllib.parse

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def head(major, n):
    if n < 24:
        return bytes([major << 5 | n])
    for info, size in enumerate((1, 2, 4, 8)):
        if n < 1 << 8 * size:
            return bytes([major << 5 | 24 + info]) + n.to_bytes(size, "big")


def cbor(value):
    if value is None:
        return b"\xf6"
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    return head(5, len(value)) + b"".join(cbor(k) + cbor(v) for k, v in sorted(value.items()))


def hchacha20(key, nonce):
    s = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce))

    def quarter(a, b, c, d):
        for x, y, z, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[x] = (s[x] + s[y]) & 0xFFFFFFFF
            mixed = s[z] ^ s[x]
            s[z] = (mixed << bits | mixed >> 32 - bits) & 0xFFFFFFFF

    for _ in range(10):
        for column in range(4):
            quarter(column, column + 4, column + 8, column + 12)
        for row in range(4):
            quarter(row, 4 + (row + 1) % 4, 8 + (row + 2) % 4, 12 + (row + 3) % 4)
    return struct.pack("<8I", *s[:4], *s[12:])


def xchacha_open(key, sealed, associated):
    nonce, sealed = sealed[:24], sealed[24:]
    cipher = ChaCha20Poly1305(hchacha20(key, nonce[:16]))
    return cipher.decrypt(bytes(4) + nonce[16:], sealed, associated)


def stretch(passphrase, salt):
    return Argon2id(salt=salt, length=32, iterations=3, lanes=1, memory_cost=65536).derive(passphrase)


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def main(documented):
    secret = bytes(range(32))
    fernet, access, signal = (
        HKDF(hashes.SHA256(), 32, None, b"estoile.v1 quick " + use).derive(secret) for use in (b"fernet", b"access", b"signal")
    )
    yield "fernet key", fernet.hex()
    yield "access seed", access.hex()
    yield "signal key", signal.hex()
    access = Ed25519PrivateKey.from_private_bytes(access)
    public = access.public_key().public_bytes_raw()
    yield "access public key", public.hex()
    log = sha256(b"estoile.v1 log id\0", b"\0", public)
    yield "log id", log.hex()

    session = b"\x33" * 32 + b"\x44" * 32
    limits = struct.pack(">QQ", 86400, 1 << 20)
    yield "create signature", access.sign(b"estoile.v1 create\0" + session + b"\0" + public + limits).hex()
    yield "attach signature", access.sign(b"estoile.v1 attach\0" + session + log + bytes(8)).hex()

    host = b"relay.example.org:7070"
    salt = sha256(b"estoile.v1 quick argon2id m=65536 t=3 p=1\0", struct.pack(">Q", len(host)), host, b"lobby")
    yield "stretched passphrase", stretch(b"abacus abdomen zoology zoom clarinet", salt).hex()
    name = urllib.parse.quote("Grüße 1/2", safe="")
    yield "link", f"https://relay.example.org:7070/#q/{name}/{b64(b'w' * 32)}/{b64(secret)}"

    alice = Ed25519PrivateKey.from_private_bytes(b"\xa1" * 32)
    sender = alice.public_key().public_bytes_raw()
    text = [1, "", 1, "text/markdown;variant=GFM-MIMI", "Grüße, *Bob*".encode()]
    salt = b"\x5a" * 16
    content = cbor([salt, None, b"", None, None, {}, text])
    parent = [b"\x11" * 32, b"\x22" * 32, 2, 0, 1759999999000, None]
    letter = cbor({0: content, 1: 3, 2: [parent], 3: 1760000000123, 4: 86400, 5: "Alice"})
    yield "letter", letter.hex()
    signature = alice.sign(b"estoile.v1 letter\0" + log + sender + letter)
    yield "letter signature", signature.hex()
    letter_hash = sha256(b"estoile.v1 letter hash\0", log, sender, letter)
    yield "letter hash", letter_hash.hex()
    yield "letter id16", sha256(b"estoile.v1 letter id16\0", letter_hash)[:16].hex()
    room_uri = b"estoile:q/" + log.hex().encode()
    uris = (room_uri + b"/" + sender.hex().encode(), room_uri)
    uris = b"".join(struct.pack(">H", len(uri)) + uri for uri in uris)
    yield "message id", "01" + sha256(uris, content, salt)[:31].hex()

    token = documented["sealed letter"]
    seal = Fernet(base64.urlsafe_b64encode(fernet))
    opened = seal.decrypt(token), seal.extract_timestamp(token)
    yield "sealed letter", token if opened == (b"\1" + sender + signature + letter, 1760000000) else "?"

    body = cbor({0: 4, 1: "Alice", 2: 1760000000123, 3: b"\x22" * 32, 4: [b"\x11" * 32]})
    signature = alice.sign(b"estoile.v1 signal\0" + log + sender + body)
    sealed = documented["sealed signal"]
    opened = xchacha_open(signal, bytes.fromhex(sealed), log)
    yield "sealed signal", sealed if opened == b"\1" + sender + signature + body else "?"

    vault = stretch(b"correct horse", sha256(b"estoile.v1 vault argon2id m=65536 t=3 p=1\0", b"\x66" * 32))
    yield "vault key", vault.hex()
    sealed = documented["sealed value"]
    opened = xchacha_open(vault, bytes.fromhex(sealed)[1:], b"estoile.v1 vault value\0room/1")
    yield "sealed value", sealed if sealed[:2] == "01" and opened == b"a value" else "?"


answers = sys.stdin.read()
for name, answer in main(dict(line.split(": ", 1) for line in answers.splitlines())):
    print(f"{name}: {answer}")
