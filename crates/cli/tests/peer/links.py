"""Links, names and passphrases: docs/seal.md sections 2 and 3."""

import base64
import hashlib
import re
import unicodedata
from urllib.parse import quote, unquote_to_bytes

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

# Unicode's property White_Space (Python's own idea of white space has four controls more).
WHITE = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)


class BadLink(Exception):
    """This is not a link."""


def normalise(text):
    """S2.6."""
    return re.sub(f"[{WHITE}]+", " ", unicodedata.normalize("NFKC", text)).strip(" ")


def check_name(name):
    """S2.6's second half."""
    if not 1 <= len(name) <= 64 or name.strip(WHITE) != name:
        raise BadLink("a name of 1 to 64 characters without white space at an end")
    if any(unicodedata.category(c) == "Cc" for c in name):
        raise BadLink("a control character in a name")
    return name


def to_base64(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def from_base64(text):
    if not re.fullmatch(r"[A-Za-z0-9_-]{43}", text):
        raise BadLink("not 43 characters of base64url")
    data = base64.urlsafe_b64decode(text + "=")
    if to_base64(data) != text:
        raise BadLink("stray bits in base64url")
    return data


def split_address(address):
    """(scheme, host, port) of SCHEME://HOST[:PORT]."""
    parts = re.fullmatch(r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?/?", address)
    if not parts:
        raise BadLink("not http(s)://HOST:PORT")
    scheme, host, port = parts.groups()
    loopback = host in ("localhost", "[::1]") or re.fullmatch(r"127\.\d+\.\d+\.\d+", host)
    if scheme == "http" and not loopback:
        raise BadLink("http is for loopback only")
    return scheme, host, int(port or (443 if scheme == "https" else 80))


class Link:
    """A room's link; `secret` is None in one for a passphrase."""

    def __init__(self, scheme, host, port, name, relay, secret=None):
        self.scheme, self.host, self.port = scheme, host, port
        self.name, self.relay, self.secret = name, relay, secret

    @classmethod
    def parse(cls, text):
        text = text.strip(WHITE)
        if len(text.encode()) > 4096:
            raise BadLink("too long")
        address, found, rest = text.partition("#")
        kind, *parts = rest.split("/")
        if not found or (kind, len(parts)) not in (("q", 3), ("p", 2)):
            raise BadLink("neither #q/NAME/RELAY/SECRET nor #p/NAME/RELAY")
        try:
            name = check_name(normalise(unquote_to_bytes(parts[0]).decode()))
        except UnicodeDecodeError as error:
            raise BadLink("a name that is not UTF-8") from error
        secret = from_base64(parts[2]) if kind == "q" else None
        return cls(*split_address(address), name, from_base64(parts[1]), secret)

    @property
    def authority(self):
        return f"{self.host}:{self.port}"

    def __str__(self):
        name, relay = quote(self.name, safe="-._~"), to_base64(self.relay)
        end = f"#p/{name}/{relay}" if self.secret is None else f"#q/{name}/{relay}/{to_base64(self.secret)}"
        return f"{self.scheme}://{self.authority}/{end}"


def _argon2(passphrase, salt):
    text = normalise(passphrase).encode()
    if not 1 <= len(text) <= 1024:
        raise BadLink("a passphrase of 1 to 1,024 bytes")
    return Argon2id(salt=salt, length=32, iterations=3, lanes=1, memory_cost=65_536).derive(text)


def stretch(passphrase, authority, name):
    """S3.1."""
    host = authority.encode()
    label = b"estoile.v1 quick argon2id m=65536 t=3 p=1\0"
    salt = hashlib.sha256(label + len(host).to_bytes(8, "big") + host + normalise(name).encode()).digest()
    return _argon2(passphrase, salt)


def vault_key(passphrase, salt):
    """S10.2."""
    return _argon2(passphrase, hashlib.sha256(b"estoile.v1 vault argon2id m=65536 t=3 p=1\0" + salt).digest())
