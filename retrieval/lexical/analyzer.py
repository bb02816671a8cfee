"""Text → terms, the same for index and question: words, bigrams, characters, numbers, dates, Latin names.

Words are jieba's (by its Rust implementation), after normalisation; those of one or two ideographs are no
terms of their own (they would only double characters and bigrams), unless the user's dictionary has them.
The first character of a term says its kind, so that kinds never collide in one field and can be weighted
apart.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import SourceError
from retrieval.lexical.entities import Entity, entity_terms, find_entities
from retrieval.lexical.ideographs import (
    BIGRAM_KIND,
    CHARACTER_KIND,
    all_terms,
    bigrams_of,
    characters_of,
    ideograph_terms,
)
from retrieval.lexical.normalisation import (
    IDEOGRAPH,
    WORD,
    Normalised,
    character_classes,
    code_points,
    fold,
    fold_all,
    having,
    load_variants,
    rewrite,
    text_of,
)
from retrieval.lexical.occurrence import Occurrence
from retrieval.lexical.query import MAX_QUERY_CHARACTERS, LexicalQuery, QueryTerm
from retrieval.lexical.stop_words import ENGLISH, content_mask

VERSION = 1
"""Bumped when the terms of a text change, so that indexes are rebuilt."""

WORD_KIND = "w"
NUMBER_KIND, DATE_KIND, LATIN_KIND = "n", "d", "l"

MAX_QUERY_TERMS = 64
MAX_ALTERNATIVES = 6
MAX_DICTIONARY_LINES = 500_000
_MAX_TERM = 64
_COMPOUND = 4
"""A word that may be made of two has at least so many characters."""
_PLAIN_WORDS = 50_000
_MARK = "%%%"
"""A word for jieba, wherever it stands between two characters that are none."""
_REGIONAL_FREQUENCY = 100
"""Regional words that jieba's dictionary does not have are taken to be about as common as 随身 in it."""


@dataclass(frozen=True, slots=True)
class TermWeights:
    """The weight of each kind of term in a question, and of the fields beside the body."""

    word: float = 0.5
    bigram: float = 0.7
    character: float = 1.0
    entity: float = 1.75
    part: float = 0.75
    alternative: float = 0.5
    heading_field: float = 0.5
    title_field: float = 1.0

    def of(self, term: str) -> float:
        """The weight of one term by its kind."""
        match term[0]:
            case "w":
                return self.word
            case "b":
                return self.bigram
            case "c":
                return self.character
            case _:
                return self.entity


@dataclass(frozen=True, slots=True)
class _Analysis:
    """A normalised text, its words (their concatenation is the text), those of three characters or more, and
    its characters' classes."""

    normalised: Normalised
    words: Sequence[str]
    long_words: Sequence[str]
    classes: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Content:
    """What of a question carries weight, normalised and in order.

    `runs` are the stretches between stop words, `words` the words in them, `alternatives` words of another
    region that may mean the same as one of them, `entities` numbers, dates and Latin names. `text` is all of
    the question in normal form.
    """

    text: str
    runs: tuple[str, ...]
    words: tuple[str, ...]
    alternatives: tuple[str, ...]
    entities: tuple[Entity, ...]


_Considered = tuple[_Analysis, NDArray[np.bool_], Content]
"""A question, which of its characters carry weight, and what these are."""


class Analyzer:
    """Turns texts and questions into terms. Safe to share between threads."""

    def __init__(self, user_dictionary: Path | None = None, *, weights: TermWeights | None = None) -> None:
        self._weights = weights or TermWeights()
        self._user_words = _read_dictionary(user_dictionary) if user_dictionary else ()
        self._short_user_words = frozenset(word for word, *_ in self._user_words if len(word) < 3)
        self._variants = load_variants()
        self._regional_words = frozenset(self._variants.rewritten)
        self._plain_words: set[str] = set()
        self.normalise: Callable[[str], Normalised] = lru_cache(maxsize=64)(self._normalise)
        """The form in which a text is searched, and the way back to it; the last texts are remembered."""
        self._considered: Callable[[str], _Considered] = lru_cache(maxsize=64)(self._consider)
        self.examine: Callable[[str], Content] = lru_cache(maxsize=64)(self._examine)
        """What of a question carries weight; the last questions are remembered."""

    @cached_property
    def _jieba(self) -> Any:
        import rjieba

        jieba = rjieba.Jieba()
        for word in (*self._variants.rewritten, *self._variants.alternatives):
            if jieba.cut(word, False) != [word]:
                jieba.add_word(word, _REGIONAL_FREQUENCY, None)
        for word, frequency, tag in self._user_words:
            jieba.add_word(word, frequency, tag)
        return jieba

    def _cut(self, text: str) -> list[str]:
        words: list[str] = self._jieba.cut(text)
        return words

    def _cut_together(self, texts: Sequence[str]) -> tuple[list[list[str]], list[int]]:
        """The long words of each text, and the places of those that may have other regions' words: all texts
        are cut in one go, in three quarters of the time, and their words are not told apart."""
        words = self._cut(f"\0{_MARK}\0".join(texts))
        long_words = _long(words)
        if long_words.count(_MARK) != len(texts) - 1:  # one has the mark in it, or there is none
            return [_long(self._cut(text)) for text in texts], list(range(len(texts)))
        ends = [place for place, word in enumerate(long_words) if word == _MARK]
        starts = [0, *(end + 1 for end in ends)]
        cut = [long_words[start:end] for start, end in zip(starts, [*ends, None], strict=True)]
        regional = self._regional_words.intersection(words)
        return cut, [
            place
            for place, (text, some) in enumerate(zip(texts, cut, strict=True))
            if any(map(text.__contains__, regional)) or self._has_compound(some)
        ]

    def tagged(self, text: str) -> list[tuple[str, str]]:
        """The words of a text that is in normal form, each with jieba's part of speech (nr: a person, …)."""
        tagged: list[tuple[str, str]] = self._jieba.tag(text)
        return tagged

    @cached_property
    def fingerprint(self) -> str:
        """Changes whenever the terms of a text may: the version, the words known, the user dictionary."""
        variants = sorted(self._variants.rewritten.items()), sorted(self._variants.alternatives)
        known = map(repr, (VERSION, *variants, self._user_words))
        return hashlib.sha256("".join(known).encode()).hexdigest()[:16]

    def _normalise(self, text: str) -> Normalised:
        return self._in_mainland_words(fold(text))

    def normalise_all(
        self, texts: Sequence[str], stored: Sequence[str | None] | None = None
    ) -> list[Normalised]:
        """`normalise` of each text, quicker than one by one; more so where normal forms are `stored`."""
        forms = fold_all(texts)
        known = stored or [None] * len(texts)
        new = [place for place, form in enumerate(known) if form is None]
        rewritten = [new[place] for place in self._regional.among([forms[place].text for place in new])]
        rewritten += [place for place, form in enumerate(known) if form not in (None, forms[place].text)]
        for place in rewritten:
            forms[place] = self._in_mainland_words(forms[place])
        return forms

    def normal_forms(self, lines: Sequence[str]) -> list[str]:
        """`normalise(line).text` of many short lines (none with a line break) at the price of few."""
        forms = fold("\n".join(lines)).text.split("\n") if lines else []
        for place in self._regional.among(forms):
            forms[place] = self._in_mainland_words(fold(lines[place])).text
        return forms

    @cached_property
    def _regional(self) -> Occurrence:
        return Occurrence(self._variants.rewritten)

    def words(self, text: str) -> list[str]:
        """The normalised text cut into words; their concatenation is `normalise(text).text`."""
        return self._cut_finally(fold(text))[1]

    def terms(self, text: str) -> list[str]:
        """All terms of a text to be indexed, repeated as often as they occur."""
        return self._terms(self._analyse(text))

    def analyse(self, texts: Sequence[str]) -> list[tuple[Normalised, str]]:
        """`normalise(text)` and `terms(text)`, joined by spaces, of each text: quicker than one by one."""
        forms, others = self.analyse_apart(texts)
        return list(zip(forms, all_terms([form.text for form in forms], others), strict=True))

    def analyse_apart(self, texts: Sequence[str]) -> tuple[list[Normalised], list[str]]:
        """The same but for characters and bigrams, which `all_terms` adds.

        Each step is taken for all texts before the next: what it looks up stays in the processor's cache
        meanwhile.
        """
        forms = fold_all(texts)
        long_words, regional = self._cut_together([form.text for form in forms])
        words: dict[int, Sequence[str]] = {}
        for place in range(len(forms)) if self._short_user_words else regional:
            forms[place], words[place] = self._cut_finally(forms[place])
            long_words[place] = _long(words[place])
        texts = [form.text for form in forms]
        return forms, [
            " ".join(self._other_terms(text, words.get(place, ()), long, entities))
            for place, (text, long, entities) in enumerate(
                zip(texts, long_words, having(texts, WORD), strict=True)
            )
        ]

    def content(self, text: str) -> tuple[str, ...]:
        """The runs of a normalised question that carry weight, without stop words, punctuation and spaces.

        Entities (gpt-4, 6.42%) stay whole. Where nothing is left, the runs with stop words.
        """
        return self.examine(text).runs

    def _examine(self, text: str) -> Content:
        found = self._considered(text[:MAX_QUERY_CHARACTERS])[2]
        return found if found.runs else self._consider_all(text[:MAX_QUERY_CHARACTERS])[2]

    def _consider(self, text: str) -> _Considered:
        analysis = self._analyse(text)
        mask = content_mask(analysis.words)
        return analysis, mask, self._content(analysis, mask, ENGLISH)

    def _consider_all(self, text: str) -> _Considered:
        """Where there is nothing but question words, these are what is asked for."""
        analysis = self._considered(text)[0]
        mask = np.ones(len(analysis.normalised.text), dtype=bool)
        return analysis, mask, self._content(analysis, mask)

    def _content(
        self, analysis: _Analysis, content: NDArray[np.bool_], stops: frozenset[str] = frozenset()
    ) -> Content:
        words = list(_content_words(analysis, content))
        entities = _content_entities(analysis, content, stops)
        others = dict.fromkeys(
            fold(other).text for word in words for other in self._variants.alternatives.get(word, ())
        )
        return Content(
            text=analysis.normalised.text,
            runs=_runs(analysis, content, entities),
            words=tuple(words),
            alternatives=tuple(others)[:MAX_ALTERNATIVES],
            entities=entities,
        )

    def _terms(self, analysis: _Analysis) -> list[str]:
        text = analysis.normalised.text
        entities = bool((analysis.classes & WORD).any())
        others = self._other_terms(text, analysis.words, analysis.long_words, entities)
        return [*ideograph_terms([text])[0].split(), *others]

    def _other_terms(
        self, text: str, words: Sequence[str], long_words: Sequence[str], entities: bool
    ) -> list[str]:
        """Words, numbers, dates and names. `words` are needed for the user's short ones alone."""
        terms = [WORD_KIND + word for word in long_words if word[0] > "\u2e7f"]
        if self._user_words:
            terms += [WORD_KIND + word for word in words if len(word) < 3 and word in self._short_user_words]
        if entities:
            for whole, parts in entity_terms(text):
                terms += whole
                terms += parts
        return terms

    def query(self, text: str) -> LexicalQuery:
        """The weighted terms of a question; question words and politeness weigh nothing."""
        weighted = self._weighted(*self._considered(text[:MAX_QUERY_CHARACTERS]))
        if not weighted:
            weighted = self._weighted(*self._consider_all(text[:MAX_QUERY_CHARACTERS]))
        terms = _boundedly(weighted)
        return LexicalQuery(
            tuple(QueryTerm(term, weight) for term, weight in terms.items()),
            heading_weight=self._weights.heading_field,
            title_weight=self._weights.title_field,
        )

    def _analyse(self, text: str) -> _Analysis:
        normalised, words = self._cut_finally(fold(text))
        return _Analysis(normalised, words, _long(words), character_classes(normalised.text))

    def _cut_finally(self, folded: Normalised) -> tuple[Normalised, list[str]]:
        """A text with the mainland's words for those of other regions, and its words."""
        words = self._cut(folded.text)
        if not self._has_regional(words):
            return folded, words
        return (rewritten := self._rewritten(folded, words)), self._cut(rewritten.text)

    def _in_mainland_words(self, folded: Normalised) -> Normalised:
        """The same, where only what may have such a word is cut."""
        text, done = folded.text, 0
        words: list[str] = []
        for start, end in self._regional.stretches(text):
            cut = self._cut(text[start:end])
            if self._has_regional(cut):
                words += (text[done:start], *cut)
                done = end
        return self._rewritten(folded, [*words, text[done:]]) if words else folded

    def _has_regional(self, words: Sequence[str]) -> bool:
        return not self._regional_words.isdisjoint(words) or self._has_compound(_long(words))

    def _has_compound(self, long_words: Sequence[str]) -> bool:
        """Whether one of the words begins or ends in another region's."""
        compounds = [word for word in long_words if len(word) >= _COMPOUND]
        if self._plain_words.issuperset(compounds):
            return False
        plain = [word for word in compounds if len(self._split_compound(word)) == 1]
        if len(self._plain_words) > _PLAIN_WORDS:
            self._plain_words = set()
        self._plain_words.update(plain)  # they come again and again
        return len(plain) < len(compounds)

    def _rewritten(self, folded: Normalised, words: Sequence[str]) -> Normalised:
        """The same with the mainland's words for those of other regions."""
        parts: list[str] = []
        for word in words:
            parts += (word,) if len(word) < _COMPOUND else self._split_compound(word)
        return rewrite(folded, parts, self._variants.rewritten)

    def _split_compound(self, word: str) -> tuple[str, ...]:
        """A compound that begins or ends in a regional word (电脑程式), split there; else the word."""
        rewritten = self._variants.rewritten
        if len(word) >= _COMPOUND and word not in rewritten:
            for place in (2, 3, -2, -3):
                parts = word[:place], word[place:]
                if parts[place < 0] in rewritten:
                    return parts
        return (word,)

    def _weighted(
        self, analysis: _Analysis, content: NDArray[np.bool_], found: Content
    ) -> dict[str, float]:
        """Terms of the characters marked as content, in the order of the question, weight by kind."""
        codes = code_points(analysis.normalised.text)
        ideographs = ((analysis.classes & IDEOGRAPH) > 0) & content
        weighted: dict[str, float] = {}
        for term in (term for entity in found.entities for term in entity.terms):
            weighted.setdefault(term, self._weights.entity)
        for term in (term for entity in found.entities for term in entity.parts):
            weighted.setdefault(term, self._weights.part)
        for word in found.words:
            if len(word) > 2 or word in self._short_user_words:
                weighted.setdefault(WORD_KIND + word, self._weights.word)
        for term in text_of(bigrams_of(codes, ideographs[:-1] & ideographs[1:])).split():
            weighted.setdefault(term, self._weights.bigram)
        for term in text_of(characters_of(codes, ideographs)).split():
            weighted.setdefault(term, self._weights.character)
        for term in (term for word in found.alternatives for term in self.terms(word)):
            weighted.setdefault(term, self._weights.of(term) * self._weights.alternative)
        return {term: weight for term, weight in weighted.items() if weight > 0}


def _long(words: Sequence[str]) -> list[str]:
    """Those of three characters or more."""
    return [word for word in words if len(word) > 2]


def _content_words(analysis: _Analysis, content: NDArray[np.bool_]) -> Iterator[str]:
    """Words of ideographs that are content as a whole."""
    place, marks = 0, content.tobytes()
    for word in analysis.words:
        if word[0] > "\u2e7f" and 0 not in marks[place : place + len(word)]:
            yield word
        place += len(word)


def _content_entities(
    analysis: _Analysis, content: NDArray[np.bool_], stops: frozenset[str]
) -> tuple[Entity, ...]:
    if not (analysis.classes & WORD).any():
        return ()
    text = analysis.normalised.text
    found = [entity for entity in find_entities(text) if content[entity.start : entity.end].any()]
    return tuple(entity for entity in found if text[entity.start : entity.end] not in stops)


def _runs(analysis: _Analysis, content: NDArray[np.bool_], entities: Sequence[Entity]) -> tuple[str, ...]:
    """Maximal runs of ideographs among the characters marked as content, and entities."""
    text = analysis.normalised.text
    kind = (((analysis.classes & IDEOGRAPH) > 0) & content).astype(np.int64)
    for number, entity in enumerate(entities, start=2):
        kind[entity.start : entity.end] = number
    borders = [0, *(np.flatnonzero(np.diff(kind)) + 1).tolist(), len(text)]
    return tuple(text[a:b] for a, b in pairwise(borders) if a < b and kind[a])


def _boundedly(weighted: Mapping[str, float]) -> dict[str, float]:
    """At most MAX_QUERY_TERMS: entities first, then words, bigrams and characters, each in order."""
    if len(weighted) <= MAX_QUERY_TERMS:
        return dict(weighted)
    rank = {CHARACTER_KIND: 3, BIGRAM_KIND: 2, WORD_KIND: 1}
    kept = sorted(weighted, key=lambda term: rank.get(term[0], 0))[:MAX_QUERY_TERMS]
    return {term: weighted[term] for term in kept}


def _read_dictionary(path: Path) -> tuple[tuple[str, int | None, str | None], ...]:
    """A user dictionary in jieba's format: one word a line, then, if wanted, frequency and part of speech."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(
            f"The user dictionary {path} cannot be read ({error}): give a UTF-8 text file."
        ) from error
    return tuple(_dictionary_entries(lines[:MAX_DICTIONARY_LINES]))


def _dictionary_entries(lines: Sequence[str]) -> Iterator[tuple[str, int | None, str | None]]:
    for line in lines:
        found = re.fullmatch(r"(.+?)(?: (\d{1,9}))?(?: ([a-z]{1,4}))?", line.strip())
        if found is None:
            continue
        word, frequency, tag = found.groups()
        yield fold(word).text[:_MAX_TERM], int(frequency) if frequency else None, tag
