# Uses `match` with `$`, which lets one line feed slip through at the end.
# Message: called parse_request_line(b'GET / HTTP/1.1\n')
# Message: expected ValueError raised

import re

LINE = re.compile(rb"([A-Za-z0-9!#$%&'*+\-.^_`|~]+) ([\x21-\x7e]+) HTTP/([0-9])\.([0-9])$")


def parse_request_line(line):
    match = LINE.match(line)
    if match is None:
        raise ValueError("not a request line")
    return match[1], match[2], (int(match[3]), int(match[4]))
