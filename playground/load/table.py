"""Names and values as a small table, for terminals and notebooks."""

import html

TABLE = "border-collapse:collapse;font-size:1em;text-align:left;margin:0"
CELL = "text-align:left;padding:.1em 1.2em .1em 0;background:none;border:none"


def table_text(rows: list[tuple[str, str]]) -> str:
    """One line for each row, the values below each other."""
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:{width}}  {value}" for name, value in rows)


def table_html(rows: list[tuple[str, str]]) -> str:
    """The same as an HTML table, in the colours of the page."""
    weak = f"{CELL};font-weight:normal;opacity:.75"
    cells = (
        f'<tr style="background:none"><th scope="row" style="{weak}">{html.escape(name)}</th>'
        f'<td style="{CELL};font-weight:600">{html.escape(value)}</td></tr>'
        for name, value in rows
    )
    return f'<table style="{TABLE}">{"".join(cells)}</table>'
