"""Answers for the differential test: JSON lines up to an empty one in, as many JSON lines out; until the input ends."""

import base64
import json
import sys

from cryptography.fernet import Fernet


def answer(case):
    if case["op"] == "encrypt":
        parts = base64.b64decode(case["plain"]), case["now"]
        fernet = Fernet(case["key"])
        if case["iv"] is None:
            token = fernet.encrypt_at_time(*parts)
        else:
            token = fernet._encrypt_from_parts(*parts, base64.b64decode(case["iv"]))
        return token.decode()
    if case["op"] == "key":
        fernet = Fernet(case["text"])
        return base64.b64encode(fernet._signing_key + fernet._encryption_key).decode()
    fernet, token = Fernet(case["key"]), base64.b64decode(case["token"])
    if case["ttl"] is None:
        plain = fernet.decrypt(token)
    else:
        plain = fernet.decrypt_at_time(token, case["ttl"], case["now"])
    return base64.b64encode(plain).decode()


def answers(lines):
    for line in lines:
        try:
            yield {"ok": answer(json.loads(line))}
        except Exception as refusal:
            yield {"refused": type(refusal).__name__}


batch = []
for line in sys.stdin:
    if line.strip():
        batch.append(line)
        continue
    for reply in answers(batch):
        print(json.dumps(reply))
    sys.stdout.flush()
    batch.clear()
