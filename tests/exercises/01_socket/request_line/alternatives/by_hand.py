"""No regular expression: split on single spaces and look at every byte."""

TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def parse_request_line(line):
    parts = line.split(b" ")
    if len(parts) != 3 or not all(parts):
        raise ValueError("a request line has three parts")
    method, target, version = parts
    if not TOKEN.issuperset(method):
        raise ValueError("the method is not a token")
    if any(byte < 0x21 or byte > 0x7E for byte in target):
        raise ValueError("the target has a forbidden byte")
    return method, target, parse_version(version)


def parse_version(version):
    if len(version) != 8 or version[:5] != b"HTTP/" or version[6:7] != b".":
        raise ValueError("the version is not HTTP/digit.digit")
    digits = version[5], version[7]
    if not all(48 <= digit <= 57 for digit in digits):
        raise ValueError("the version has no digits")
    return digits[0] - 48, digits[1] - 48
