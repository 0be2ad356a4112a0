"""Long lines of programs are broken where Python allows it: the same program, in fewer columns."""

import ast
import io

import pytest
from rich.console import Console

from playground.interview import bank, evidence, terminal
from playground.interview.folding import fold

BANK = bank.load()


def tree(code: str) -> str:
    return ast.dump(ast.parse(code))


@pytest.mark.parametrize("width", [30, 54, bank.COLUMNS])
def test_every_evidence_stays_the_same_program(width):
    for question in BANK:
        code = evidence.source(question.evidence)
        assert tree(fold(code, width)) == tree(code), question.id


def test_what_is_narrow_enough_is_left_alone():
    for question in BANK:
        code = evidence.source(question.evidence).rstrip("\n")
        assert fold(code, 200) == code
        folded = fold(code, bank.COLUMNS)
        assert fold(folded, bank.COLUMNS) == folded


@pytest.mark.parametrize(
    ("line", "folded"),
    [
        ("call(alpha, beta, gamma, delta)", "call(alpha, beta,|     gamma, delta)"),
        ("x = first + (second and third)", "x = first + (second|        and third)"),
        ("seen = one == two == three", "seen = one == two == \\|        three"),
        ("    go(1)  # and do not stop here", "    # and do not stop|    # here|    go(1)"),
        ('say("a word and another word")', 'say("a word and "|    "another word")'),
        ('say(f"{a}{{b }} {c!r:>4} {d}")', 'say(f"{a}{{b }} "|    f"{c!r:>4} {d}")'),
        (r'say(b"ab cd\r\nfor-ever\r\n")', r'say(b"ab cd\r\n"|    b"for-ever\r\n")'),
        ('s = """a long text that must stay"""', 's = """a long text that must stay"""'),
        ("x = (this is no program, is it?", "x = (this is no program, is it?"),
    ],
)
def test_where_a_line_is_broken(line, folded):
    assert fold(line, 22).split("\n") == folded.split("|")


def test_show_breaks_no_word_in_80_columns():
    out = io.StringIO()
    console = Console(file=out, width=80)
    for question in BANK:
        if question.evidence.code:
            console.print(terminal.part(question, "e"))
            wanted = fold(question.evidence.code.strip("\n"), bank.COLUMNS).splitlines()
            shown = [line[2:].rstrip() for line in out.getvalue().splitlines()]
            assert "\n".join(wanted) in "\n".join(shown), question.id
            out.seek(0)
            out.truncate()
