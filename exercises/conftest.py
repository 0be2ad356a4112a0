"""`pytest exercises` grades your files in the workspace, one test an exercise."""

from playground.grading.collect import pytest_collect_file

__all__ = ["pytest_collect_file"]
