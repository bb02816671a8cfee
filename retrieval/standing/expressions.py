"""Keyword expressions: `海外仓 (黑河 | 绥芬河) -广告 "四个协同"`.

Words side by side must all occur, `|` (or OR) offers a choice, `-` (or NOT) excludes, quotation marks keep
spaces, parentheses group. Full-width signs are as good. Case, width and script (traditional, simplified) do
not matter: both sides are compared in the analyzer's normal form.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from retrieval.errors import QueryError

MAX_CHARACTERS = 200
"""Longer expressions are refused."""

_TOKEN = re.compile(
    r"\s*(?:(?P<quoted>\"[^\"]*\"|“[^”]*”|「[^」]*」)|(?P<sign>[()（）|｜]|(?:[-－](?=\S)))|(?P<word>[^\s()（）|｜\"“「]+))"
)
_SIGNS = {"（": "(", "）": ")", "｜": "|", "－": "-"}
_MAX_DEPTH = 20


@dataclass(frozen=True, slots=True)
class Expression:
    """A tree: a `term` to be contained, or `all`, `any` or `none` of the parts."""

    kind: Literal["term", "all", "any", "none"]
    term: str = ""
    parts: tuple["Expression", ...] = ()

    def holds(self, contains: Callable[[str], bool]) -> bool:
        """Whether the expression is true of a text of which `contains` tells what it contains."""
        if self.kind == "term":
            return contains(self.term)
        if self.kind == "all":
            return all(part.holds(contains) for part in self.parts)
        found = any(part.holds(contains) for part in self.parts)
        return found if self.kind == "any" else not found

    def terms(self) -> Iterator[str]:
        """All terms, excluded ones too."""
        if self.kind == "term":
            yield self.term
        for part in self.parts:
            yield from part.terms()

    @property
    def excludes_only(self) -> bool:
        """Whether nothing has to occur: such an expression would hold for nearly everything."""
        if self.kind == "all":
            return all(part.excludes_only for part in self.parts)
        if self.kind == "any":
            return any(part.excludes_only for part in self.parts)
        return self.kind == "none"


def parse_expression(text: str, normal: Callable[[str], str]) -> Expression:
    """The expression that a text writes; its terms in the form that `normal` gives.

    Raises QueryError where it is no expression: says what is wrong with it.
    """
    if len(text) > MAX_CHARACTERS:
        raise QueryError(
            f"a keyword expression has at most {MAX_CHARACTERS} characters, this one {len(text)}."
        )
    parser = _Parser(list(_tokens(text)), normal)
    expression = parser.choice(0)
    if parser.left:
        raise QueryError("a parenthesis is closed that was not opened.")
    if expression.excludes_only:
        raise QueryError("a keyword expression needs at least one word that has to occur.")
    return expression


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """Kind (sign or term) and text of each token."""
    position = 0
    while text[position:].strip():
        found = _TOKEN.match(text, position)
        if found is None:
            raise QueryError("a quotation mark is opened and not closed.")
        position = found.end()
        if found["sign"]:
            yield "sign", _SIGNS.get(found["sign"], found["sign"])
        elif found["quoted"]:
            yield "term", found["quoted"][1:-1]
        elif found["word"] in {"OR", "或"}:
            yield "sign", "|"
        elif found["word"] == "NOT":
            yield "sign", "-"
        elif found["word"] != "AND":
            yield "term", found["word"]


class _Parser:
    """Recursive descent: choice := all ("|" all)*, all := item+, item := "-" item | "(" choice ")" | term."""

    def __init__(self, tokens: list[tuple[str, str]], normal: Callable[[str], str]) -> None:
        self.left = tokens[::-1]
        self._normal = normal

    def choice(self, depth: int) -> Expression:
        if depth > _MAX_DEPTH:
            raise QueryError("the expression has too many parentheses in one another.")
        parts = [self._all(depth)]
        while self._next() == ("sign", "|"):
            self.left.pop()
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else Expression("any", parts=tuple(parts))

    def _all(self, depth: int) -> Expression:
        parts: list[Expression] = []
        while (token := self._next()) is not None and token not in {("sign", "|"), ("sign", ")")}:
            parts.append(self._item(depth))
        if not parts:
            raise QueryError("a word is missing beside | or between parentheses.")
        return parts[0] if len(parts) == 1 else Expression("all", parts=tuple(parts))

    def _item(self, depth: int) -> Expression:
        kind, text = self.left.pop()
        if kind == "term":
            term = " ".join(self._normal(text).split())
            if not any(map(str.isalnum, term)):
                raise QueryError(f"“{text}” is no word to look for.")
            return Expression("term", term)
        if text == "-":
            if self._next() in {None, ("sign", "|"), ("sign", ")")}:
                raise QueryError("a word is missing after -.")
            return Expression("none", parts=(self._item(depth),))
        inner = self.choice(depth + 1)
        if self._next() != ("sign", ")"):
            raise QueryError("a parenthesis is opened and not closed.")
        self.left.pop()
        return inner

    def _next(self) -> tuple[str, str] | None:
        return self.left[-1] if self.left else None
