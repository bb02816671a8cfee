"""Finds out what a question means in its conversation, by asking the archive for what it may stand for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from bot.archive import Archive
from bot.followups import (
    Found,
    Kind,
    Proposal,
    Turn,
    decide,
    has_to_do_with,
    looks_incomplete,
    needs_confirming,
    needs_trying,
    propose,
    without_period,
)
from bot.memory import Meaning, Option, without_dates
from bot.wording import joined_words, title_head, topic_of, wording
from retrieval.lexical.normalisation import fold
from retrieval.periods import find_periods
from retrieval.searching import merge_filters
from retrieval.types import Filters, Hit, SearchResponse

PAGE_SIZE = 5
"""Hits a message; each is one article."""

_OPTIONS = 3
_TOPICS = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it reached the bot: its number, its words, and how they are to be taken.

    `literal` reads no filters out of it, `alone` takes it without the conversation before it.
    """

    number: int
    text: str
    literal: bool = False
    alone: bool = False


class Interpreter:
    """Reads questions in their conversation, and searches for what they mean."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def read(self, asked: Asked, before: Sequence[Meaning]) -> tuple[Meaning, SearchResponse | None]:
        """What the question means after those before it (the latest last), and the first page of its hits.

        None instead of hits where it asks to open an article, the only one of `turn.articles`.
        """
        proposal = None if asked.alone else propose(asked.text, [meaning.turn for meaning in before])
        if proposal is None:
            return self._alone(asked, self._plain(asked))
        last = before[-1]
        if proposal.kind is Kind.MORE:
            return self._more(asked, last)
        if proposal.kind is Kind.ARTICLE:
            return self._of_article(asked, proposal, last)
        return self._follow(asked, proposal, before)

    def page(self, meaning: Meaning, page: int) -> SearchResponse:
        """A page of the hits for what a question was taken to mean."""
        if meaning.skip:
            return self._passages(meaning, page)
        return self._search(meaning.turn.text, meaning.filters, page, literal=meaning.literal)

    def chosen(self, number: int, meaning: Meaning, place: int) -> tuple[Meaning, SearchResponse] | None:
        """What an ambiguous question means by one of its options; None where there is no such option."""
        if place >= len(meaning.options):
            return None
        option = meaning.options[place]
        filters = Filters(article_ids=(option.article,)) if option.article else meaning.filters
        response = self._search(option.text, filters, 0, literal=False)
        return _meaning(Asked(number, option.text), option.text, response, filters, follows=True), response

    def _plain(self, asked: Asked) -> SearchResponse:
        return self._search(asked.text, None, 0, literal=asked.literal)

    def _search(self, text: str, filters: Filters | None, page: int, *, literal: bool) -> SearchResponse:
        return self._archive.search(
            text, top_k=PAGE_SIZE, offset=page * PAGE_SIZE, filters=filters, understand=not literal
        )

    def _alone(self, asked: Asked, response: SearchResponse) -> tuple[Meaning, SearchResponse]:
        meaning = _meaning(asked, asked.text, response, None)
        if not asked.alone and not asked.literal and looks_incomplete(asked.text):
            meaning = replace(meaning, options=_options(asked.text, response))
        return meaning, response

    def _more(self, asked: Asked, last: Meaning) -> tuple[Meaning, SearchResponse]:
        """The passages that come next after those that were shown."""
        skip = tuple(dict.fromkeys((*last.skip, *last.shown)))
        meaning = replace(last, question=asked.number, skip=skip, options=(), follows=True)
        response = self._passages(meaning, 0)
        articles = tuple((hit.article_id, hit.title) for hit in response.hits)
        turn = replace(meaning.turn, articles=articles or last.turn.articles)
        return replace(meaning, turn=turn, shown=_passages(response.hits)), response

    def _passages(self, meaning: Meaning, page: int) -> SearchResponse:
        """A page of passages, one by one, without those to be skipped."""
        wanted = len(meaning.skip) + (page + 1) * PAGE_SIZE
        response = self._archive.search(
            meaning.turn.text,
            top_k=wanted,
            filters=meaning.filters,
            understand=not meaning.literal,
            group=False,
        )
        left = [hit for hit in response.hits if hit.passage_id not in meaning.skip]
        shown = left[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]
        skipped = len(response.hits) - len(left)
        return replace(
            response,
            hits=tuple(shown),
            total=max(0, response.total - skipped),
            offset=page * PAGE_SIZE,
            answered=bool(left) and left[0].score >= response.threshold,
        )

    def _of_article(
        self, asked: Asked, proposal: Proposal, last: Meaning
    ) -> tuple[Meaning, SearchResponse | None]:
        """One of the articles on the table: opened, or asked something."""
        article, title = last.turn.articles[proposal.place]
        topics = _topics(title_head(title), last.turn.topics)
        if not proposal.texts:
            turn = Turn(title, topics, ((article, title),))
            return Meaning(asked.number, turn, Filters(article_ids=(article,)), follows=True), None
        filters = Filters(article_ids=(article,))
        response = self._search(proposal.texts[0], filters, 0, literal=asked.literal)
        meaning = _meaning(asked, proposal.texts[0], response, filters, follows=True)
        return replace(meaning, turn=replace(meaning.turn, topics=topics)), response

    def _follow(
        self, asked: Asked, proposal: Proposal, before: Sequence[Meaning]
    ) -> tuple[Meaning, SearchResponse]:
        last, plain = before[-1], self._plain(asked)
        current = last.turn.articles[0][0] if last.turn.articles and last.turn.answered else None
        first = _found(plain)
        if not needs_trying(proposal, first, current):
            return self._alone_after(asked, plain, last)
        literal = last.literal and not _names_time(asked.text)
        tried = [(text, _inherited(text, last.filters)) for text in proposal.texts]
        responses = [self._search(text, filters, 0, literal=literal) for text, filters in tried]
        number = decide(proposal, first, [_found(each) for each in responses], current, plain.threshold)
        if number is None or not self._confirmed(asked, proposal, plain, current):
            return self._alone_after(asked, plain, last)
        (text, filters), response = tried[number], responses[number]
        if proposal.explicit and proposal.kind is Kind.LEANING and current is not None:
            filters, response = self._at_home(text, filters, response, current)
        meant = replace(asked, literal=literal)
        meaning = _meaning(meant, text, response, filters, follows=True, topics=last.turn.topics)
        return replace(meaning, options=_other_topics(asked, proposal, before)), response

    def _alone_after(
        self, asked: Asked, response: SearchResponse, last: Meaning
    ) -> tuple[Meaning, SearchResponse]:
        """A question that stands for itself; within the same article what that is about stays known."""
        meaning = _meaning(asked, asked.text, response, None, topics=last.turn.topics)
        if meaning.turn.articles[:1] != last.turn.articles[:1]:
            meaning = _meaning(asked, asked.text, response, None)
        return meaning, response

    def _confirmed(
        self, asked: Asked, proposal: Proposal, plain: SearchResponse, current: str | None
    ) -> bool:
        """Whether the question's own words have to do with the article under discussion."""
        if current is None or not needs_confirming(proposal):
            return True
        own = without_period(asked.text)
        home = self._search(own, Filters(article_ids=(current,)), 0, literal=True)
        return has_to_do_with(_found(home), plain.threshold)

    def _at_home(
        self, text: str, filters: Filters | None, response: SearchResponse, current: str
    ) -> tuple[Filters | None, SearchResponse]:
        """The filters and the response; those of the article under discussion alone where the first hit is
        another and this one has to do with the question."""
        if response.hits and response.hits[0].article_id == current:
            return filters, response
        within = merge_filters(Filters(article_ids=(current,)), filters)
        nearer = self._search(text, within, 0, literal=False)
        better = has_to_do_with(_found(nearer), response.threshold) or not response.answered
        return (within, nearer) if nearer.hits and better else (filters, response)


def _meaning(
    asked: Asked,
    text: str,
    response: SearchResponse,
    filters: Filters | None,
    *,
    follows: bool = False,
    topics: tuple[str, ...] = (),
) -> Meaning:
    title = response.hits[0].title if response.hits else ""
    turn = Turn(
        text,
        _topics(topic_of(wording(text), title), topics),
        tuple((hit.article_id, hit.title) for hit in response.hits[: None if response.answered else 1]),
        response.answered,
    )
    applied = None if asked.literal else without_articles(response.filters)
    kept = merge_filters(filters, applied)
    return Meaning(
        asked.number,
        turn,
        kept,
        shown=_passages(response.hits),
        follows=follows,
        literal=asked.literal,
    )


def without_articles(filters: Filters | None) -> Filters | None:
    """The filters but for single articles."""
    return replace(filters, article_ids=()) if filters else None


def _topics(topic: str, earlier: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for each in (topic, *earlier) if each))[:_TOPICS]


def _passages(hits: Sequence[Hit]) -> tuple[int, ...]:
    return tuple(hit.passage_id for hit in hits)


def _found(response: SearchResponse) -> Found:
    if not response.hits:
        return Found(None, "", 0.0, False)
    first = response.hits[0]
    return Found(first.article_id, first.title, first.score, response.answered)


def _inherited(text: str, filters: Filters | None) -> Filters | None:
    """The filters in force, but for dates where the question names a time itself."""
    if filters is None:
        return None
    kept = replace(filters, article_ids=())
    if _names_time(text):
        kept = without_dates(kept) or kept
    return kept if kept != Filters() else None


def _names_time(text: str) -> bool:
    """Whether a question says itself which time it is about."""
    said = next(find_periods(fold(text).text, date.today()), None)
    return said is not None or re.search(r"(?:19|20)\d\d", text) is not None


def _options(text: str, response: SearchResponse) -> tuple[Option, ...]:
    """What an incomplete question may be about: the matters of the hits that answer it, if there are many."""
    strong = [hit for hit in response.hits if hit.score >= response.threshold]
    if len(strong) < 2:
        return ()
    options = []
    for hit in strong[:_OPTIONS]:
        topic = title_head(hit.title or hit.article_id)
        said = text if fold(text).text.strip() in fold(topic).text else joined_words([topic, text])
        options.append(Option(topic, said, hit.article_id))
    return tuple(options)


def _other_topics(asked: Asked, proposal: Proposal, before: Sequence[Meaning]) -> tuple[Option, ...]:
    """What else a leaning question may be about: what was talked of just before the latest matter."""
    if proposal.kind is not Kind.LEANING or len(before) < 2:
        return ()
    latest, earlier = before[-1].turn, before[-2].turn
    if not earlier.topics or earlier.articles[:1] == latest.articles[:1] or not latest.articles:
        return ()
    other = propose(asked.text, [earlier])
    if other is None or not other.texts or not earlier.articles:
        return ()
    return (Option(earlier.topics[0], other.texts[0], earlier.articles[0][0]),)
