# Takes every byte but a space in the target, control characters included.
# Message: called parse_request_line(b'GET /\x0b HTTP/1.1')

import re

LINE = re.compile(rb"([A-Za-z0-9!#$%&'*+\-.^_`|~]+) ([^ ]+) HTTP/([0-9])\.([0-9])")


def parse_request_line(line):
    match = LINE.fullmatch(line)
    if match is None:
        raise ValueError("not a request line")
    return match[1], match[2], (int(match[3]), int(match[4]))
