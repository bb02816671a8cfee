"""Tables that hold data, told from tables that lay out a page."""

from selectolax.lexbor import LexborNode

_MAX_CELL = 300
_LAYOUT = frozenset(("table", "h1", "h2", "h3", "pre", "article"))


def data_rows(table: LexborNode) -> list[list[LexborNode]] | None:
    """The cells of a data table, row by row; None for a table that holds the article rather than data.

    That is one with a single column, with a table, heading or code inside, or with cells full of text.
    """
    if table.attributes.get("role") in ("presentation", "none"):
        return None
    inner = table.traverse()
    next(inner)  # the table itself
    if any(node.tag in _LAYOUT for node in inner):
        return None
    rows = [[cell for cell in row.iter() if cell.tag in ("td", "th")] for row in table.css("tr")]
    if max(map(len, rows), default=0) <= 1:
        return None
    cells = [cell for row in rows for cell in row]
    lengths = [len(cell.text(deep=True)) for cell in cells]
    long = [cell for cell, length in zip(cells, lengths, strict=True) if length > _MAX_CELL]
    if long and (len(long) * 3 > len(cells) or any(len(cell.css("p")) > 2 for cell in long)):
        return None
    return rows
