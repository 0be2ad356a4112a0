"""Program text for a narrow page: long lines are broken where Python lets them be broken.

The result is the same program, so it can be copied. Breaks stand between tokens, as deep in the
brackets as need be but no deeper; outside of brackets they need a backslash.
"""

from __future__ import annotations

import io
import re
import textwrap
import tokenize
from dataclasses import dataclass, field

HANG = 8  # columns, where what is inside a bracket would begin too far to the right
_OPEN, _CLOSE = "([{", ")]}"
_NO_PLACE = ("ENCODING", "INDENT", "DEDENT", "NEWLINE", "NL", "ENDMARKER")
_WORDS = {"and", "or", "if", "else", "for"}
_STRING = re.compile(r"""([A-Za-z]*)(\"{3}|'{3}|["'])""")


@dataclass(frozen=True)
class _Place:
    """Where a line may be broken: before the token at a column."""

    column: int
    depth: int  # of brackets
    align: int  # where the innermost bracket's content begins
    good: bool  # for the eye: behind a comma or a bracket, or before a word such as `and`


def fold(code: str, width: int) -> str:
    """Return `code` in lines of at most `width` columns, as far as that is possible."""
    lines, row = code.splitlines(), 0
    while row < len(lines):
        broken = _broken(lines, row, width) if len(lines[row]) > width else None
        if broken is None:
            row += 1
        else:
            lines[row : row + 1] = broken
    return "\n".join(lines)


def _broken(lines: list[str], row: int, width: int) -> list[str] | None:
    """Return two or more lines for the one at `row`; None if it cannot be broken."""
    line = lines[row]
    indent = len(line) - len(line.lstrip())
    seen = _look(lines, row)
    if seen.comment is not None:
        return _comment_above(line, seen.comment, indent, width)
    fitting = [one for one in seen.places if _fits(one, line, indent, width)]
    inside = [one for one in fitting if one.depth] or fitting
    best = [one for one in inside if one.good] or inside
    if best:
        # a break further out is easier to read, if it does not leave half of the line empty
        least = min(one.depth for one in best)
        place = ([one for one in best if one.depth == least and one.column > width // 2] or best)[
            -1
        ]
        begin = line[: place.column].rstrip() + ("" if place.depth else " \\")
        return [begin, " " * _hang(place, indent, width) + line[place.column :]]
    for first, last, depth in seen.strings:
        if last > width and (at := _cut(line, first, last, width - 3)):
            prefix, quote = _opening(line[first:last])
            begin = line[:at] + quote + ("" if depth else " \\")
            column = first if first <= width // 2 else indent + HANG
            return [begin, " " * column + prefix + quote + line[at:]]
    return None


def _comment_above(line: str, column: int, indent: int, width: int) -> list[str] | None:
    """Return the line with its comment above it, in as many lines as it needs."""
    words = textwrap.wrap(line[column + 1 :].strip(), max(8, width - indent - 2))
    above = [f"{' ' * indent}# {part}" for part in words]
    kept = line[:column].rstrip()
    if kept:
        return [*above, kept]
    return above if len(above) > 1 else None


def _fits(place: _Place, line: str, indent: int, width: int) -> bool:
    length = len(line[: place.column].rstrip()) + (0 if place.depth else 2)
    return length <= width and place.column > max(indent, _hang(place, indent, width))


def _hang(place: _Place, indent: int, width: int) -> int:
    return place.align if place.depth and place.align <= width // 2 else indent + HANG


def _opening(literal: str) -> tuple[str, str]:
    """Return prefix and quote of a string literal."""
    found = _STRING.match(literal)
    return (found[1], found[2]) if found else ("", "")


def _cut(line: str, first: int, last: int, most: int) -> int | None:
    """Return where the literal between two columns can be cut in two: behind a space or a "\\n".

    None if it is nowhere, as for one with three quotes.
    """
    prefix, quote = _opening(line[first:last])
    if len(quote) != 1:
        return None
    at, depth, found, formatted = first + len(prefix) + 1, 0, None, "f" in prefix.lower()
    while at < min(last - 1, most):
        two = line[at : at + 2]
        step = 2 if two[0] == "\\" or (formatted and not depth and two in ("{{", "}}")) else 1
        if formatted and step == 1:
            depth += {"{": 1, "}": -1}.get(two[0], 0)
        at += step
        if not depth and at < last - 1 and (two[0] == " " or two == "\\n"):
            found = at
    return found


@dataclass
class _Seen:
    """What a line has in it."""

    places: list[_Place] = field(default_factory=list)
    strings: list[tuple[int, int, int]] = field(default_factory=list)  # from, to, depth
    comment: int | None = None


def _look(lines: list[str], row: int) -> _Seen:
    """Return what the line at `row` has in it; nothing if this is no Python."""
    seen, brackets, last = _Seen(), list[int](), ""
    opened: list[tokenize.TokenInfo] = []  # formatted strings, which Python 3.12 takes apart
    try:
        for token in tokenize.generate_tokens(io.StringIO("\n".join(lines) + "\n").readline):
            name = tokenize.tok_name[token.exact_type]
            here = token.start[0] == row + 1
            if name in _NO_PLACE:
                continue
            if name.endswith("STRING_END"):
                first = opened.pop()
                if here and not opened and first.start[0] == token.end[0]:
                    seen.strings.append((first.start[1], token.end[1], len(brackets)))
            elif not opened:
                closes = token.type == tokenize.OP and token.string in _CLOSE
                if closes:
                    brackets.pop()
                if here and name == "COMMENT":
                    seen.comment = token.start[1]
                elif here and _may_begin(lines[row], token):
                    align = brackets[-1] if brackets else 0
                    good = last in (",", *_OPEN) or token.string in _WORDS
                    seen.places.append(_Place(token.start[1], len(brackets), align, good))
                if here and name == "STRING" and token.end[0] == row + 1:
                    seen.strings.append((token.start[1], token.end[1], len(brackets)))
                if token.type == tokenize.OP and token.string in _OPEN:
                    brackets.append(token.end[1])
            if name.endswith("STRING_START"):
                opened.append(token)
            last = token.string
    except (tokenize.TokenError, IndentationError, IndexError):
        return _Seen()
    return seen


def _may_begin(line: str, token: tokenize.TokenInfo) -> bool:
    """Tell whether a line may begin with this token, for the eye."""
    before = line[token.start[1] - 1 : token.start[1]]
    return token.string not in (*_CLOSE, ",", ":", ".") and (before == " " or before in _OPEN)
