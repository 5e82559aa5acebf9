"""CBOR (RFC 8949) as docs/protocol.md section 2 narrows it: deterministic, definite, shallow.

`None` is for what lies inside seals; frames have none (R2.2).
"""

MAX_DEPTH = 8


class Malformed(Exception):
    """These bytes are not what the pages say."""


def _head(major, number):
    if number < 24:
        return bytes([major << 5 | number])
    for code, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 1 << (8 * size):
            return bytes([major << 5 | code]) + number.to_bytes(size, "big")
    raise Malformed("more than 64 bits")


def encode(value):
    if value is None:
        return b"\xf6"
    if value is True or value is False:
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        text = value.encode()
        return _head(3, len(text)) + text
    if isinstance(value, (list, tuple)):
        return _head(4, len(value)) + b"".join(map(encode, value))
    if isinstance(value, dict):
        pairs = sorted((encode(key), encode(item)) for key, item in value.items())
        return _head(5, len(pairs)) + b"".join(key + item for key, item in pairs)
    raise TypeError(type(value))


def _decode(data, at, depth):
    if at >= len(data):
        raise Malformed("cut off")
    major, low = data[at] >> 5, data[at] & 31
    at += 1
    if major == 7:
        if low not in (20, 21, 22):
            raise Malformed("a value that does not occur")
        return {20: False, 21: True, 22: None}[low], at
    number = low
    if low >= 24:
        if low > 27:
            raise Malformed("indefinite or reserved")
        size = 1 << (low - 24)
        number = int.from_bytes(data[at : at + size], "big")
        at += size
        if at > len(data) or number < (24 if size == 1 else 1 << (4 * size)):
            raise Malformed("a long head")
    if major == 0:
        return number, at
    if major == 1:
        return -1 - number, at
    if major in (2, 3):
        if at + number > len(data):
            raise Malformed("cut off")
        piece = data[at : at + number]
        try:
            return (piece if major == 2 else piece.decode()), at + number
        except UnicodeDecodeError as error:
            raise Malformed("no UTF-8") from error
    if major == 6 or depth == 0 or number > len(data):
        raise Malformed("a tag, too deep, or cut off")
    if major == 4:
        items = []
        for _ in range(number):
            item, at = _decode(data, at, depth - 1)
            items.append(item)
        return items, at
    pairs, last = {}, None
    for _ in range(number):
        start = at
        key, at = _decode(data, at, depth - 1)
        spelled = data[start:at]
        if isinstance(key, (list, dict)) or (last is not None and spelled <= last):
            raise Malformed("keys out of order")
        last = spelled
        pairs[key], at = _decode(data, at, depth - 1)
    return pairs, at


def decode(data, depth=MAX_DEPTH):
    value, end = _decode(data, 0, depth)
    if end != len(data):
        raise Malformed("more follows")
    return value
