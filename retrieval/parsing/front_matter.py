"""Front matter (Hexo, Jekyll, Hugo): YAML, TOML or JSON fields above an article's body.

Collections written by scrapers hold front matter that YAML refuses (stray quotes, a colon in the title, a
title over two lines); it is then read line by line. All values come out as text: a title that looks like a
number, a date or a truth value stays what was written.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from retrieval.parsing.blocks import CJK

MAX_LENGTH = 65_536
"""Characters of front matter that are read; a longer head is not front matter but text."""

Fields = dict[str, str | tuple[str, ...]]

_FENCES = {fence: re.compile(rf"^{re.escape(fence)}[ \t]*\r?$", re.M) for fence in ("---", "+++", ";;;")}
"""What front matter may open with, and how it then closes."""

_KEY = re.compile(r"([A-Za-z_][\w.-]{0,40})[ \t]*:(?:[ \t]+(.*)|[ \t]*)$")
_ITEM = re.compile(r"[ \t]*-[ \t]+(.*)$")
# What needs no YAML parser: plain or quoted values without marks that YAML reads, and lists of such items.
_PLAIN = r"[^\s\-?:,\[\]{}#&*!|>'\"%@`~](?:[^:#\n]|:(?![ \t\n])|(?<![ \t])#)*"
_QUOTED = r"'[^'\n]*'|\"[^\"\\\n]*\""
_SIMPLE_LINE = re.compile(
    rf"(?:([A-Za-z_][\w-]*):[ \t]*(?:({_QUOTED})|({_PLAIN}))?| *- +(?:({_QUOTED})|({_PLAIN})))[ \t]*\r?\n"
)
_MAX_BRACKETS = 300
_NESTED = re.compile(r"(?:[-?:][ \t]+){8}")
_DOTTED = re.compile(
    r"(?:[\w\"'-]+\s*\.\s*){16}"
)  # a key of many parts costs tomllib their square, in memory too
_EQUALS = re.compile(r"(?m)^([ \t]*[\w.-]+)[ \t]*=[ \t]*")
_KNOWN_FIRST_KEY = re.compile(r"(?:title|date|layout|categories|tags|author|headimg|thumbnail)[ \t]*:", re.I)
# The C loader is twelve times as fast; the base loaders resolve no types, so 007 and 12:30 stay as written.
_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The fields of an article's head (names in lower case), and where its body starts in the text."""

    fields: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    body_start: int = 0

    def text(self, *names: str) -> str:
        """The first of these fields that holds something, as one string; empty where none does."""
        for name in names:
            value = self.fields.get(name)
            if isinstance(value, tuple):
                value = value[0] if value else ""
            if value and value not in ("~", "null"):
                return value
        return ""

    def texts(self, *names: str) -> tuple[str, ...]:
        """The first of these fields that holds something, as a list; one string of several is split."""
        for name in names:
            value = self.fields.get(name)
            if isinstance(value, str):
                value = tuple(re.split(r"[,，、;；|]", value))
            found = tuple(dict.fromkeys(part.strip() for part in value or () if part.strip()))
            if found:
                return found
        return ()


def split_front_matter(text: str) -> FrontMatter:
    """Read the front matter at the head of `text` (blank lines may precede it); without one, no fields."""
    start = len(text) - len(text.lstrip("\ufeff \t\r\n\u3000"))
    if text.startswith("{", start):
        return _json_head(text, start)
    line_end = text.find("\n", start)
    fence = text[start : line_end if line_end >= 0 else len(text)].rstrip()
    if fence not in _FENCES:
        return _unfenced(text, start)
    inner = line_end + 1
    if line_end < 0:
        return FrontMatter()
    closing = _FENCES[fence].search(text, inner, inner + MAX_LENGTH)
    if closing is None:
        return _unclosed(text, inner) if fence == "---" else FrontMatter()
    fields = _parse(text[inner : closing.start()], fence)
    # A horizontal rule opens some plain texts: what follows it is front matter only if it has fields.
    return FrontMatter(fields, closing.end()) if fields or closing.start() == inner else FrontMatter()


def _parse(head: str, fence: str) -> Fields:
    if fence == "+++" and not _DOTTED.search(head):
        try:
            return _flatten(tomllib.loads(head))
        except (ValueError, RecursionError):
            pass
    if fence == "+++":
        return _read_lines(_EQUALS.sub(r"\1: ", head))
    if fence == ";;;":
        try:
            return _flatten(json.loads("{" + head.strip().rstrip(",") + "}"))
        except (ValueError, RecursionError):
            return {}
    return _read_yaml(head)


def _read_yaml(head: str) -> Fields:
    simple = _read_simple(head)
    if simple is not None:
        return simple
    # The C loader recurses on the machine's stack: what nests deep enough to exhaust it must not reach it.
    if head.count("[") + head.count("{") > _MAX_BRACKETS or _NESTED.search(head):
        return _read_lines(head)
    try:
        loaded = yaml.load(head, Loader=_LOADER)  # noqa: S506 - the base loader builds nothing but strings
    except (yaml.YAMLError, ValueError, RecursionError):
        return _read_lines(head)
    fields = _flatten(loaded) if isinstance(loaded, dict) else {}
    if not fields:
        return _read_lines(head)
    _restore_hashes(head, fields)
    title = fields.get("title")
    if isinstance(title, str) and " " in title and title not in head:
        # YAML folds a line break into a space, which is none between two Chinese characters.
        fields["title"] = re.sub(rf"(?<={CJK.pattern}) (?={CJK.pattern})", "", title)
    return fields


def _read_simple(head: str) -> Fields | None:
    """The plain heads that nearly all articles have, as YAML reads them but much faster; else None."""
    fields: Fields = {}
    name, place = "", 0
    while place < len(head):
        match = _SIMPLE_LINE.match(head, place)
        if match is None:
            return None
        place = match.end()
        key, quoted, plain, quoted_item, plain_item = match.groups()
        if key:
            name = key.lower()
            fields[name] = quoted[1:-1] if quoted else (plain or "").rstrip()
            continue
        value = fields.get(name)
        if value is None or (isinstance(value, str) and value):
            return None
        item = quoted_item[1:-1] if quoted_item else plain_item.rstrip()
        fields[name] = (*value, item) if value else (item,)
    return fields


def _restore_hashes(head: str, fields: Fields) -> None:
    """YAML takes everything after ` #` for a comment; in a title (`title: #话题#`) it is part of the text."""
    if "#" not in head:
        return
    found = re.search(r"^title[ \t]*:[ \t]*([^'\"\s|>&*!%@`\[{].*#.*|#.*)$", head, re.M | re.I)
    if found and re.search(r"[^\W_]", found[1]):
        fields["title"] = found[1].strip()


def _flatten(loaded: Mapping[Any, Any]) -> Fields:
    """Scalars as text and lists of scalars (nested lists in order); anything deeper is not ours."""
    fields: Fields = {}
    for key, value in loaded.items():
        name = str(key).strip().lower()
        if isinstance(value, list):
            fields[name] = tuple(_scalars(value))
        elif not isinstance(value, dict):
            fields[name] = "" if value is None else _as_text(value)
    return fields


def _scalars(values: list[Any]) -> list[str]:
    found: list[str] = []
    for value in values[:100]:
        if isinstance(value, list):
            found += [_as_text(v) for v in value[:100] if not isinstance(v, list | dict)]
        elif not isinstance(value, dict):
            found.append(_as_text(value))
    return found


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat() if hasattr(value, "isoformat") else str(value).strip()


def _read_lines(head: str) -> Fields:
    """What YAML refused, line by line: `key: value`, list items below a key, and values that run on."""
    fields: Fields = {}
    name = ""
    for raw in head.splitlines():
        line = raw.rstrip()
        key, item = _KEY.match(line), _ITEM.match(line)
        if key and key[1].lower() not in fields:
            name = key[1].lower()
            fields[name] = (key[2] or "").strip()
        elif not name or not line.strip():
            continue
        elif item and not (isinstance(fields[name], str) and fields[name]):
            fields[name] = (*fields[name], item[1].strip()) if fields[name] else (item[1].strip(),)
        elif isinstance(value := fields[name], str):
            fields[name] = _join(value, line.strip())
    for name, value in fields.items():
        fields[name] = _unquote(value) if isinstance(value, str) else tuple(map(_unquote, value))
    return fields


def _join(first: str, second: str) -> str:
    tight = not first or not second or (CJK.match(first[-1]) and CJK.match(second[0]))
    return first + second if tight else f"{first} {second}"


def _unquote(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == "'":
        return value[1:-1].replace("''", "'").strip()
    if len(value) > 1 and value[0] == value[-1] == '"':
        return re.sub(r'\\(["\\/])', r"\1", value[1:-1]).strip()
    if value.startswith("[") and value.endswith("]"):
        return ", ".join(_unquote(part.strip()) for part in value[1:-1].split(","))
    return value


def _json_head(text: str, start: int) -> FrontMatter:
    try:
        loaded, length = json.JSONDecoder().raw_decode(text[start : start + MAX_LENGTH])
    except (ValueError, RecursionError):
        return FrontMatter()
    body = start + length
    known = isinstance(loaded, dict) and {"title", "date", "url", "link", "permalink"} & {
        k.lower() for k in loaded
    }
    return FrontMatter(_flatten(loaded), body) if known else FrontMatter()


def _unfenced(text: str, start: int) -> FrontMatter:
    """Hexo lets the opening fence be left out: fields up to a line of three hyphens."""
    if not _KNOWN_FIRST_KEY.match(text, start):
        return FrontMatter()
    closing = _FENCES["---"].search(text, start, start + MAX_LENGTH)
    if closing is None:
        return FrontMatter()
    return FrontMatter(_read_yaml(text[start : closing.start()]), closing.end())


def _unclosed(text: str, inner: int) -> FrontMatter:
    """The closing fence is missing: the fields end at the first line that can be none of theirs."""
    place = inner
    while place < min(len(text), inner + MAX_LENGTH):
        end = text.find("\n", place)
        end = len(text) if end < 0 else end
        line = text[place:end].rstrip()
        if not (_KEY.match(line) or _ITEM.match(line)):
            break
        place = end + 1
    return (
        FrontMatter(_read_yaml(text[inner:place]), min(place, len(text))) if place > inner else FrontMatter()
    )
