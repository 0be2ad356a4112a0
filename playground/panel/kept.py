"""What is kept of a run or a comparison: the file that opens again, and the formats of others.

A saved run is a trace, which the command line opens too. A saved comparison is a ZIP archive of the
traces of all its rounds, with ``comparison.json`` to say which is which.
"""

import io
import json
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

from playground import workspace
from playground.load.files import write_whole
from playground.load.interleaved import Comparison
from playground.load.outcome import outcome, write_csv
from playground.load.percentiles import to_png
from playground.load.reopen import reopen
from playground.load.run import Run
from playground.setups.catalogue import ServeError

Result = Run | Comparison
INDEX = "comparison.json"
LONGEST = 200  # bytes of a name: file systems take 255, and one beside it is written first
TRACE, COMPARISON = ".trace", ".compare"
FORMATS = {  # what a file is called at its end, and what it is
    "html": "HTML page",
    "png": "PNG picture",
    "svg": "SVG picture",
    "json": "Perfetto JSON",
    "csv": "CSV table",
}


def folder() -> Path:
    """Where runs are kept: ``runs`` in the workspace. Raises ``ServeError``."""
    place = workspace.root() / "runs"
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ServeError(f"Cannot make the folder {place} ({error.strerror}).") from error
    return place


def names() -> list[str]:
    """The kept runs and comparisons, the newest first."""
    found = [path for path in folder().iterdir() if path.suffix in (TRACE, COMPARISON)]
    return [path.name for path in sorted(found, key=lambda path: -path.stat().st_mtime)]


def free(name: str, *endings: str) -> str:
    """The name, with a number behind it if there is a file of that name already: one with such an
    ending, if some are given.
    """
    files = folder().iterdir()
    taken = {path.stem for path in files if not endings or path.suffix in endings}
    numbered = (f"{name}-{number}" for number in range(2, len(taken) + 3))
    return name if name not in taken else next(one for one in numbered if one not in taken)


def place(name: str, ending: str) -> Path:
    """The file of that name. Raises ``ServeError`` for what is no name, and for a taken one."""
    stem = name.strip().removesuffix(ending)
    if not stem or stem != Path(stem).name or stem.startswith("."):
        raise ServeError(f"A name is a word such as monday-2, without a folder, not {name!r}.")
    path = folder() / f"{stem}{ending}"
    if len(path.name.encode()) > LONGEST:
        raise ServeError(f"This name has {len(stem)} letters: choose a shorter one.")
    if path.exists():
        raise ServeError(f"{path.name} exists already: choose another name.")
    return path


def save(result: Result, name: str) -> Path:
    """Keep it under that name. Raises ``ServeError`` or ``TraceFileError``."""
    if isinstance(result, Run):
        return result.save(place(name, TRACE))
    path = place(name, COMPARISON)
    index = {"path": result.path, "names": result.names, "rounds": result.rounds}
    packed = io.BytesIO()
    with (
        tempfile.TemporaryDirectory() as scratch,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        archive.writestr(INDEX, json.dumps(index))
        for which, runs in enumerate(result.runs):
            for turn, run in enumerate(runs):
                written = run.save(Path(scratch) / f"{which}-{turn}{TRACE}")
                archive.write(written, written.name)
    return write_whole(path, packed.getvalue())


def open_again(name: str) -> tuple[Result, str]:
    """A kept run or comparison by its name or path, and what to know about it ("" if nothing).

    Raises ``ServeError`` or ``TraceFileError`` for what is neither.
    """
    if not name.strip():
        raise ServeError("Choose a file to reopen, or type its path.")
    path = folder() / Path(name.strip()).expanduser()
    with_ending = (path.with_name(path.name + ending) for ending in (TRACE, COMPARISON))
    path = next((one for one in (path, *with_ending) if one.is_file()), path)
    if not path.is_file():
        raise ServeError(
            f"There is no file {path}: choose one of the list, or type its whole path."
        )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        packed = path.suffix == COMPARISON or zipfile.is_zipfile(path)
        result = _comparison(path) if packed else reopen(path)
    return result, " ".join(str(warning.message) for warning in caught)


def _comparison(path: Path) -> Comparison:
    try:
        with tempfile.TemporaryDirectory() as scratch, zipfile.ZipFile(path) as archive:
            index = json.loads(archive.read(INDEX))
            runs = [
                [
                    reopen(archive.extract(f"{which}-{turn}{TRACE}", scratch))
                    for turn in range(index["rounds"])
                ]
                for which in range(len(index["names"]))
            ]
            return Comparison(str(index["path"]), [str(name) for name in index["names"]], runs)
    except (KeyError, TypeError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise ServeError(
            f"{path} is no comparison of this playground: choose a file that the panel saved."
        ) from error


def export(result: Result, ending: str, name: str) -> Path:
    """Write it in one of ``FORMATS``. Raises ``ServeError``."""
    if ending not in FORMATS:
        raise ServeError(f"There is no format {ending!r}. There are: {', '.join(FORMATS)}.")
    if ending == "json" and isinstance(result, Comparison):
        raise ServeError("Perfetto shows one run: press Run, and export that.")
    path = place(name, f".{ending}")
    try:
        if isinstance(result, Run):
            _export_run(result)[ending](path)
        else:
            _export_comparison(result)[ending](path)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise ServeError(
            f"Cannot write {path} ({error.strerror}): choose another name, or make room."
        ) from error
    return path


def _export_run(run: Run) -> dict[str, Callable[[Path], object]]:
    title = str(run.trace.meta.get("setup", "run"))
    return {
        "html": run.to_html,
        "png": lambda path: write_whole(path, to_png(run.to_svg("light"))),
        "svg": lambda path: write_whole(path, run.to_svg("light").encode()),
        "json": run.to_perfetto,
        "csv": lambda path: write_csv(path, [outcome(run, title)]),
    }


def _export_comparison(found: Comparison) -> dict[str, Callable[[Path], object]]:
    return {
        "html": found.to_html,
        "png": found.to_png,
        "svg": lambda path: write_whole(path, found.to_svg("light").encode()),
        "csv": found.to_csv,
    }
