"""Numbers, dates and Latin names in a normalised text, in one canonical form each.

2,178,400 and 2178400 are one number, 1.5万 is 15000 as well, 8月16日 is 08-16, GPT-4 and gpt4 are one name.
Parts (the year of a date, the letters and digits of a name) are terms too, so that a vaguer question still
matches.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

EntityKind = Literal["date", "number", "name"]

_MAX_NAME = 48
_POWERS = {"百": 2, "千": 3, "万": 4, "百万": 6, "千万": 7, "亿": 8, "百亿": 10, "千亿": 11, "万亿": 12}
# Letters and digits of the scripts that are written with spaces, lower case.
_L = "0-9a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02af\u0370-\u10ff\u1200-\u1fff"
# No quantifier is nested in another without a separator between: every alternative runs in linear time.
_PATTERN = re.compile(
    rf"(?P<date>(?<![{_L}.])(?:[12][0-9]{{3}}年(?:[0-9]{{1,2}}月(?:[0-9]{{1,2}}[日号])?)?"
    r"|[0-9]{1,2}月(?:[0-9]{1,2}[日号])?"
    rf"|[12][0-9]{{3}}(?P<dash>[-/.])[0-9]{{1,2}}(?P=dash)[0-9]{{1,2}}(?![{_L}])))"
    rf"|(?P<number>(?<![{_L}.])(?:[0-9]{{1,3}}(?:,[0-9]{{3}}){{1,8}}(?![0-9])|[0-9]{{1,20}})(?:\.[0-9]{{1,8}})?(?!\.?[{_L}]))"
    r"(?P<unit>%|万亿|[百千]?[万亿]|[百千])?"
    rf"|(?P<name>[{_L}]+(?:[-.'&_/+][{_L}]+){{0,8}}(?:\+\+|#)?)"
)
_START = re.compile(f"[{_L}]")
_PIECES = re.compile(r"[0-9]+(?:\.[0-9]+)?|[^\W\d_]+")
_DIGITS = re.compile(r"[0-9]+")


class Entity(NamedTuple):
    """A place in a text, the terms it is indexed under, and the vaguer ones it is indexed under as well."""

    start: int
    end: int
    kind: EntityKind
    terms: tuple[str, ...]
    parts: tuple[str, ...] = ()


Terms = tuple[tuple[str, ...], tuple[str, ...]]
"""Those that an entity is indexed under, and the vaguer ones."""


def find_entities(text: str) -> Iterator[Entity]:
    """Entities of a normalised text, from left to right, in time linear in its length."""
    for match in _matches(text):
        kind: EntityKind = "date" if match["date"] else "name" if match["name"] else "number"
        yield Entity(*match.span(), kind, *_terms(match))


def entity_terms(text: str) -> Iterator[Terms]:
    """The terms of the same entities."""
    return map(_terms, _matches(text))


def _matches(text: str) -> Iterator[re.Match[str]]:
    place, find, match = 0, _START.search, _PATTERN.match
    while start := find(text, place):
        found = match(text, start.start())
        if found is None:  # a letter or digit always begins some entity
            return
        place = found.end()
        yield found


def _terms(match: re.Match[str]) -> Terms:
    kind = match.lastgroup
    if kind == "date":
        return _date(match["date"])
    if kind == "name":
        return _name(match["name"])
    return _number(match["number"], match["unit"] or "")


@lru_cache(maxsize=16_384)
def _date(text: str) -> Terms:
    numbers = [int(digits) for digits in _DIGITS.findall(text)]
    year = numbers.pop(0) if numbers[0] > 99 else None
    parts = [f"n{number}" for number in (year, *numbers) if number is not None]
    if not numbers:
        return (f"d{year}",), tuple(parts)
    month, *day = numbers
    terms = [f"d{month:02}-{day[0]:02}"] if day else []
    if year is not None:
        terms.append(f"d{year}-{month:02}")
        parts.append(f"d{year}")
        if day:
            terms.insert(0, f"d{year}-{month:02}-{day[0]:02}")
    if not terms:
        terms.append(f"d{month:02}")
    else:
        parts.append(f"d{month:02}")
    return tuple(terms), tuple(parts)


@lru_cache(maxsize=16_384)
def _number(text: str, unit: str) -> Terms:
    value = _canonical(text.replace(",", ""))
    if unit == "%":
        return (f"n{value}%",), (f"n{value}",)
    if unit:
        return (f"n{_shifted(value, _POWERS[unit])}",), (f"n{value}",)
    return (f"n{value}",), ()


def _canonical(digits: str) -> str:
    whole, _, fraction = digits.partition(".")
    fraction = fraction.rstrip("0")
    whole = whole.lstrip("0") or "0"
    return f"{whole}.{fraction}" if fraction else whole


def _shifted(value: str, power: int) -> str:
    """The value times ten to the power, as digits."""
    whole, _, fraction = value.partition(".")
    fraction = fraction.ljust(power, "0")
    return _canonical(f"{whole}{fraction[:power]}.{fraction[power:]}")


@lru_cache(maxsize=65_536)
def _name(text: str) -> Terms:
    text = text.removesuffix("'s")[:_MAX_NAME]
    pieces = [_stem(piece) if piece[0] > "9" else piece for piece in _PIECES.findall(text)]
    whole = "l" + "".join(pieces) + text[len(text.rstrip("+#")) :]
    if len(pieces) < 2:
        return (whole,), ()
    return (whole,), tuple(("n" + _canonical(p)) if p[0] <= "9" else "l" + p for p in pieces)


def _stem(word: str) -> str:
    """English plurals to singulars (Harman's S-stemmer, "How effective is suffixing?", 1991)."""
    if len(word) < 4 or not word.endswith("s"):
        return word
    if word.endswith("ies") and word[-4] not in "ae":
        return word[:-3] + "y"
    if word.endswith("es") and word[-3] not in "aeo":
        return word[:-1]
    return word if word[-2] in "us" else word[:-1]
