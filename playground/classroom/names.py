"""Codes, tokens and names: what lets somebody in, and what they are called; texts to show."""

from __future__ import annotations

import hashlib
import secrets
import unicodedata

# No digits, so no 0 or 1; no vowels, so no words; none of I, L, Q, U, V and W, which are misread.
LETTERS = "BCDFGHJKMNPRSTXZ"
CODE_LENGTH = 6  # 16**6 codes: see playground.classroom.guesses for how long guessing takes
NAME_LENGTH = 40  # characters
MARKS = 3  # combining characters one after the other; more of them leave their line
JOINER = "\u200d"  # an emoji of a family is several, joined


def new_code() -> str:
    """A code to join with."""
    return "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))


def new_token() -> str:
    """A secret of 256 bits, for one person."""
    return secrets.token_urlsafe(32)


def hashed(token: str) -> str:
    """What is stored of a token; a secret of 256 bits needs no salt."""
    return hashlib.sha256(token.encode()).hexdigest()


def plain_code(typed: str) -> str:
    """A code as it was typed, without case, spaces and dashes."""
    return "".join(typed.upper().replace("-", " ").split())


def clean_name(typed: str) -> str:
    """A name as it is shown; "" if nothing can be seen of it."""
    name = one_line(typed, NAME_LENGTH)
    return name if name.replace(JOINER, "") else ""


def one_line(text: str, most: int) -> str:
    """At most so many characters of a text, in one line, and nothing that acts on others."""
    kept, marks = [], 0
    for letter in unicodedata.normalize("NFC", text[: 10 * most]):
        category = unicodedata.category(letter)
        marks = marks + 1 if category.startswith("M") else 0
        if category.startswith("Z") or letter.isspace():
            kept.append(" ")
        elif marks <= MARKS and (letter == JOINER or not category.startswith("C")):
            kept.append(letter)
    return " ".join("".join(kept).split())[:most].strip()


def alike(name: str) -> str:
    """The same for all names that a room would read as one: case and typographic form aside."""
    folded = unicodedata.normalize("NFKC", name).casefold().replace(JOINER, "")
    return " ".join(folded.split())
