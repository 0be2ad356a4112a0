"""What a command prints for other programs."""

import json
import sys
from typing import Any


def print_json(value: Any) -> None:
    """Print `value` as indented JSON, in words where standard output can show them."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding)
    except UnicodeEncodeError:  # an ASCII terminal, or a file name that is no text
        text = json.dumps(value, indent=2)
    print(text)
