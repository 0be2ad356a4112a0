# Splits on any white space, so two spaces and tabs pass.
# Message: called parse_request_line(b'GET  / HTTP/1.1')
# Message: came back returned (b'GET', b'/', (1, 1))

import re

VERSION = re.compile(rb"HTTP/([0-9])\.([0-9])")
TOKEN = re.compile(rb"[A-Za-z0-9!#$%&'*+\-.^_`|~]+")
TARGET = re.compile(rb"[\x21-\x7e]+")


def parse_request_line(line):
    method, target, version = line.split()
    match = VERSION.fullmatch(version)
    if match is None or not TOKEN.fullmatch(method) or not TARGET.fullmatch(target):
        raise ValueError("not a request line")
    return method, target, (int(match[1]), int(match[2]))
