"""Print the links that bring learners to the course.

    python deploy/link.py --hub https://hub.example.org --repo https://host.example/you/course.git
    python deploy/link.py --binder gh/you/course

The first is for nbgitpuller on any hub that has it: the link copies the repository into the
learner's home folder, or brings the copy up to date, and keeps what the learner has changed.
The second is for Binder.
"""

from __future__ import annotations

import argparse
from urllib.parse import quote, urlencode, urlsplit

FIRST = "notebooks/00_welcome.ipynb"
BINDER = "https://mybinder.org"


def nbgitpuller(hub: str, repo: str, branch: str, page: str = FIRST) -> str:
    """Return nbgitpuller's link: `page` is opened in JupyterLab, below the repository's folder."""
    folder = repo.rstrip("/").rpartition("/")[2].removesuffix(".git")
    if not folder or not all(urlsplit(one).netloc for one in (hub, repo)):
        raise ValueError("give whole addresses, such as https://hub.example.org")
    asked = {
        "repo": repo,
        "branch": branch,
        "targetpath": folder,
        "urlpath": f"lab/tree/{folder}/{page}",
    }
    return f"{hub.rstrip('/')}/hub/user-redirect/git-pull?{urlencode(asked)}"


def binder(place: str, branch: str, page: str = FIRST) -> str:
    """Return Binder's link; `place` is a provider and a repository there, "gh/you/course"."""
    path = quote(f"lab/tree/workspace/{page}", safe="")
    return f"{BINDER}/v2/{place.strip('/')}/{quote(branch, safe='')}?urlpath={path}"


def main() -> None:
    """Print what is asked for."""
    parser = argparse.ArgumentParser(
        description="Print the links that bring learners to the course."
    )
    parser.add_argument("--hub", help="the hub's address")
    parser.add_argument("--repo", help="the repository's address, as git clones it")
    parser.add_argument("--binder", metavar="PLACE", help="such as gh/you/course")
    parser.add_argument("--branch", default="main")
    given = parser.parse_args()
    if bool(given.hub) != bool(given.repo) or not (given.hub or given.binder):
        parser.error("give --hub and --repo, or --binder, or all three")
    try:
        if given.hub:
            print(nbgitpuller(given.hub, given.repo, given.branch))
        if given.binder:
            print(binder(given.binder, given.branch))
    except ValueError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
