"""Links to an article's source: from its own fields or a template, and to a passage in the page.

A link template has fields in braces, `https://blog.example/{year}/{month}/{slug}.html`, or is a Hexo
permalink, `https://blog.example/:year/:month/:day/:title/`. Text fragments follow "URL Fragment Text
Directives" (WICG): https://wicg.github.io/scroll-to-text-fragment/
"""

import re
from datetime import datetime
from pathlib import PurePosixPath
from urllib.parse import quote

from retrieval.errors import SettingsError
from retrieval.types import Article

TEMPLATE_FIELDS = ("slug", "path", "year", "month", "day", "title")
"""What a template may name in braces. Slug: the file's name without suffix and date; path: the file's path
without suffix; month and day have two digits; title: the article's."""

_HEXO_FIELDS = {
    "year": "year", "month": "month", "day": "day", "i_month": "i_month", "i_day": "i_day", "hour": "hour",
    "minute": "minute", "second": "second", "title": "slug", "name": "slug", "post_title": "title",
}  # fmt: skip
_BRACED = re.compile(r"\{([^{}]*)\}")
_HEXO = re.compile(r"(?<=[/_.=-]):([A-Za-z_]+)")
_DATE_PREFIX = re.compile(r"\d{4}-\d{1,2}-\d{1,2}[-_]")
_DATED = frozenset(("year", "month", "day", "i_month", "i_day", "hour", "minute", "second"))


class LinkTemplate:
    """A checked template; raises SettingsError for an unknown field or what is no http(s) address."""

    def __init__(self, template: str) -> None:
        self.template = template.strip()
        if not re.match(r"https?://[^\s/{}:]+(?::\d+)?(?:/|$)", self.template, re.I):
            raise SettingsError(
                f"the link template {template!r} is no web address: write it like https://site.example/{{year}}/{{slug}}"
            )
        unknown = [name for name in _BRACED.findall(self.template) if name not in TEMPLATE_FIELDS]
        unknown += [name for name in _HEXO.findall(self.template) if name not in _HEXO_FIELDS]
        if unknown or "{" in _BRACED.sub("", self.template) or "}" in _BRACED.sub("", self.template):
            named = f"the unknown field {unknown[0]!r}" if unknown else "a brace that does not match"
            fields = ", ".join(f"{{{name}}}" for name in TEMPLATE_FIELDS)
            raise SettingsError(
                f"the link template {template!r} has {named}: use {fields}, "
                "or Hexo's :year/:month/:day/:title"
            )

    def fill(self, *, path: str | None, title: str, published_at: datetime | None) -> str | None:
        """The address, quoted; None where the template needs a date, path or title that the article has not.

        Dates are those of the article's own time zone.
        """
        values = _values(path, title, published_at)
        names = _BRACED.findall(self.template) + [_HEXO_FIELDS[n] for n in _HEXO.findall(self.template)]
        if any(not values.get(name) for name in names):
            return None
        filled = _BRACED.sub(lambda m: values[m[1]], self.template)
        # Hexo fields are looked for in the template only: a title with a colon in it is quoted by now.
        return _HEXO.sub(lambda m: values[_HEXO_FIELDS[m[1]]], filled)


def source_link(
    article: Article, template: LinkTemplate | str | None = None, *, path: str | None = None
) -> str | None:
    """The address of an article's source: its own link, else from the template; None rather than invented.

    `path` is the file's path relative to its source, where that differs from `article.path`.
    """
    if article.url:
        return article.url
    if not template:
        return None
    checked = template if isinstance(template, LinkTemplate) else LinkTemplate(template)
    return checked.fill(path=path or article.path, title=article.title, published_at=article.published_at)


def _values(path: str | None, title: str, published_at: datetime | None) -> dict[str, str]:
    values = {"title": quote(title, safe="")}
    parts = [part for part in PurePosixPath((path or "").replace("\\", "/")).parts if part not in ("/", ".")]
    if parts and ".." not in parts:
        stem = PurePosixPath(parts[-1]).stem
        values["slug"] = quote(_DATE_PREFIX.sub("", stem) or stem, safe="")
        values["path"] = "/".join(quote(part, safe="") for part in (*parts[:-1], stem))
    if published_at is not None:
        day = published_at
        values |= {"year": f"{day:%Y}", "month": f"{day:%m}", "day": f"{day:%d}", "hour": f"{day:%H}"}
        values |= {
            "minute": f"{day:%M}",
            "second": f"{day:%S}",
            "i_month": str(day.month),
            "i_day": str(day.day),
        }
    return values


_MIN_TERM, _MAX_TERM = 6, 40
_CLAUSE = re.compile(
    r"[，,。！？!?；;：:…、|“”‘’「」『』（）()《》【】\"\n]+|(?<=[\u2e80-\u9fff\uff00-\uffef])\s+|\s+(?=[\u2e80-\u9fff\uff00-\uffef])|[.]\s+"
)


def text_fragment(url: str, passage_text: str) -> str:
    """`url` with a text directive that scrolls to the passage and marks it; other than http(s) is left alone.

    Browsers match a term inside one block of the page, between word boundaries, and ICU decides those by
    dictionary in Chinese; so the terms begin and end at punctuation, and at no white space next to Chinese,
    which pages write in several ways.
    """
    if not url.lower().startswith(("http://", "https://")):
        return url
    lines = [line for line in passage_text.split("\n") if line.strip()]
    if not lines:
        return url
    first, last = _clauses(lines[0]), _clauses(lines[-1])
    start = _first_term(first)
    if start is None:
        return url
    directive = f"text={_encode(start)}"
    end = _last_term(last)
    if end is not None and (len(lines) > 1 or lines[0].find(start) + len(start) <= lines[0].rfind(end)):
        directive += f",{_encode(end)}"
    address, _, fragment = url.partition("#")
    fragment = fragment.partition(":~:")[0]
    return f"{address}#{fragment}:~:{directive}"


def _clauses(line: str) -> list[str]:
    return [clause.strip() for clause in _CLAUSE.split(line) if clause and clause.strip()]


def _first_term(clauses: list[str]) -> str | None:
    long_enough = (c for c in clauses if len(c) >= _MIN_TERM)
    found = next(long_enough, None) or max(clauses, key=len, default=None)
    return _shorten(found) if found else None


def _last_term(clauses: list[str]) -> str | None:
    found = next((c for c in reversed(clauses) if len(c) >= _MIN_TERM), None)
    return _shorten(found, from_end=True) if found else None


def _shorten(term: str, *, from_end: bool = False) -> str:
    """A long English clause by its words; a Chinese one stays whole: no place in it is surely a boundary."""
    if len(term) <= _MAX_TERM or " " not in term:
        return term
    words = term.split(" ")
    if from_end:
        words.reverse()
    kept: list[str] = []
    for word in words:
        if kept and sum(map(len, kept)) + len(kept) + len(word) > _MAX_TERM:
            break
        kept.append(word)
    return " ".join(reversed(kept) if from_end else kept)


def _encode(term: str) -> str:
    """Percent-encoded; the hyphen too, which marks a prefix or suffix (comma and ampersand are anyway)."""
    return quote(term, safe="").replace("-", "%2D")
