"""Letters that hold the room's key and break one rule of docs/seal.md each: what every reader refuses."""

import base64

import cbor
import seals

SMALL_ORDER = bytes([1]) + bytes(31)


def _token(keys, packet, stamp):
    return seals.Fernet(base64.urlsafe_b64encode(keys.fernet)).encrypt_at_time(packet, stamp)


def _stray(token):
    """The same bytes in another spelling: a stray bit before the padding."""
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    body = token.rstrip(b"=")
    last = alphabet[alphabet.index(body[-1]) | 1]
    return body[:-1] + bytes([last]) + token[len(body) :]


def bodies(keys, signer, sent_at):
    """name -> body"""

    def sign(data):
        return signer.sign(b"estoile.v1 letter\0" + keys.log + signer.public + data)

    def sealed(data, stamp=None, version=b"\x01"):
        packet = version + signer.public + sign(data) + data
        return _token(keys, packet, sent_at // 1000 if stamp is None else stamp)

    good = {0: seals.text_content("shown by mistake"), 1: 0, 2: [], 3: sent_at, 5: "Mallory"}
    parent = seals.Reference(b"\x11" * 32, b"\x22" * 32, 0, sent_at, None).fields()
    own = seals.Reference(b"\x11" * 32, signer.public, 0, sent_at, None).fields()
    others = [[bytes([n]) * 32, *parent[1:]] for n in range(17)]
    data = cbor.encode(good)
    token = sealed(data)
    return {
        "a second more outside": sealed(data, sent_at // 1000 + 1),
        "more after the letter": sealed(data + b"\0"),
        "another key": sealed(cbor.encode(good | {6: 1})),
        "no name": sealed(cbor.encode({k: v for k, v in good.items() if k != 5})),
        "a long counter": sealed(data.replace(b"\x01\x00\x02\x80", b"\x01\x18\x00\x02\x80", 1)),
        "a ttl of 0": sealed(cbor.encode(good | {4: 0})),
        "a ttl over ten years": sealed(cbor.encode(good | {4: seals.MAX_TTL + 1})),
        "17 parents": sealed(cbor.encode(good | {2: others})),
        "one parent twice": sealed(cbor.encode(good | {2: [parent, parent]})),
        "its own counter as parent": sealed(cbor.encode(good | {2: [own]})),
        "a name with an end": sealed(cbor.encode(good | {5: "Mallory "})),
        "a name that acts": sealed(cbor.encode(good | {5: "Mal\x1blory"})),
        "no content inside": sealed(cbor.encode(good | {0: b"text"})),
        "a content's head too long": sealed(cbor.encode(good | {0: b"\x98\x07" + good[0][1:]})),
        "another layout": sealed(data, version=b"\x02"),
        "a key of small order": _token(
            keys, b"\x01" + SMALL_ORDER + SMALL_ORDER + bytes(32) + data, sent_at // 1000
        ),
        "a stray bit": _stray(token) if token.endswith(b"=") else token + b"=",
        "something before": b"\n" + token,
        "no padding, or too much": token.rstrip(b"=") if token.endswith(b"=") else token + b"==",
        "another key's token": seals.Fernet(seals.Fernet.generate_key()).encrypt_at_time(data, sent_at // 1000),
        "no token": b"sealed",
    }
