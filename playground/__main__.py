"""`python -m playground` is the command `playground`."""

from playground.cli import main

main()
