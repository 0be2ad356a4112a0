# Reads the version with int(), which takes signs and any number of digits.
# Message: called parse_request_line(b'GET / HTTP/1.10')
# Message: why RFC 9112 §2.3

import re

LINE = re.compile(rb"([A-Za-z0-9!#$%&'*+\-.^_`|~]+) ([\x21-\x7e]+) HTTP/([\x21-\x7e]+)")


def parse_request_line(line):
    match = LINE.fullmatch(line)
    if match is None:
        raise ValueError("not a request line")
    major, minor = match[3].split(b".")
    return match[1], match[2], (int(major), int(minor))
