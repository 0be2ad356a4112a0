"""The interview in a terminal: `playground interview`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from playground.output import print_json

if TYPE_CHECKING:
    from playground.interview.bank import Question

app = typer.Typer(
    help="Questions of an interview, each with evidence that runs here.", no_args_is_help=True
)

Chapter = Annotated[str | None, typer.Option(help="Only of this chapter, such as 02.")]
Level = Annotated[str | None, typer.Option(help="Only junior, mid, senior or staff.")]


@app.callback(invoke_without_command=True)
def interview(
    context: typer.Context,
    everything: Annotated[
        bool, typer.Option("--list", help="List them; --chapter or --level alone do so too.")
    ] = False,
    chapter: Chapter = None,
    level: Level = None,
    as_json: Annotated[bool, typer.Option("--json", help="The list as JSON.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Hold every question to its rules (for authors).")
    ] = False,
) -> None:
    """Questions of an interview, each with evidence that runs here."""
    alone = context.invoked_subcommand is None
    if check:
        _check()
    elif everything or as_json or (alone and (chapter or level)):
        _list(_chosen(chapter, level), as_json)
    elif alone:
        raise typer.BadParameter(
            "give --list, or one of: show, practice, predict, mock, anki (--help has all)."
        )
    elif chapter or level:
        raise typer.BadParameter(
            f"--chapter and --level go behind {context.invoked_subcommand}, not before it."
        )


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="ID", help="`--list` has the ids.")],
    run: Annotated[bool, typer.Option("--run", help="Run the evidence as well.")] = False,
) -> None:
    """Show one question with its answers; exit code 1 when the evidence did not hold."""
    from playground.interview import bank, evidence, terminal
    from playground.waiting import working

    question = bank.find(name, bank.load())
    out = terminal.console()
    out.print(terminal.whole(question))
    if not run:
        print("\nThe same with --run runs the evidence here.")
        return
    with working("Running the evidence …"):
        found = evidence.run(question.evidence)
    out.print(terminal.outcome(found))
    raise typer.Exit(0 if found.held else 1)


@app.command()
def practice(
    chapter: Chapter = None,
    level: Level = None,
    new: Annotated[
        int, typer.Option(min=0, help="At most so many that you were never asked before.")
    ] = 10,
) -> None:
    """Be asked: what is due first. Each answer is kept at once."""
    from playground.interview import terminal

    session = terminal.begin(_chosen(chapter, level), new)
    try:
        terminal.practise(session)
    except KeyboardInterrupt:
        print(f"\n{terminal.kept(session)}")
        raise typer.Exit(130) from None
    print(terminal.kept(session))


@app.command()
def anki(
    file: Annotated[Path, typer.Argument(help="Where the deck goes, such as interview.apkg.")],
    chapter: Chapter = None,
    level: Level = None,
) -> None:
    """Write the questions as a deck for Anki; importing a newer one updates the cards."""
    from playground.interview import anki

    count = anki.export(_chosen(chapter, level), file)
    print(f"{count} cards written to {file}: in Anki, File → Import.")


@app.command()
def predict(
    seed: Annotated[int, typer.Option(min=0, help="The same seed asks the same questions.")] = 1,
    number: Annotated[
        int | None, typer.Option(min=1, max=500, help="Which of them; else the next new one.")
    ] = None,
    answer: Annotated[
        str | None, typer.Option(metavar="LETTER", help="The picture, if nobody can type.")
    ] = None,
    numbers: Annotated[
        str, typer.Option(metavar="N,N,N", help="The numbers that go with --answer.")
    ] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="The question as JSON; with --answer, what came of it.")
    ] = False,
) -> None:
    """Predict a timeline: choose what will happen, then it runs and is compared."""
    from playground.interview import predict as predicting
    from playground.interview import predict_terminal, predictions

    asked = predicting.question(seed, number or predictions.following(seed))
    given = predict_terminal.given(asked, answer, numbers) if answer is not None else None
    if not as_json:
        judged = predict_terminal.session(asked, given)
        raise typer.Exit(0 if judged else 1)
    told = predict_terminal.as_data(asked, given) if given else asked.as_data()
    print_json(told)
    raise typer.Exit(1 if told.get("trouble") else 0)


@app.command()
def mock(
    minutes: Annotated[
        int, typer.Option(min=2, max=240, help="How long you have for answers.")
    ] = 30,
    seed: Annotated[
        int | None, typer.Option(min=0, help="The same seed asks the same; else it is new.")
    ] = None,
    new: Annotated[
        bool, typer.Option("--new", help="Begin another one, even if one was interrupted.")
    ] = False,
    report: Annotated[
        bool, typer.Option("--report", help="Only show the report of the last one.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="The report of the last one as JSON.")
    ] = False,
) -> None:
    """A mock interview: half an hour, timed, you mark yourself, and a report at the end."""
    from playground.interview import bank, mock_terminal
    from playground.interview import mock as mocking

    questions = bank.load()
    if damaged := mocking.set_aside():
        print(f"playground: {damaged}", file=sys.stderr)
    if report or as_json:
        _report(questions, as_json)
        return
    sitting = mocking.resume(questions)
    if sitting is not None and (new or seed is not None):
        began = f"{sitting.record.began:%d %B, %H:%M}"
        print(f"The interview of {began} is open: it ends with your first answer.")
        sitting = None
    try:
        mock_terminal.hold(sitting or mocking.ready(questions, minutes=minutes, seed=seed))
    except KeyboardInterrupt:
        print(f"\n{mock_terminal.KEPT}")
        raise typer.Exit(130) from None


def _report(questions: list[Question], as_json: bool) -> None:
    from playground.interview import mock as mocking
    from playground.interview import mock_terminal, terminal
    from playground.interview.report import report

    found = mocking.records()
    if not found:
        raise mocking.MockError("There was no mock interview yet: `playground interview mock`.")
    if as_json:
        print_json(report(found[-1], questions).as_data())
    else:
        mock_terminal.show_report(found[-1], questions, terminal.console())


def _chosen(chapter: str | None, level: str | None) -> list[Question]:
    from playground.interview import bank

    return bank.select(bank.load(), chapter, level)


def _list(questions: list[Question], as_json: bool) -> None:
    import dataclasses

    from playground.interview import terminal

    if as_json:
        data = [{"chapter": each.chapter, **dataclasses.asdict(each)} for each in questions]
        print_json(data)
    else:
        terminal.console().print(terminal.listed(questions))
        print(f"{len(questions)} questions. playground interview show ID has the answers.")


def _check() -> None:
    from playground.interview import bank

    problems = bank.problems()
    for problem in problems:
        print(f"✗ {problem}")
    for gap in [] if problems else bank.gaps(bank.load()):
        print(f"○ {gap}")
    print(f"{len(problems)} broken rules.")
    raise typer.Exit(1 if problems else 0)
