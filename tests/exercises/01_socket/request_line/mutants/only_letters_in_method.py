# Takes only letters in the method.
# Message: called parse_request_line(b'M-SEARCH / HTTP/1.1')
# Message: came back raised ValueError: not a request line
# Message: nudge Methods are not only GET and POST

import re

LINE = re.compile(rb"([A-Za-z]+) ([\x21-\x7e]+) HTTP/([0-9])\.([0-9])")


def parse_request_line(line):
    match = LINE.fullmatch(line)
    if match is None:
        raise ValueError("not a request line")
    return match[1], match[2], (int(match[3]), int(match[4]))
