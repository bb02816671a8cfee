"""What speaks for a sentence of a passage as the answer to a question, as numbers.

The features are shares (0 to 1), logarithms or flags; FEATURES names them in order. Which words a sentence
shares with the question says most; what is missing there but expected of the answer (a number, a date, a
name, a reason) says the rest, and so do the neighbours: an answer often follows the sentence that names the
subject.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib import resources
from math import log
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from retrieval.answering.presence import Characters, GramFinder
from retrieval.lexical.occurrence import ShortTextWords
from retrieval.question import AnswerKind, Question
from retrieval.ranking.background import load_background

if TYPE_CHECKING:
    from retrieval.lexical.analyzer import Content

Floats = NDArray[np.float64]
Features = NDArray[np.float64]
"""Shape (sentences, len(FEATURES))."""

_KINDS = tuple(AnswerKind)
_SIGNS: dict[str, re.Pattern[str]] = {
    "digits": re.compile(r"[0-9]"),
    "numeral": re.compile(
        r"[0-9一二两三四五六七八九十百千万亿半]+(?:多|余|来)?"
        r"[个人年月日天岁米吨元亩户条座所项种部次名位家届倍度层%公平千英]"
    ),
    "date": re.compile(
        r"[0-9]{1,4}年|[0-9]{1,2}月|世纪|年代|[元一二三四五六七八九十]+年|公元|时期|年间|[朝代]末|[朝代]初"
    ),
    "name": re.compile(
        r"[\u4e00-\u9fff]·[\u4e00-\u9fff]|先生|女士|教授|博士|国王|皇帝|总统|将军|主教|[a-z]{3,} [a-z]{3,}"
    ),
    "place": re.compile(r"[省市县区州国岛洲镇村港湾海江河山湖]|位于|地处|坐落|东部|西部|南部|北部"),
    "cause": re.compile(
        r"因为|由于|因此|所以|因而|导致|使得|造成|为了|是因|之故|缘故|原因|起因|以致|故此|从而|以便|出于|基于"
    ),
    "means": re.compile(
        r"通过|利用|采用|使用|以.{1,12}方式|方法|步骤|首先|其次|然后|借助|透过|凭|靠|将.{1,20}[成为]"
    ),
    "definition": re.compile(
        r"是指|指的是|又称|称为|称作|也叫|叫做|定义|意思|意为|即是|就是|是一|是由|属于|简称|原名|[(](?:又|英|也|简|即)"
    ),
    "quote": re.compile(r"《[^》]+》|“[^”]+”|「[^」]+」|『[^』]+』|\"[^\"]+\""),
    "list": re.compile(r"、[^、]+、|包括|分别|以及|等"),
    "negation": re.compile(r"不|没|无|非|未"),
}
_EXPECTED: dict[AnswerKind, tuple[str, ...]] = {
    AnswerKind.PERSON: ("name", "quote"),
    AnswerKind.PLACE: ("place",),
    AnswerKind.TIME: ("date", "digits"),
    AnswerKind.NUMBER: ("numeral", "digits"),
    AnswerKind.REASON: ("cause",),
    AnswerKind.MANNER: ("means", "cause"),
    AnswerKind.DEFINITION: ("definition", "quote", "list"),
    AnswerKind.YES_NO: ("negation",),
    AnswerKind.OTHER: ("quote", "list", "definition"),
}
_BASE = (
    "characters",
    "bigrams",
    "trigrams",
    "characters_of_best",
    "bigrams_of_best",
    "rare_here",
    "rarest",
    "density",
    "characters_before",
    "bigrams_before",
    "characters_after",
    "bigrams_after",
    "with_before",
    "focus",
    "focus_nearby",
    "length",
    "new_characters",
    "first",
    "second",
    "place",
    "asks",
    "after_question",
    "after_label",
    "label",
    "refers_back",
    "unit",
    "new_digits",
    "new_digits_when_asked",
    "short",
    *(f"{name}{suffix}" for name in ("characters", "bigrams") for suffix in ("_new", "_new_of_best", "_own")),
    *(
        f"{name}_{side}{suffix}"
        for side in ("left", "right")
        for name in ("characters", "bigrams")
        for suffix in ("", "_new")
    ),
    "cues",
    "cue_words",
    "behind",
    "leading",
    "opening",
)
_CROSSED = ("characters_of_best", "bigrams_of_best", "with_before", "first", "length")
FEATURES = (
    *_BASE,
    *(f"{kind}:{sign}" for kind in _KINDS for sign in _EXPECTED[kind]),
    *(f"{kind}:{name}" for kind in _KINDS for name in _CROSSED),
)
COLUMN = {name: number for number, name in enumerate(FEATURES)}
_CROSSED_FROM = [COLUMN[name] for name in _CROSSED]
_CROSSED_TO = {kind: [COLUMN[f"{kind}:{name}"] for name in _CROSSED] for kind in _KINDS}
_TINY = 1e-9
_MAX_GRAMS = 64
_ENDS = frozenset((".", "。", "!", "?", ";", "…", ""))
_LABEL = re.compile(r"^[^0-9■●◆•·一二三四五六七八九十]{1,12}$")
_BACK = re.compile(r"[其他她它该此这]|后者|前者|当时|因此|所以|同年|次年|之后|随后")
_FOCUS = re.compile(
    r"(?:什么样的|什么|哪一?[个种类些位项座间所家支只部本条份届]?|何种|何|多少|几)([\u4e00-\u9fff]{1,4})"
)
_INTERROGATIVE = re.compile(r"什么|哪|谁|多少|几|何|怎|如何|吗|是否|多[大高长远重久]|\bwh|\bhow")
_DIGITS = re.compile(r"[0-9]+(?:[.,][0-9]+)*")


@dataclass(frozen=True, slots=True)
class Grams:
    """The distinct n-grams of a question of one length, with their weights: shape (grams,).

    `sides` mark those right before and right after the interrogative; `near` are their summed weights.
    """

    names: tuple[str, ...]
    weights: NDArray[np.float64]
    sides: tuple[NDArray[np.float64], ...]
    near: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """The question as the features see it: its n-grams by length, and what it asks for."""

    kind: AnswerKind
    unit: str
    levels: tuple[Grams, ...]
    focus: str
    digits: frozenset[str]
    cues: tuple[tuple[str, ...], ...]
    finder: GramFinder = field(compare=False)


def asked(question: Question, content: "Content") -> Asked:
    """Prepare a question; `content` is what of it carries weight."""
    normalised = content.text
    sides = _sides(normalised)
    found = _FOCUS.search(normalised)
    levels = tuple(_grams(content.runs, size, sides) for size in (1, 2, 3))
    return Asked(
        kind=question.kind,
        unit=question.unit,
        levels=levels,
        focus=_focus(found[1], content.words) if found else "",
        digits=frozenset(_DIGITS.findall(normalised)),
        cues=_cues_of(normalised),
        finder=GramFinder([grams.names for grams in levels]),
    )


def _grams(runs: Sequence[str], size: int, sides: tuple[str, str]) -> Grams:
    grams = dict.fromkeys(run[i : i + size] for run in runs for i in range(len(run) - size + 1))
    names = tuple(grams)[:_MAX_GRAMS]
    rate = load_background().rate
    weights = np.array([_weight(name, rate) for name in names])
    marks = tuple(np.array([name in side for name in names], dtype=float) for side in sides)
    return Grams(names, weights, marks, tuple(float(weights @ mark) + _TINY for mark in marks))


def _sides(text: str) -> tuple[str, str]:
    """The characters right before and after the interrogative: what is asked about the subject."""
    found = _INTERROGATIVE.search(text)
    place = found.start() if found else len(text)
    return text[max(0, place - 7) : place], text[place : place + 9]


def _cues_of(text: str) -> tuple[tuple[str, ...], ...]:
    """The groups of cue words that a question calls up."""
    groups, words = _cue_groups()
    found = words.within(text)
    return tuple(group for group in groups if not found.isdisjoint(group)) if found else ()


@cache
def _cue_groups() -> tuple[list[tuple[str, ...]], ShortTextWords]:
    """The groups of cue words, and those words of two characters or more by which a question is
    recognised."""
    lines = resources.files(__package__).joinpath("cues.txt").read_text(encoding="utf-8").splitlines()
    groups = [tuple(line.split()) for line in lines if not line.startswith("#")]
    return groups, ShortTextWords(word for group in groups for word in group)


@dataclass(frozen=True, slots=True)
class Sentences:
    """The sentences of several articles in normal form, one article's after the other's; each article has
    some. `titles` are the articles', in normal form: they name the subjects.

    `sizes` counts each article's sentences, `firsts` has the row of its first one: shape (articles,);
    `owners` is the article of each sentence: shape (sentences,).
    """

    texts: Sequence[str]
    titles: Sequence[str]
    characters: Characters
    sizes: NDArray[np.int64]
    firsts: NDArray[np.int64]
    owners: NDArray[np.int64]

    @classmethod
    def of(cls, articles: Sequence[Sequence[str]], titles: Sequence[str]) -> "Sentences":
        """The sentences of each article."""
        texts = [sentence for article in articles for sentence in article]
        sizes = np.array([len(article) for article in articles], dtype=np.int64)
        owners = np.arange(len(sizes)).repeat(sizes)
        return cls(texts, titles, Characters.of(texts), sizes, sizes.cumsum() - sizes, owners)


def sentence_features(asked: Asked, sentences: Sentences) -> Features:
    """One row for each sentence: shape (sentences, len(FEATURES)). Articles do not influence each other."""
    found = np.zeros((len(sentences.texts), len(FEATURES)))
    shared = _overlap(asked, sentences, found)
    _shape(asked, sentences, shared, found)
    _cues(asked, sentences, found)
    for sign in _EXPECTED[asked.kind]:
        pattern = _SIGNS[sign]
        column = COLUMN[f"{asked.kind}:{sign}"]
        found[:, column] = [pattern.search(sentence) is not None for sentence in sentences.texts]
    found[:, _CROSSED_TO[asked.kind]] = found[:, _CROSSED_FROM]
    return found


def _overlap(asked: Asked, sentences: Sentences, found: Features) -> Floats:
    """What the sentences, and their neighbours, share with the question; gives how many of its characters
    each has."""
    firsts, owners = sentences.firsts, sentences.owners
    shared = np.zeros(len(sentences.texts))
    having = asked.finder.presence(sentences.characters)
    for name, grams, present in zip(("characters", "bigrams", "trigrams"), asked.levels, having, strict=True):
        if not grams.names:
            continue
        names = grams.names
        share = present @ grams.weights / (float(grams.weights.sum()) + _TINY)
        found[:, COLUMN[name]] = share
        if name == "characters":
            shared = present.sum(axis=1)
        if name == "trigrams":
            break
        found[:, COLUMN[f"{name}_of_best"]] = _of_best(share, firsts, owners)
        found[:, COLUMN[f"{name}_before"]] = _before(share, firsts)
        found[:-1, COLUMN[f"{name}_after"]] = share[1:]
        found[firsts[1:] - 1, COLUMN[f"{name}_after"]] = 0
        if name == "bigrams":
            _rarity(present, grams.weights, sentences, found)
        untitled = np.array(
            [[gram not in title for gram in names] for title in sentences.titles], dtype=float
        )
        _beyond_subject(name, grams, present * grams.weights, untitled, sentences, found)
    lengths = sentences.characters.lengths
    found[:, COLUMN["density"]] = found[:, COLUMN["characters"]] / np.sqrt(lengths / 20 + 1)
    return shared


def _of_best(values: Floats, firsts: NDArray[np.int64], owners: NDArray[np.int64]) -> Floats:
    """As shares of the greatest value of each article."""
    best: Floats = values / (np.maximum.reduceat(values, firsts) + _TINY)[owners]
    return best


def _before(values: Floats, firsts: NDArray[np.int64]) -> Floats:
    """The value of the sentence before, 0 for an article's first."""
    shifted = np.empty_like(values)
    shifted[1:] = values[:-1]
    shifted[firsts] = 0
    return shifted


def _rarity(present: Features, weights: Floats, sentences: Sentences, found: Features) -> None:
    """Which sentences have the bigrams that few others of the article have; what a sentence adds to the one
    before."""
    firsts, owners = sentences.firsts, sentences.owners
    frequency = np.add.reduceat(present, firsts, axis=0)
    known = weights * (frequency > 0)
    here = known * np.log((sentences.sizes[:, None] + 1) / (frequency + 0.5))
    mass = np.einsum("sg,sg->s", present, here[owners])
    found[:, COLUMN["rare_here"]] = _of_best(mass, firsts, owners)
    rarest = np.argmax(known, axis=1)[owners]
    found[:, COLUMN["rarest"]] = present[np.arange(len(present)), rarest]
    both = np.maximum(present[1:], present[:-1]) @ weights / (float(weights.sum()) + _TINY)
    found[1:, COLUMN["with_before"]] = both - found[:-1, COLUMN["bigrams"]]
    found[firsts, COLUMN["with_before"]] = 0


def _beyond_subject(
    name: str, grams: Grams, mass: Features, untitled: Floats, sentences: Sentences, found: Features
) -> None:
    """Overlap in what is not the subject: that stands in the title, in the first sentence, or in many.

    `mass` is the weight of each gram where a sentence has it, else 0: shape (sentences, grams); `untitled`
    marks the grams that each title does not have: shape (articles, grams).
    """
    firsts, owners = sentences.firsts, sentences.owners
    new = (mass[firsts] == 0) * untitled
    beyond = mass * new[owners]
    share = beyond.sum(axis=1) / (new @ grams.weights + _TINY)[owners]
    found[:, COLUMN[f"{name}_new"]] = share
    found[:, COLUMN[f"{name}_new_of_best"]] = _of_best(share, firsts, owners)
    having = np.add.reduceat((mass != 0).astype(np.float64), firsts, axis=0)
    own = np.einsum("sg,sg->s", mass, (1 / np.maximum(having, 1))[owners])
    found[:, COLUMN[f"{name}_own"]] = own / (np.add.reduceat(own, firsts) + _TINY)[owners]
    for side, near, total in zip(("left", "right"), grams.sides, grams.near, strict=True):
        found[:, COLUMN[f"{name}_{side}"]] = mass @ near / total
        found[:, COLUMN[f"{name}_{side}_new"]] = beyond @ near / total


def _cues(asked: Asked, sentences: Sentences, found: Features) -> None:
    """How many of the question's groups of cue words a sentence has a word of, and how many words."""
    if not asked.cues:
        return
    firsts, owners = sentences.firsts, sentences.owners
    for group in asked.cues:
        words = np.array(
            [sum(word in sentence for word in group) for sentence in sentences.texts], dtype=np.float64
        )
        found[:, COLUMN["cues"]] += (words > 0) / len(asked.cues)
        found[:, COLUMN["cue_words"]] += words / (np.add.reduceat(words, firsts) + 1)[owners]


def _shape(asked: Asked, sentences: Sentences, shared: Floats, found: Features) -> None:
    """Length, place and form of the sentences; `shared` counts the question's characters in each."""
    texts, firsts, owners = sentences.texts, sentences.firsts, sentences.owners
    lengths = sentences.characters.lengths
    places = np.arange(len(texts)) - firsts[owners]
    questions = np.array([text.rstrip('”」』"').endswith("?") for text in texts], dtype=np.float64)
    labels = [len(text) < 25 and text[-1:] not in _ENDS for text in texts]
    focus = np.array([bool(asked.focus) and asked.focus in text for text in texts], dtype=np.float64)
    digits = [not asked.digits.issuperset(_DIGITS.findall(text)) for text in texts]
    columns: dict[str, Floats | Sequence[float]] = {
        "focus": focus,
        "focus_nearby": _before(focus, firsts),
        "length": np.log1p(lengths) / 5,
        "new_characters": np.log1p(sentences.characters.distinct() - shared) / 4,
        "place": places / sentences.sizes[owners],
        "asks": questions,
        "after_question": _before(questions, firsts),
        "after_label": _before(np.array(labels, dtype=np.float64), firsts),
        "label": [
            label and _LABEL.search(text) is not None for label, text in zip(labels, texts, strict=True)
        ],
        "refers_back": [_BACK.match(text) is not None for text in texts],
        "new_digits": digits,
        "short": np.asarray(lengths < 8, dtype=np.float64),
        "first": np.asarray(places == 0, dtype=np.float64),
        "second": np.asarray(places == 1, dtype=np.float64),
    }
    if asked.kind in (AnswerKind.NUMBER, AnswerKind.TIME):
        columns["new_digits_when_asked"] = digits
    if asked.unit:
        columns["unit"] = [_has_unit(text, asked.unit) for text in texts]
    for name, values in columns.items():
        found[:, COLUMN[name]] = values


@lru_cache(maxsize=256)
def _unit_pattern(unit: str) -> re.Pattern[str]:
    return re.compile(rf"[0-9一二两三四五六七八九十百千万亿几半多余](?:多|余|来)?{re.escape(unit)}")


def _has_unit(sentence: str, unit: str) -> bool:
    return _unit_pattern(unit).search(sentence) is not None


Rate = Callable[[str], float]


def _weight(gram: str, rate: Rate) -> float:
    if len(gram) < 3:
        return -log(min(1.0, rate(gram)))
    return max(-log(min(1.0, rate(gram[i : i + 2]))) for i in range(len(gram) - 1))


def _focus(text: str, words: Sequence[str]) -> str:
    """The noun right after an interrogative: what the answer is one of."""
    return next((word for word in words if text.startswith(word)), text[:2])
