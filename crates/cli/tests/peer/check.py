"""The examples in docs/protocol.md and docs/seal.md, made anew from what the pages say and compared.

Usage: check.py docs/protocol.md docs/seal.md
"""

import re
import sys

import cbor
import links
import seals
import session


def block(page, name):
    text = re.search(f"```{name}\n(.*?)```", page, re.S).group(1)
    return dict(line.split(": ", 1) for line in text.strip().splitlines())


def same(wanted, found):
    wrong = {name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)}
    if wrong:
        sys.exit(f"differs: { {name: (wanted.get(name), found.get(name)) for name in sorted(wrong)} }")
    print(f"{len(wanted)} agree")


def worked_example():
    relay, access = seals.Signer(b"\x01" * 32), seals.Signer(b"\x02" * 32)
    nonce, log = b"\x04" * 32, session.log_id(access.public)
    welcome = session.welcome_bytes(b"\x03" * 32, nonce, 1_700_000_000_000, b"\x05" * 32)
    create = session.create_bytes(relay.public, nonce, access.public, 86_400, 0)
    attach = session.attach_bytes(relay.public, nonce, log, 0)
    found = {
        "access key": access.public,
        "attach bytes": attach,
        "attach signature": access.sign(attach),
        "create bytes": create,
        "create signature": access.sign(create),
        "log id": log,
        "relay key": relay.public,
        "relay key hash": session.relay_hash(relay.public),
        "welcome bytes": welcome,
        "welcome signature": relay.sign(welcome),
    }
    return {name: value.hex() for name, value in found.items()}


def u64(number):
    return number.to_bytes(8, "big")


def signed_bytes():
    """What owners of advancing logs and shelves hash and sign (R4.8 to R4.11), with the keys of the worked example."""
    relay, access = seals.Signer(b"\x01" * 32).public, seals.Signer(b"\x02" * 32).public
    session_part = relay + b"\x04" * 32
    advancing, shelf = (seals.sha256(b"estoile.v1 log id\0" + kind + access) for kind in (b"\1", b"\2"))
    ticket = seals.sha256(b"estoile.v1 ticket\0" + b"\x06" * 32)

    def tickets(log, epoch, listed):
        return b"estoile.v1 tickets\0" + session_part + log + u64(epoch) + seals.sha256(listed)

    def put(content):
        return b"estoile.v1 put\0" + session_part + shelf + b"\x07" * 16 + seals.sha256(content)

    said = [u64(2), b"\0", u64(3), b"one", u64(3), b"two", b"\1", u64(4), b"last"]
    found = {
        "advancing log id": advancing,
        "attach bytes of epoch 3": session.attach_bytes(relay, b"\x04" * 32, advancing, 3),
        "count bytes": b"estoile.v1 count\0" + session_part + shelf,
        "create bytes of the shelf": b"estoile.v1 create\0" + session_part + b"\2" + access + u64(86_400) + u64(0),
        "put bytes": put(b"".join(said)),
        "put bytes of an emptied slot": put(u64(0) + b"\1" + b"\0"),
        "shelf id": shelf,
        "ticket hash": ticket,
        "tickets bytes": tickets(advancing, 3, ticket + u64(20) + u64(1 << 20)),
        "tickets bytes of no tickets": tickets(shelf, 0, b""),
    }
    return {name: value.hex() for name, value in found.items()}


def client_frames():
    log, id16, signature = b"\xaa" * 32, b"\x1d" * 16, lambda byte: bytes([byte]) * 64
    create = {0: 1, 1: 0, 2: b"\xac" * 32, 3: 86_400, 4: 0, 5: signature(0x51)}
    append = {0: 3, 1: log, 2: id16, 3: 0, 5: b"sealed"}
    attach = {0: 2, 1: log, 2: 0, 4: signature(0x52)}
    frames = {
        "append": [5, append | {4: 3600}],
        "append without ttl": [5, append],
        "attach": [3, attach | {3: 5}],
        "attach to the newest": [3, attach | {3: 0, 5: 100}],
        "create": [2, create],
        "create with entry code": [2, create | {6: b"sesame"}],
        "detach": [4, {0: log}],
        "hello": [1, {0: [1], 1: b"\xc1" * 32}],
        "ping": [7, {0: 4}],
        "signal": [6, {0: log, 1: b"sealed"}],
    }
    return {name: cbor.encode(frame).hex() for name, frame in frames.items()}


def later_client_frames():
    log, id16, signature = b"\xaa" * 32, b"\x1d" * 16, lambda byte: bytes([byte]) * 64
    ticket, slot, text = b"\x7c" * 32, b"\x5d" * 16, b"sealed"
    create = {0: 1, 2: b"\xac" * 32, 3: 86_400, 4: 0, 5: signature(0x51)}
    listed = [{0: b"\x7d" * 32, 1: 20, 2: 1 << 20}, {0: b"\x7e" * 32, 1: 3, 2: 0}]
    tickets = {0: 5, 1: log, 3: signature(0x54)}
    post = {0: 6, 1: log, 2: ticket, 3: id16, 5: text}
    put = {0: 7, 1: log, 2: slot, 6: signature(0x54)}
    ask = {0: 10, 1: log, 2: b"\xb1" * 32, 3: 100_000}
    frames = {
        "append with advance": [5, {0: 3, 1: log, 2: id16, 3: 3, 5: text, 6: b"\xae" * 32}],
        "attach with a later epoch": [3, {0: 2, 1: log, 2: 3, 3: 5, 4: signature(0x52)}],
        "blob ask": [25, ask | {4: 3600}],
        "blob ask by ticket": [25, ask | {5: ticket}],
        "count": [24, {0: 9, 1: log, 2: signature(0x54)}],
        "create a shelf": [2, create | {1: 2}],
        "create an advancing log": [2, create | {1: 1}],
        "no tickets": [20, tickets | {2: []}],
        "post": [21, post | {4: 3600}],
        "post without ttl": [21, post],
        "put": [22, put | {3: False, 4: [b"one", b"two"], 5: b"last"}],
        "put that empties a slot": [22, put | {3: True, 4: []}],
        "take": [23, {0: 8, 1: log, 2: ticket}],
        "tickets": [20, tickets | {2: listed}],
    }
    return {name: cbor.encode(frame).hex() for name, frame in frames.items()}


def relay_frames(wanted):
    """Read as a client reads them, and spelled again."""
    found = {}
    for name, spelled in wanted.items():
        kind, fields = session.read_frame(bytes.fromhex(spelled))
        found[name] = cbor.encode([kind, fields]).hex()
    return found


def answers(wanted):
    keys, alice = seals.RoomKeys(bytes(range(32))), seals.Signer(b"\xa1" * 32)
    relay, nonce, at = b"\x33" * 32, b"\x44" * 32, 1_760_000_000_123
    parent = seals.Reference(b"\x11" * 32, b"\x22" * 32, 2, 1_759_999_999_000, None)
    content = seals.text_content("Grüße, *Bob*", b"\x5a" * 16)
    fields = {0: content, 1: 3, 2: [parent.fields()], 3: at, 4: 86_400, 5: "Alice"}
    data = cbor.encode(fields)
    letter = seals.Letter(keys.log, alice.public, data)
    signature = alice.sign(b"estoile.v1 letter\0" + keys.log + alice.public + data)
    opened = seals.open_letter(keys, wanted["sealed letter"].encode())
    assert (opened.hash, opened.text, opened.parents[0].counter) == (letter.hash, "Grüße, *Bob*", 2)
    sender, signal = seals.open_signal(keys, bytes.fromhex(wanted["sealed signal"]))
    said = {0: seals.MISSING, 1: "Alice", 2: at, 3: b"\x22" * 32, 4: [b"\x11" * 32]}
    assert (sender, signal) == (alice.public, said)
    vault, sealed = links.vault_key("correct horse", b"\x66" * 32), bytes.fromhex(wanted["sealed value"])
    assert sealed[0] == 1
    assert seals.xchacha_open(vault, sealed[1:], b"estoile.v1 vault value\0room/1") == b"a value"
    link = links.Link("https", "relay.example.org", 7070, "Grüße 1/2", b"\x77" * 32, bytes(range(32)))
    again = links.Link.parse(wanted["link"])
    assert (again.name, again.relay, again.secret, str(again)) == (link.name, link.relay, link.secret, str(link))
    found = {
        "fernet key": keys.fernet,
        "access seed": keys.access_seed,
        "signal key": keys.signal,
        "access public key": keys.access.public,
        "log id": keys.log,
        "create signature": keys.access.sign(
            session.create_bytes(relay, nonce, keys.access.public, 86_400, 1_048_576)
        ),
        "attach signature": keys.access.sign(session.attach_bytes(relay, nonce, keys.log, 0)),
        "stretched passphrase": links.stretch("abacus abdomen zoology zoom clarinet", "relay.example.org:7070", "lobby"),
        "letter": data,
        "letter signature": signature,
        "letter hash": letter.hash,
        "letter id16": letter.id16,
        "message id": seals.message_id(keys.log, alice.public, content),
        "vault key": vault,
    }
    texts = {"link": str(link), **{name: wanted[name] for name in ("sealed letter", "sealed signal", "sealed value")}}
    return {**{name: value.hex() for name, value in found.items()}, **texts}


def strict_signatures():
    """Keys and points that a lax check takes (S1.5)."""
    zero_point = bytes([1]) + bytes(31)
    assert not seals.verify(zero_point, zero_point + bytes(32), b"anything")
    signer = seals.Signer(b"\x07" * 32)
    good = signer.sign(b"text")
    assert seals.verify(signer.public, good, b"text") and not seals.verify(signer.public, good, b"texts")
    order = 2**252 + 27742317777372353535851937790883648493
    high = (int.from_bytes(good[32:], "little") + order).to_bytes(32, "little")
    assert not seals.verify(signer.public, good[:32] + high, b"text")
    # HChaCha20 as draft-irtf-cfrg-xchacha-03 section 2.2.1 has it.
    nonce = bytes.fromhex("000000090000004a0000000031415927")
    wanted = "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc"
    assert seals.hchacha20(bytes(range(32)), nonce).hex() == wanted


def main(protocol_path, seal_path):
    with open(protocol_path, encoding="utf-8") as file:
        protocol = file.read()
    with open(seal_path, encoding="utf-8") as file:
        seal = block(file.read(), "answers")
    strict_signatures()
    same(block(protocol, "worked-example") | block(protocol, "signed-bytes"), worked_example() | signed_bytes())
    frames = block(protocol, "client-frames") | block(protocol, "client-frames-2")
    same(frames, client_frames() | later_client_frames())
    frames = block(protocol, "relay-frames") | block(protocol, "relay-frames-2")
    same(frames, relay_frames(frames))
    same(seal, answers(seal))


if __name__ == "__main__":
    main(*sys.argv[1:])
