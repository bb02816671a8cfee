"""Follow-up questions, from data alone: what a short question may mean in its conversation, and if it does.

`propose` reads a question's words and the turns before it, and says which fuller questions it may stand for.
`decide` looks at what the archive found for each of them and says which one is meant. Nothing here searches,
stores or shows anything.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.wording import Wording, joined_words, wording
from retrieval.lexical.normalisation import fold
from retrieval.types import Span


@dataclass(frozen=True, slots=True)
class Turn:
    """A question that was answered before: its full wording, what it was about, the articles it showed.

    `topics` holds what the conversation was about, the latest first; `articles` are ids with titles in the
    order shown.
    """

    text: str
    topics: tuple[str, ...]
    articles: tuple[tuple[str, str], ...] = ()
    answered: bool = True


class Kind(StrEnum):
    """What kind of follow-up a question may be."""

    MORE = "more"
    """Asks for more of the same: 还有吗, anything else."""
    ARTICLE = "article"
    """Speaks of an article by its place: 第二篇讲了什么, the second one."""
    OTHER = "other"
    """Asks the same of something else: 那海外仓呢, 那去年呢, what about last year."""
    LEANING = "leaning"
    """Leaves out what it is about, or points at it: 什么时候的事, 它有多长, why is it so strong."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a question may stand for: `texts` in the order in which to try them.

    `explicit` ones point at the conversation in so many words; others only may. For Kind.ARTICLE, `place`
    counts from 0 (-1 is the last), and `texts` has what is asked of that article, none to just open it.
    For Kind.OTHER, `other` is what else is asked about, in normal form; `subjectless` ones name no thing at
    all.
    """

    kind: Kind
    texts: tuple[str, ...] = ()
    explicit: bool = True
    place: int = 0
    other: str = ""
    subjectless: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What the archive found for one wording: the first article, and how sure it is (0 to 1)."""

    article: str | None
    title: str
    score: float
    answered: bool


_NUMERALS = "0-9一二三四五六七八九十百千零两"
_LEAD = r"(?:(?:那么|那|然后|另外|还有|至于|但是?|and|but|so|then|ok(?:ay)?)[\s,，、]*)*"
_END = r"[\s?？!！。.,，~…]*"
_MORE = re.compile(
    rf"(?:{_LEAD})(?:还有没有(?:别的|其他的?|其它的?|更多的?)?|还有(?:别的|其他的?|其它的?|更多的?|什么)?"
    r"|更多的?|继续|接着说|再多一?[些点]|(?:别的|其他的?|其它的?)|再来[几一两三]?[篇条个些]"
    r"|(?:any(?:thing)? )?(?:more|else)|what else|show (?:me )?more|next(?: page)?|go on)"
    rf"(?:吗|呢|么|嘛|没有?|了)*(?: please)?{_END}"
)
_PLACES = {"first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "last": -1}
_NUMBER = r"(?:第\s*(?P<number>[1-9一二两三四五六七八九十])|(?P<last>最后一?))"
_ARTICLE = re.compile(
    rf"{_LEAD}(?:{_NUMBER}\s*(?:[篇则](?:文章|新闻|报道|消息)?|[个条项](?:结果|文章|新闻|报道|消息)|[个条](?=[呢?？。!]*$|讲|说|是什么))"
    r"(?=$|里|中|的|讲|说|写|谈|是|有|呢|吗|内容|主要|具体|详细|什么|怎么|为什么|在|谁|多少|[\s,，?？。!])"
    r"|(?:the )?(?P<word>first|second|third|fourth|fifth|last) (?:one|article|story|result|hit)\b"
    r"|(?:article|result|number|no\.?) ?#?(?P<digit>[1-9])\b(?!\s*of\b))(?:里面?|中)?的?"
)
_OPENING = re.compile(
    r"具体|详细|主要|大概|到底|都|又|讲|说|写|谈|是|有|内容|全文|详情|介绍|看|打开|展开|呢|了|的|些|关于|什么时候|什么|啥|何时|吗|作者|谁"
    r"|哪里来|来源|发表|发布|在|\b(?:what|who|when|where|does|do|is|was|it|say|says|about|tell|me|more|open|read|show|please|wrote|published"
    r"|in|from)\b|[\s,，?？。.!]"
)
"""What is said of an article one wants to see: where nothing else is left, it is opened."""
_ASKED_FIRST = re.compile(
    r"(?:what(?: does|'s| is)?|tell me(?: more)? about|open|read|show(?: me)?|about"
    r"|打开|看看?|读|展开|说说|讲讲|介绍一?下?)\s*"
)
_PERIOD = (
    r"(?:大?前年|去年|今年|明年|上+一?个?(?:月|周|星期|礼拜)|本[月周]|这个?(?:月|周|星期)|昨[天日]|今[天日]|前[天日]|最近[一两三几]?(?:天|周|个?月|年)?"
    rf"|(?:1[89]|20)\d\d年?(?:[\s\-/.]?\d{{1,2}}月(?:\d{{1,2}}[日号])?)?|[{_NUMERALS}]{{1,2}}月份?(?:[{_NUMERALS}]{{1,3}}[日号])?"
    r"|(?:in |on )?(?:(?:the )?(?:last|this|previous) (?:year|month|week)|yesterday|today|(?:1[89]|20)\d\d"
    r"|(?:january|february|march|april|may|june|july|august|september|october|november|december)"
    r"(?: (?:1[89]|20)\d\d)?))"
)
_ONLY_PERIOD = re.compile(rf"{_PERIOD}(?:的|份)?")
_OTHER = (
    re.compile(rf"{_LEAD}(?P<it>[^,，。?？]{{1,14}}?)(?:的)?(?:呢|又如何|又怎么?样){_END}"),
    re.compile(rf"(?:那么|那|至于){_END}(?P<it>[^,，。?？]{{1,14}}?)(?:的)?(?:怎么样|如何){_END}"),
    re.compile(
        rf"(?:and |but |so |ok(?:ay)?,? )*(?:what|how) about (?P<it>[^\s?!]+(?: [^\s?!]+){{0,4}}?){_END}"
    ),
    re.compile(rf"and (?:for |in |at |on |of )?(?P<it>[^\s?!]+(?: [^\s?!]+){{0,3}}?){_END}"),
)
_TIME_ONLY = re.compile(
    r"(?:后来|之后|以后|然后|现在|当时|结果|以前|之前|其中|then|now|later|after(?:wards)?|before)"
)
_DEFINITE = re.compile(r"^(?:the |its |their |his |her )")
_FREE = r"(?<![^在是把给到从对为被于过叫说和跟与,，\s])"
"""Where 这个 points and does not stand beside what it means, as in 石油这个名字."""
_THING = re.compile(
    r"(?:它们|牠们|它|牠|(?<!其)该(?=[桥河城书国省市县校司])"
    rf"|{_FREE}[这那][座条本部艘只种颗位个家所][^\s的有是在多]{{0,3}}?(?=[的有是在多])"
    r"|\b(?:it|its)\b)"
)
_POINTING = re.compile(
    rf"它|牠|(?<![其吉])他(?!国|乡|人)|她|^其(?!他|它|实|余|次|中)|{_FREE}这(?=[座条本部艘只种颗位个家所件篇])"
    r"|(?<=.)那(?:里|儿|边|[座条本部艘种颗位所件篇]|个(?:地[方点区]|人|时候?))"
    r"|^(?:是)?(?:什么|哪)(?:时候|年)的?事"
    r"|\b(?:it|its|he|him|his|she|her|hers|they|them|their|theirs)\b"
    r"|^(?:why|how so|when|where|who|how|really)\W*$"
    r"|^(?:为什么|为何|怎么说|真的吗?|在?哪里|在?哪儿|谁|多少|几个|什么时候|何时)\W*$"
)
"""Words that point at something said before."""
_CONNECTING = re.compile(
    r"这[样么里儿时些]|那[样么里儿时些个座条本篇位]|此[事后前]|当[时年]|其中|里面|后来|之后|结果|最后|现在"
    r"|\b(?:that|this|those|these|then|there|now|later|afterwards)\b"
)
"""Words that may point back, and may as well not."""
_LEADING = re.compile(
    _LEAD.replace("那么|那|", "那么(?![大小高长多远冷])|那(?![时里样座个条本部艘篇天年儿边位些么])|")
)
"""What a question begins with that means nothing; 那 in 那时候 and 那座桥 does."""
_MUCH_BETTER = 0.2
_SHARE_AT_HOME = 0.25
_NEARLY = 0.1
_LONGEST_LEANING = 14
_LONGEST_WORD = 4
_LONGEST_ENGLISH = 10


def propose(text: str, turns: Sequence[Turn]) -> Proposal | None:
    """What a question may stand for after these turns (the latest last); None where it stands for itself."""
    if not turns:
        return None
    question, turn = wording(text), turns[-1]
    folded = question.text.strip()
    if _MORE.fullmatch(folded):
        return Proposal(Kind.MORE)
    return _of_article(question, turn) or _of_other(question, turn) or _leaning(question, turn)


def decide(
    proposal: Proposal, plain: Found, tried: Sequence[Found], current: str | None, threshold: float
) -> int | None:
    """Which of the proposal's texts is meant, by what was found for them; None for the question as it stands.

    `plain` is what was found for the question alone, `current` the article that was shown first before,
    `threshold` the score from which a hit answers. A question that points at the conversation is taken as
    it points. One that only may be a follow-up is one where it finds nothing by itself, or less than
    together with what the conversation is about, which must then lead back to the article under discussion.
    """
    if not tried:
        return None
    numbers = range(len(tried))
    best = max(numbers, key=lambda number: (tried[number].answered, tried[number].score, -number))
    if proposal.kind is Kind.OTHER:
        own_article = plain.article != current and proposal.other in fold(plain.title).text
        first_is_fair = tried[0].answered and tried[0].score > tried[best].score - _MUCH_BETTER
        return 0 if own_article or first_is_fair else best
    home = [number for number in numbers if tried[number].article == current]
    at_home = max(home, key=lambda number: (tried[number].score, -number), default=None)
    enough = 0.0 if proposal.explicit else plain.score - (_NEARLY if proposal.subjectless else 0.0)
    if at_home is not None and tried[at_home].score >= max(threshold, enough):
        return at_home
    if plain.answered and (plain.article == current or not proposal.explicit):
        return None
    return best if proposal.explicit or tried[best].answered else None


def needs_trying(proposal: Proposal, plain: Found, current: str | None) -> bool:
    """Whether it is worth searching for the proposal's texts: not where the question by itself is answered
    by the very article under discussion."""
    return proposal.explicit or not plain.answered or plain.article != current


def needs_confirming(proposal: Proposal) -> bool:
    """Whether a follow-up must also be one by the words that are its own: not where it points, or names
    nothing."""
    return proposal.kind is Kind.LEANING and not proposal.explicit and not proposal.subjectless


def without_period(text: str) -> str:
    """A question without the time it names, which most articles have something to do with; as it is where
    nothing else is asked."""
    question = wording(text)
    found = re.search(_PERIOD, question.text)
    left = question.replaced(found.span(), "") if found else text
    return left if left.strip(" ?？。") else text


def has_to_do_with(home: Found, threshold: float) -> bool:
    """Whether an article has to do with a question at all, by what was found for its words in that article
    alone. A whole question about something else finds next to nothing there."""
    return home.score >= threshold * _SHARE_AT_HOME


def looks_incomplete(text: str) -> bool:
    """Whether a question leaves out what it is about, or what it asks, as far as its words tell."""
    question = wording(_LEADING.sub("", text.strip(), count=1))
    if question.names_something() or not _is_short(question):
        return False
    if not question.asks:
        return _is_one_word(question)
    return _POINTING.search(question.text) is not None or not any(_long_enough(question))


def _of_article(question: Wording, turn: Turn) -> Proposal | None:
    found = _ARTICLE.search(question.text.strip())
    if found is None or not turn.articles:
        return None
    before = question.text.strip()[: found.start()]
    if before and not _ASKED_FIRST.fullmatch(before):
        return None
    if found["number"] or found["digit"]:
        numeral = found["number"] or found["digit"]
        place = (
            int(numeral) - 1
            if numeral.isdigit()
            else "一二三四五六七八九十".find(numeral.replace("两", "二"))
        )
    else:
        place = _PLACES[found["word"]] if found["word"] else -1
    if place >= len(turn.articles):
        return None
    offset = len(question.text) - len(question.text.lstrip())
    rest = question.written((found.end() + offset, len(question.text))).strip(" ?？。,，")
    opens = not _OPENING.sub("", wording(rest).text)
    return Proposal(Kind.ARTICLE, () if opens else (rest,), place=place)


def _of_other(question: Wording, turn: Turn) -> Proposal | None:
    """The earlier question asked of something else."""
    folded = question.text.strip()
    found = next((match for pattern in _OTHER if (match := pattern.fullmatch(folded))), None)
    if found is None:
        return None
    offset = len(question.text) - len(question.text.lstrip())
    span = found.start("it") + offset, found.end("it") + offset
    it = found["it"].strip()
    named = wording(question.written(span).strip())
    if named.asks or _TIME_ONLY.fullmatch(it) or (_POINTING.search(it) and not _DEFINITE.match(it)):
        return None
    if _CONNECTING.fullmatch(it):
        return None
    texts = tuple(dict.fromkeys(_with_other(named, wording(turn.text), turn)))
    return Proposal(Kind.OTHER, texts, other=named.text) if texts else None


def _with_other(it: Wording, earlier: Wording, turn: Turn) -> list[str]:
    """The earlier question with `it` in the place of what is of its kind, the likeliest first."""
    written = it.normal.original
    topic = turn.topics[0] if turn.topics else ""
    if _ONLY_PERIOD.fullmatch(it.text):
        return [_with_period(written, earlier)]
    if definite := _DEFINITE.match(it.text):
        return [joined_words([topic, written[definite.end() :]])]
    alike = _alike(it, earlier, topic)
    if alike is not None:
        return [earlier.replaced(alike, written)]
    texts = []
    if place := _place_of(topic, earlier):
        texts.append(earlier.replaced(place, written))
        texts.append(earlier.replaced(place, joined_words([topic, written])))
    texts.append(joined_words([topic, written]))
    return texts


def _with_period(written: str, earlier: Wording) -> str:
    found = re.search(_PERIOD, earlier.text)
    if found:
        return earlier.replaced(found.span(), written)
    if earlier.chinese:
        return written + earlier.normal.original
    return f"{earlier.normal.original.rstrip(' ?？')} {written}?"


def _alike(it: Wording, earlier: Wording, topic: str) -> Span | None:
    """The part of the earlier question that is of one kind with `it`: the same measure after a number, the
    same last characters, Latin letters both."""
    counted = re.fullmatch(rf"(第?[{_NUMERALS}]+)([^{_NUMERALS}]{{1,2}})", it.text)
    if counted:
        unit = re.escape(counted[2])
        found = re.search(rf"第?[{_NUMERALS}]+(?={unit})", earlier.text)
        return (found.start(), found.end() + len(counted[2])) if found else None
    runs = [run for run in earlier.runs() if run[1] - run[0] > 1]
    if it.text.isascii():
        return _latin_alike(it, earlier, topic)
    best, most = None, 0
    for run in runs:
        shared = _shared_ending(earlier.text[slice(*run)], it.text)
        if shared >= most and shared:
            best, most = run, shared
    place = _place_of(topic, earlier)
    if best and place and place[0] < best[0] and best[1] <= place[1]:
        return place if any(run[0] == place[0] for run in runs) else best
    return best


def _latin_alike(it: Wording, earlier: Wording, topic: str) -> Span | None:
    if earlier.chinese:
        found = list(re.finditer(r"[a-z0-9][a-z0-9 .+-]*[a-z0-9]", earlier.text))
        return found[0].span() if found else None
    if not it.written((0, len(it.text)))[:1].isupper():
        return None
    place = _place_of(topic, earlier)
    names = [
        word.span
        for word in earlier.words[1:]
        if not word.stops
        and earlier.written(word.span)[0].isupper()
        and not (place and place[0] <= word.span[0] < place[1])
    ]
    return names[-1] if names else None


def _shared_ending(one: str, other: str) -> int:
    shared = 0
    while shared < min(len(one), len(other)) and one[-1 - shared] == other[-1 - shared]:
        shared += 1
    return shared


def _place_of(topic: str, earlier: Wording) -> Span | None:
    folded = wording(topic).text if topic else ""
    place = earlier.text.find(folded) if folded else -1
    return (place, place + len(folded)) if place >= 0 else None


def _leaning(question: Wording, turn: Turn) -> Proposal | None:
    """The question with what the conversation is about put where it points, or before it."""
    lead = _LEADING.match(question.text)
    start = lead.end() if lead else 0
    body = wording(question.written((start, len(question.text))))
    if not body.text.strip():
        return None
    pointing = _POINTING.search(body.text)
    explicit = pointing is not None and not body.names_something(before=pointing.start())
    if not _is_short(body) or not (explicit or _may_lean(body)):
        return None
    texts = [_about(topic, body) for topic in turn.topics[:2] if topic]
    subjectless = not any(end - start > 1 for start, end in body.runs())
    distinct = tuple(dict.fromkeys(texts))
    return Proposal(Kind.LEANING, distinct, explicit, subjectless=subjectless) if texts else None


def _may_lean(body: Wording) -> bool:
    """Whether a question that points at nothing may still leave out what it is about."""
    if _CONNECTING.search(body.text):
        return True
    return body.asks and not body.names_something()


def _about(topic: str, body: Wording) -> str:
    """The question, said of the topic."""
    found = _THING.search(body.text)
    if found:
        owner = f"{topic}'s" if found[0] == "its" else topic
        return body.replaced(found.span(), owner)
    written = body.normal.original
    if not body.chinese:
        return f"{topic}: {written}"
    return joined_words([topic, written]) if not _POINTING.search(body.text) else f"{topic}，{written}"


def _is_short(question: Wording) -> bool:
    content = [word for word in question.words if not word.stops]
    if question.chinese:
        return sum(len(word.text) for word in content) <= _LONGEST_LEANING
    return len(question.text.split()) <= _LONGEST_ENGLISH


def _long_enough(question: Wording) -> Iterator[bool]:
    """Whether each noun run of the question has three characters or more: enough to name something."""
    return (end - start > 2 for start, end in question.runs())


def _is_one_word(question: Wording) -> bool:
    """Whether a question is no more than a common word or two: 运河, bridges."""
    text = question.text.strip(" ?？。.!！")
    if question.chinese:
        return len(text) <= _LONGEST_WORD and text.isalnum()
    return text.isalpha() and text.isascii()
