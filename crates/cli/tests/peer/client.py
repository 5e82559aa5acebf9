"""A second client, written from docs/protocol.md and docs/seal.md alone.

It is driven by lines: each line of stdin is one JSON object with `do`, each is answered by one line
{"type": "answer", ...}; what happens in the room comes between as lines of other types.
"""

import json
import os
import select
import sys
import time

import hostile
import links
import seals
from cbor import Malformed
from session import Distrust, Refusal, Session, relay_hash
from transcript import Transcript
from websocket import Closed


def now_ms():
    return int(time.time() * 1000)


def say(kind, /, **fields):
    print(json.dumps({"type": kind, **fields}, ensure_ascii=False), flush=True)


class Peer:
    """One participant in one room."""

    def __init__(self):
        self.session = self.keys = self.link = None
        self.deaf = False
        self.loose = []

    # ---- what the relay says ----

    def on_frame(self, name, fields):
        if name == "record":
            self.on_record(fields)
        elif name == "live":
            self.live, self.cursor = True, max(self.cursor, fields[1])
        elif name == "attached":
            self.attached = fields
        elif name == "signalled":
            self.on_signal(fields[1])
        elif name == "lagged":
            say("lagged", cursor=fields[1])
            self.cursor, self.lagged = fields[1], True
        elif name == "refused":
            self.loose.append([fields[1], fields.get(2)])
        elif name == "closing":
            say("closing", code=fields[0])

    def on_record(self, record):
        cursor, body = record[1], record[6]
        if cursor <= self.cursor:
            say("trouble", why="cursors must rise")
        asked_again, self.cursor = cursor in self.cursors, cursor
        self.cursors.add(cursor)
        try:
            letter = seals.open_letter(self.keys, body)
            if letter.sender == self.signer.public:
                return
            verdict = seals.judge(letter, now_ms())
            if verdict == "held":
                self.held.append(letter)
            if verdict != "now":
                raise seals.Refused(verdict)
        except seals.Refused as reason:
            say("dropped", why=str(reason), cursor=cursor)
            return
        self.take(letter, cursor, asked_again)

    def take(self, letter, cursor, asked_again=False):
        verdict = self.transcript.observe(letter)
        if verdict == "repeat":
            if not asked_again:
                say("dropped", why="repeat", cursor=cursor)
            return
        if verdict == "broken":
            say("dropped", why="broken", cursor=cursor)
            return
        if verdict == "two-faced":
            say("two-faced", key=letter.sender.hex())
        shape = {"id": letter.hash.hex(), "from": letter.name, "key": letter.sender.hex(), "cursor": cursor}
        named = [parent.hash.hex() for parent in letter.parents]
        rest = {"counter": letter.counter, "parents": named, "sent_at": letter.sent_at, "ttl": letter.ttl}
        if letter.content is None:
            say("beat", **shape, **rest)
        else:
            say("message", text=letter.text, **shape, **rest)

    def on_signal(self, body):
        try:
            sender, fields = seals.open_signal(self.keys, body)
        except seals.Refused as reason:
            say("dropped", why=str(reason), cursor=None)
            return
        if abs(now_ms() - fields[2]) > 60_000 or fields[2] <= self.signalled.get(sender, 0):
            say("dropped", why="an old signal", cursor=None)
            return
        self.signalled[sender] = fields[2]
        say("signal", kind=fields[0], **{"from": fields[1]}, key=sender.hex())
        if fields[0] == seals.WHO_IS_HERE:
            self.signal(seals.HERE)
        if fields[0] == seals.MISSING and fields[3] == self.signer.public:
            for digest in fields[4]:
                self.send_again(digest)
            unknown = [digest for digest in fields[4] if digest not in self.written]
            if unknown:
                self.signal(seals.UNKNOWN, letters=unknown)

    def send_again(self, digest):
        """S9.4: the author appends the same letter again, if it has it."""
        if digest in self.written:
            letter, signature = self.written[digest]
            fields = {1: self.keys.log, 2: letter.id16, 3: 0, 5: seals.seal_letter(self.keys, letter, signature)}
            left = self.ttl_left(letter)
            if left is None or left > 0:
                self.session.request(5, {**fields, **({} if left is None else {4: left})})

    def ttl_left(self, letter):
        """R5.16, rounded up: the letter is good to its last millisecond."""
        return None if letter.ttl is None else -(-(letter.ends_at - now_ms()) // 1000)

    # ---- what it is told to do ----

    def connect(self, address, pin=None, buffer=None):
        scheme, host, port = links.split_address(address)
        if scheme != "http":
            raise links.BadLink("this client speaks plain http only")
        return Session(host, port, pin, self.on_frame, buffer), host, port

    def do_create(self, relay, name, passphrase=None, max_ttl=0):
        session, host, port = self.connect(relay)
        link = links.Link("http", host, port, links.check_name(links.normalise(name)), relay_hash(session.relay_key))
        secret = os.urandom(32)
        if passphrase is None:
            link.secret = secret
        else:
            secret = links.stretch(passphrase, link.authority, link.name)
        keys = seals.RoomKeys(secret)
        created = session.create(keys.access, max_ttl)
        if created[1] != keys.log:
            raise Malformed("another log's id")
        again = session.create(keys.access, max_ttl)
        session.close()
        same = [again[key] == created[key] for key in (1, 2, 3)]
        return {"link": str(link), "max_ttl": created[2], "quota": created[3], "again": all(same)}

    def do_open(self, link, name, passphrase=None, buffer=None):
        self.link = links.Link.parse(link)
        secret = self.link.secret
        if secret is None:
            secret = links.stretch(passphrase, self.link.authority, self.link.name)
        self.keys, self.signer = seals.RoomKeys(secret), seals.Signer(os.urandom(32))
        self.name = links.check_name(name)
        self.transcript, self.held, self.written, self.counter = Transcript(), [], {}, 0
        self.cursor, self.cursors, self.lagged, self.live = 0, set(), False, False
        self.last_signal, self.signalled = 0, {}
        self.session, *_ = self.connect(f"http://{self.link.authority}", self.link.relay, buffer)
        self.attach()
        skew = round(self.session.skew_ms)
        return {"room": self.link.name, "key": self.signer.public.hex(), "last": self.attached[3], "skew_ms": skew}

    def attach(self):
        self.live = self.lagged = False
        self.session.attach(self.keys.access, self.keys.log, self.cursor)
        while not self.live:
            self.session.pump()

    def write(self, text, ttl=None, shift_ms=0, at=None, parents=None, counter=None):
        sent_at = (at or now_ms()) + shift_ms
        if parents is None:
            references = self.transcript.parents(self.signer.public)
        else:
            known = {**self.transcript.letters, **{d: l for d, (l, _) in self.written.items()}}
            references = [known[bytes.fromhex(p)].reference() for p in parents]
        letter, signature = seals.write_letter(
            self.keys.log,
            self.signer,
            text=text,
            counter=self.counter if counter is None else counter,
            parents=references,
            sent_at=sent_at,
            ttl=ttl,
            name=self.name,
        )
        self.counter = max(self.counter, letter.counter + 1)
        self.written[letter.hash] = (letter, signature)
        return letter, signature

    def append(self, letter, body, id16=None, ttl=None):
        kept = self.session.append(self.keys.log, id16 or letter.id16, body, ttl)
        return {"id": letter.hash.hex(), "cursor": kept[1]}

    def do_send(self, text, ttl=None, **how):
        letter, signature = self.write(text, ttl, **how)
        kept = self.append(letter, seals.seal_letter(self.keys, letter, signature), ttl=ttl)
        self.transcript.observe(letter)
        return kept

    def do_beat(self):
        return self.do_send(None)

    def do_write(self, text):
        """Writes a letter, and keeps it back."""
        letter, _ = self.write(text)
        self.transcript.observe(letter)
        return {"id": letter.hash.hex()}

    def do_forge(self, text):
        letter, signature = self.write(text)
        broken = signature[:40] + bytes([signature[40] ^ 1]) + signature[41:]
        self.counter -= 1
        return self.append(letter, seals.seal_letter(self.keys, letter, broken))

    def do_repeat(self, id, elsewhere=False):
        """The same letter again, sealed anew; `elsewhere` under another id16, as no client should."""
        letter, signature = self.written[bytes.fromhex(id)]
        body = seals.seal_letter(self.keys, letter, signature)
        return self.append(letter, body, os.urandom(16) if elsewhere else None, letter.ttl)

    def do_break_rules(self):
        """Appends what every reader refuses; returns what that was, in order."""
        broken = hostile.bodies(self.keys, self.signer, now_ms())
        for body in broken.values():
            self.session.append(self.keys.log, os.urandom(16), body)
        self.counter = 1
        return {"names": list(broken)}

    def signal(self, kind, shift_ms=0, author=None, letters=None):
        # Each later than the one before: a reader drops what comes twice (S9.4).
        sent_at = max(now_ms(), self.last_signal + 1)
        self.last_signal = sent_at
        body = seals.seal_signal(self.keys, self.signer, kind, self.name, sent_at + shift_ms, author, letters)
        self.session.signal(self.keys.log, body)

    def do_signal(self, kind, author=None, letters=None, **how):
        lists = None if letters is None else [bytes.fromhex(h) for h in letters]
        self.signal(kind, author=None if author is None else bytes.fromhex(author), letters=lists, **how)
        # The pong comes after what the relay said to the signal (R1.6).
        self.session.ping()
        return {}

    def do_order(self):
        shown = [l for l in self.transcript.ordered() if l.content is not None]
        return {"texts": [l.text for l in shown], "ids": [l.hash.hex() for l in shown]}

    def do_state(self):
        seen = {d.hex(): [k.hex() for k in self.transcript.seen(d)] for d in self.transcript.letters}
        missing = [digest.hex() for digest in self.transcript.missing()]
        return {"seen": seen, "missing": missing, "cursor": self.cursor, "letters": len(seen)}

    def do_deaf(self, deaf):
        self.deaf = deaf
        return {}

    def do_refusals(self):
        """What the relay refuses, by what was asked."""
        log, keys = self.keys.log, self.keys
        ours, other = self.session, seals.RoomKeys(os.urandom(32))
        asks = {
            "another key": lambda: ours.attach(other.access, log),
            "no such log": lambda: ours.attach(other.access, other.log),
            "another epoch": lambda: ours.attach(keys.access, log, epoch=7),
            "not attached": lambda: ours.append(other.log, bytes(16), b"x"),
            "ttl of 0": lambda: ours.append(log, bytes(16), b"x", ttl=0),
            "ttl too long": lambda: ours.append(log, bytes(16), b"x", ttl=seals.MAX_TTL),
            "empty body": lambda: ours.append(log, bytes(16), b""),
            "body too long": lambda: ours.append(log, bytes(16), bytes(49_153)),
            "append in another epoch": lambda: ours.append(log, bytes(16), b"x", epoch=1),
            "another max_ttl": lambda: ours.create(keys.access, 77),
        }
        found = {}
        for name, ask in asks.items():
            try:
                ask()
                found[name] = None
            except Refusal as refusal:
                found[name] = [refusal.code, refusal.limit]
        # These are refused without a number; the pong comes after.
        says = {
            "unknown type": lambda: ours.request(39, {}),
            "long signal": lambda: ours.signal(log, bytes(2049)),
            "signal elsewhere": lambda: ours.signal(other.log, b"x"),
        }
        for name, tell in says.items():
            self.loose.clear()
            tell()
            ours.ping()
            found[name] = self.loose[0] if self.loose else None
        return {"refusals": found}

    def do_close(self):
        self.session.close()
        self.session = None
        return {}

    # ---- the loop ----

    def turn(self):
        """Waits for a line of stdin, a frame, or the time of a held letter. False at the end of stdin."""
        session = None if self.deaf else self.session
        if session and self.lagged:
            self.attach()
        if session and session.socket.ready():
            session.pump()
            return True
        wait = [sys.stdin.fileno()] + ([session.socket.socket] if session else [])
        until = [letter.sent_at for letter in self.held] if self.session else []
        timeout = max(0, min(until) - now_ms()) / 1000 if until else None
        readable, _, _ = select.select(wait, [], [], timeout)
        for letter in [l for l in (self.held if self.session else []) if l.sent_at <= now_ms()]:
            self.held.remove(letter)
            self.take(letter, None)
        if session and session.socket.socket in readable:
            session.pump()
        elif sys.stdin.fileno() in readable:
            return self.obey()
        return True

    def obey(self):
        line = sys.stdin.buffer.raw.readline()
        if not line:
            return False
        order = json.loads(line)
        try:
            answer = getattr(self, "do_" + order.pop("do"))(**order)
        except Refusal as refusal:
            answer = {"refused": refusal.code, "limit": refusal.limit}
        except (Distrust, links.BadLink, seals.Refused) as reason:
            answer = {"failed": f"{type(reason).__name__}: {reason}"}
        say("answer", **answer)
        return True


def main():
    peer = Peer()
    try:
        while peer.turn():
            pass
    except (Closed, ConnectionError) as end:
        say("ended", why=str(end))
    except Malformed as reason:
        say("ended", why=f"malformed: {reason}")


if __name__ == "__main__":
    main()
