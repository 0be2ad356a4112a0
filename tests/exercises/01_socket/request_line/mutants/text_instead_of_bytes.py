# Decodes the line, and returns str.
# Message: called parse_request_line(b'GET / HTTP/1.1')
# Message: came back returned ('GET', '/', (1, 1))

import re

LINE = re.compile(r"([A-Za-z0-9!#$%&'*+\-.^_`|~]+) ([\x21-\x7e]+) HTTP/([0-9])\.([0-9])", re.ASCII)


def parse_request_line(line):
    match = LINE.fullmatch(line.decode("latin-1"))
    if match is None:
        raise ValueError("not a request line")
    return match[1], match[2], (int(match[3]), int(match[4]))
