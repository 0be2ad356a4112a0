"""The fields gathered in a dictionary of lists first; the key by decoding it."""

from base64 import b64encode
from binascii import Error, a2b_base64
from collections import defaultdict
from hashlib import sha1

UUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def handshake(method, version, fields, protocols, origins=None):
    have = defaultdict(list)
    for name, value in fields:
        have[name].append(value.decode("latin-1"))

    def listed(name):
        return [word.strip("\t ") for value in have[name] for word in value.split(",")]

    switch = [(b"connection", b"Upgrade"), (b"upgrade", b"websocket")]
    if (
        method != b"GET"
        or tuple(version) < (1, 1)
        or len(have["host"]) != 1
        or "websocket" not in map(str.lower, listed("upgrade"))
        or "upgrade" not in map(str.lower, listed("connection"))
    ):
        return 400, []
    if have["sec-websocket-version"] != ["13"]:
        return 426, [(b"sec-websocket-version", b"13"), *switch]
    try:
        (key,) = have["sec-websocket-key"]
        if len(a2b_base64(key, strict_mode=True)) != 16:
            return 400, []
    except (Error, ValueError):
        return 400, []
    if origins is not None and not {value.encode("latin-1") for value in have["origin"]} <= {
        *origins
    }:
        return 403, []
    switch.insert(0, (b"sec-websocket-accept", b64encode(sha1((key + UUID).encode()).digest())))
    for word in listed("sec-websocket-protocol"):
        if word.encode("latin-1") in protocols:
            return 101, [*switch, (b"sec-websocket-protocol", word.encode("latin-1"))]
    return 101, switch
