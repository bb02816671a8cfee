"""A question's words as far as a conversation needs them: what it is about, what it points at, what it asks.

Everything is matched in normal form (simplified, lower case) and given back as it was written.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from retrieval.analyzers import analyzer_with
from retrieval.lexical.normalisation import Normalised, fold
from retrieval.lexical.stop_words import ENGLISH, FUNCTION_WORDS, QUESTION_WORDS
from retrieval.types import Span

LONGEST = 300
"""Characters of a question that are looked at; a longer one is not one that leans on an earlier one."""

_NAMES = ("nr", "ns", "nt", "nz")
_NOUNS = ("n", "eng", "vn", "an", "b", "j", "l", "i", "s")
_MARKS = re.compile(r"[_《》<>“”\"'‘’「」『』]")
_GENERAL = frozenset(
    {"时候", "事", "事情", "问题", "地方", "东西", "年", "天", "人", "钱", "原因", "意思", "名字", "时间"}
    | {
        "情况",
        "内容",
        "办法",
        "方法",
        "作用",
        "区别",
        "上",
        "里",
        "里面",
        "文章",
        "新闻",
        "报道",
        "一共",
        "总共",
    }
)
_NO_BEGINNING = ("t", "d", "r", "p", "c", "f", "m", "x", "a")
_BEGINNING_ENDS = re.compile(
    r"是|有|在|的|和|与|被|会|要|能|可|应|从|用|叫|指|了|过|不|没|还|后来|以后|之后|以前|一共|到底|最|主要|现在|什么|怎|如何|为|多|几|哪|谁|吗|呢|[?？]"
)
_LONGEST_BEGINNING = 10
_ASKING = re.compile(
    r"什么|啥|谁|哪|几[个年月天次种座位只岁点号]|多少|几多|多[大高长远久重深宽厚快]|怎|如何|为何|何[时地人处]|点解|吗\W*$|嘛\W*$"
    r"|是否|是不是|有没有|能不能|可不可以"
    r"|\b(?:what|who|whom|whose|when|where|why|which|how)\b|^(?:is|are|was|were|do|does|did|can|could|will|has|have)\b"
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word in normal form, its part of speech (jieba's: n a noun, nr a person …), its place there."""

    text: str
    tag: str
    span: Span

    @property
    def stops(self) -> bool:
        """Whether it is grammar, politeness, a mark or a blank: nothing a question can be about."""
        empty = self.tag in {"x", "w"} or not any(each.isalnum() for each in self.text)
        return empty or self.text in QUESTION_WORDS or self.text in FUNCTION_WORDS or self.text in ENGLISH


@dataclass(frozen=True, slots=True)
class Wording:
    """A question in normal form, cut into words, and the way back to how it was written."""

    normal: Normalised
    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        """The normal form."""
        return self.normal.text

    def written(self, span: Span) -> str:
        """How a part of the normal form was written."""
        start, end = self.normal.span(*span)
        return self.normal.original[start:end]

    def replaced(self, span: Span, other: str) -> str:
        """The question as it was written, with another text in the place of a part."""
        start, end = self.normal.span(*span)
        return self.normal.original[:start] + other + self.normal.original[end:]

    @property
    def chinese(self) -> bool:
        """Whether it is written in Chinese, at least in part."""
        return any("\u4e00" <= each <= "\u9fff" for each in self.text)

    @property
    def asks(self) -> bool:
        """Whether it has a word that asks."""
        return _ASKING.search(self.text) is not None

    def names_something(self, *, before: int | None = None) -> bool:
        """Whether it has a name of its own (before a place in it): a person, a place, a title in brackets, a
        Latin name."""
        part = self.text if before is None else self.text[:before]
        if re.search(r"《[^》]+》", part) or (not self.chinese and re.search(r"[a-z]\d|\d[a-z]", part)):
            return True
        words = [word for word in self.words if before is None or word.span[1] <= before]
        if self.chinese:
            return any(_is_name(word) for word in words)
        return any(self.written(word.span)[0].isupper() for word in words[1:] if not word.stops)

    def runs(self) -> Iterator[Span]:
        """Spans of consecutive nouns, names and numbers beside them, from left to right."""
        start = end = -1
        for word in self.words:
            if _is_noun(word) or (start >= 0 and word.tag == "m" and not word.stops):
                start = word.span[0] if start < 0 else start
                end = word.span[1]
            elif start >= 0 and word.text == " ":
                continue
            elif start >= 0:
                yield start, end
                start = -1
        if start >= 0:
            yield start, end


@lru_cache(maxsize=512)
def wording(text: str) -> Wording:
    """The words of a question; the last ones are remembered."""
    normal = fold(text[:LONGEST])
    words, place = [], 0
    for form, tag in analyzer_with(None).tagged(normal.text):
        words.append(Word(form, tag, (place, place + len(form))))
        place += len(form)
    return Wording(normal, tuple(words))


def topic_of(question: Wording, title: str) -> str:
    """What a question is about, as it wrote it: the longest part that the title of its first hit has too,
    else what it begins with before it asks, else its first noun, else its first word of content."""
    shared = _shared_with(question, _MARKS.sub("", fold(title).text))
    if shared is not None:
        return question.written(shared)
    if beginning := _beginning(question):
        return beginning
    runs = [run for run in question.runs() if run[1] - run[0] > 1]
    named = [name for run in runs if (name := _name_in(question.written(run)))]
    if runs:
        return named[0] if named else question.written(runs[0])
    content = [word for word in question.words if not word.stops and word.text not in _GENERAL]
    return question.written(content[0].span) if content else ""


def title_head(title: str, limit: int = 20) -> str:
    """The part of a title that names the matter: what stands before a colon or dash, else its beginning."""
    head = re.split(r"[：:—|｜，,]|\s[-–]\s", _MARKS.sub("", title).strip())[0].strip()
    return head if 2 <= len(head) <= limit else title.strip()[:limit]


def _beginning(question: Wording) -> str:
    """What stands before the first word of grammar of a Chinese question; empty where that names nothing."""
    first = next((word for word in question.words if word.text != " "), None)
    if first is None or not question.chinese or first.stops or first.tag[:1] in _NO_BEGINNING:
        return ""
    end = _BEGINNING_ENDS.search(question.text, 1)
    text = question.written((0, end.start())).strip() if end else ""
    return text if 2 <= len(text) <= _LONGEST_BEGINNING and not any(map(_is_mark, text)) else ""


def _is_mark(character: str) -> bool:
    return not character.isalnum() and character not in " 《》·-"


def _name_in(phrase: str) -> str:
    """The part of a Latin phrase from its first to its last word with a capital or a digit."""
    words = phrase.split() if phrase.isascii() else []
    marked = [place for place, word in enumerate(words) if word[0].isupper() or re.search(r"\d", word)]
    return " ".join(words[marked[0] : marked[-1] + 1]) if marked else ""


def _is_name(word: Word) -> bool:
    long_enough = len(word.text) > 1
    return (word.tag.startswith(_NAMES) and long_enough) or (word.tag == "eng" and word.text not in ENGLISH)


def _is_noun(word: Word) -> bool:
    return word.tag.startswith(_NOUNS) and not word.stops and word.text not in _GENERAL


def _shared_with(question: Wording, title: str) -> Span | None:
    """The longest sequence of words that the title has too, with the nouns before it that qualify it.

    From noun to noun; where that is no more than a place or a short common noun, verbs may end it
    (上海磁浮: jieba takes 磁浮 for a verb).
    """
    best = _longest_shared(question, title, nouns=True)
    if best is None or _is_vague(question.words[best[0] : best[1] + 1]):
        best = _longest_shared(question, title, nouns=False) or best
    if best is None:
        return None
    words, (first, last) = question.words, best
    while first and words[first].text[0] > "\u2e7f" and _is_noun(words[first - 1]):
        first -= 1
    if not question.chinese:
        first, last = _english_chunk(question, first, last)
    return _with_brackets(question, (words[first].span[0], words[last].span[1]))


def _english_chunk(question: Wording, first: int, last: int) -> tuple[int, int]:
    """The name (capitals) or the nouns (none) around some English words."""
    words = question.words

    def belongs(place: int) -> bool:
        word = words[place]
        return word.tag != "x" and not word.stops and question.written(word.span)[0].isupper() == capital

    capital = question.written(words[first].span)[0].isupper()
    while first > 2 and words[first - 1].text == " " and belongs(first - 2):
        first -= 2
    while last + 2 < len(words) and words[last + 1].text == " " and belongs(last + 2):
        last += 2
    return first, last


def _longest_shared(question: Wording, title: str, *, nouns: bool) -> tuple[int, int] | None:
    """The first and last word of the longest shared sequence."""
    best: tuple[int, int] | None = None
    longest = 0
    words = question.words
    for first, word in enumerate(words):
        if word.stops or (nouns and not _is_noun(word)):
            continue
        for last in range(first, len(words)):
            part = _MARKS.sub("", question.text[word.span[0] : words[last].span[1]])
            if part not in title or _ASKING.search(words[last].text):
                break
            ends = _is_noun(words[last]) or words[last].tag == "m" or not (nouns or words[last].stops)
            if ends and _weighs(part) and len(part) > longest:
                best, longest = (first, last), len(part)
    return best


def _is_vague(words: Sequence[Word]) -> bool:
    return all(word.tag == "ns" for word in words) or (len(words) == 1 and len(words[0].text) < 3)


def _with_brackets(question: Wording, span: Span) -> Span:
    text = question.text
    if text[span[0] - 1 : span[0]] == "《" and text[span[1] : span[1] + 1] == "》":
        return span[0] - 1, span[1] + 1
    return span


def _weighs(part: str) -> bool:
    return part not in _GENERAL and (len(part) > 2 or (len(part) == 2 and part[0] > "\u2e7f"))


def joined_words(parts: Sequence[str]) -> str:
    """Parts of a sentence put together: a blank between Latin words, nothing between Chinese ones."""
    result = ""
    for part in parts:
        latin = result[-1:].isascii() and part[:1].isascii() and result[-1:].isalnum()
        result += (" " if latin and part[:1].isalnum() else "") + part
    return result
