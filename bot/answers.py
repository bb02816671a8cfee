"""What was found → replies: pages of hits, refusals, passages between their neighbours."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.actions import Alone, Ask, Choose, Follow, Rate, Read, Related, ShowPage, Unfold
from bot.archive import Archive
from bot.formatting import (
    TITLE_LIMIT,
    WEAK_ROOM,
    Card,
    Source,
    blocks,
    card_text,
    cards_text,
    refusal_text,
    understood_text,
    unfolded_text,
)
from bot.hashtags import Hashtags
from bot.i18n import Texts
from bot.interpreting import PAGE_SIZE
from bot.links import Links
from bot.memory import Meaning
from bot.reply import Button, Reply
from bot.state import State, StoredQuestion
from bot.styled import Style, StyledText, one_line, run
from bot.telegram_html import is_web_link
from retrieval.types import Article, Hit, Passage, SearchResponse

LAST_PAGE = 200
MOST_NEIGHBOURS = 12
_MOST_COPIES = 3
_OPTION_LABEL = 40


@dataclass(frozen=True, slots=True)
class Shown:
    """A question, what it was taken to mean, and one page of what was found."""

    question: StoredQuestion
    meaning: Meaning
    response: SearchResponse
    page: ShowPage


class Answers:
    """Makes replies of what was found."""

    def __init__(self, archive: Archive, state: State, links: Links, hashtags: Hashtags) -> None:
        self._archive = archive
        self._state = state
        self._links = links
        self._hashtags = hashtags

    def hits(self, shown: Shown, say: Texts, lead: StyledText = ()) -> Reply:
        """A page of hits under what the question was taken to mean; a refusal where none answers."""
        response, page = shown.response, shown.page
        understood = understood_text(shown.meaning, response, say)
        leads = [lead, understood]
        cards = [
            self.card(hit, page.page * PAGE_SIZE + place, say, response)
            for place, hit in enumerate(response.hits, start=1)
        ]
        if not response.answered and not page.nearest:
            return self._refusal(shown, cards, blocks(leads), say)
        if not response.answered:
            leads.append((run(say("nearest_header"), Style.META),))
        elif shown.meaning.options and not shown.meaning.follows and not page.page:
            leads.append((run(say("which"), Style.META),))
        pages = -(-response.total // PAGE_SIZE)
        if page.page:
            number = page.page + 1
            leads.append((run(say("article_page", page=number, pages=max(pages, number)), Style.META),))
        last = (
            *_page_row(page, pages, say),
            *self._related_row(response, page, say),
            *rating_row(shown.question.id),
        )
        buttons = (_unfold_row(cards, page, say), *_undo_rows(shown, say), last)
        first = response.hits[0] if response.hits and not page.page and response.answered else None
        return Reply(
            text=cards_text(cards, blocks(leads), say),
            buttons=tuple(row for row in buttons if row),
            image=first.image if first and is_web_link(first.image) else None,
            question=shown.question.id,
        )

    def unfolded(self, shown: Shown, action: Unfold, say: Texts) -> Reply:
        """A hit between its neighbouring passages; a notice where it is not on its page any more."""
        response = shown.response
        hits = {hit.passage_id: (place, hit) for place, hit in enumerate(response.hits, start=1)}
        if action.passage not in hits:
            return Reply(notice=say("outdated"))
        place, hit = hits[action.passage]
        before, after = min(action.before, MOST_NEIGHBOURS), min(action.after, MOST_NEIGHBOURS)
        passages = self._archive.passages(hit.article_id)
        near = [each for each in passages if -before <= each.ordinal - hit.ordinal <= after]
        card = self.card(hit, action.page * PAGE_SIZE + place, say, response)
        more = _neighbour_row(replace(action, before=before, after=after), passages, near, say)
        key = self._state.article_keys.key(hit.article_id)
        back = ShowPage(shown.question.id, action.page, 0 if response.answered else 1)
        last = (
            Button(label=say("back"), action=back, key="b"),
            Button(label=say("read"), action=Read(key, 0, hit.ordinal + 1, fresh=1), key="r"),
            Button(label=say("related"), action=Related(key), key="s"),
            *rating_row(shown.question.id),
        )
        text = unfolded_text(card, near, say)
        return Reply(
            text=text, buttons=(more, last) if more else (last,), replaces=True, question=shown.question.id
        )

    def list_of(self, hits: Sequence[Hit], response: SearchResponse, say: Texts, lead: StyledText) -> Reply:
        """Hits that answer no question, with buttons to read their articles."""
        cards = [
            replace(self.card(hit, place, say, response), strong=True, answers=False, hashtags="")
            for place, hit in enumerate((replace(hit, highlights=()) for hit in hits), start=1)
        ]
        row = tuple(
            Button(
                label=say("read_number", number=card.number),
                action=Read(
                    self._state.article_keys.key(card.hit.article_id), 0, card.hit.ordinal + 1, fresh=1
                ),
                key=str(card.number),
            )
            for card in cards
        )
        return Reply(text=cards_text(cards, lead, say), buttons=(row,) if row else ())

    def card(self, hit: Hit, number: int, say: Texts, response: SearchResponse) -> Card:
        """A hit with its number, where it leads, its copies and what is newer."""
        strong = not response.answered or hit.score >= response.threshold
        newer = self._archive.article(hit.newer, keywords=False) if hit.newer else None
        copies = [self._archive.article(each, keywords=False) for each in hit.duplicates[:_MOST_COPIES]]
        return Card(
            hit,
            number,
            self._links.source(hit, say),
            strong,
            response.answered and strong,
            tuple(self._pointer(each, each.source or each.author or each.title) for each in copies if each),
            self._pointer(newer, newer.title) if newer else None,
            self._hashtags.of(hit.article_id) if number == 1 and strong else "",
        )

    def _pointer(self, article: Article, label: str) -> Source:
        return Source(self._links.address(article) or "", one_line(label or article.id, TITLE_LIMIT))

    def _refusal(self, shown: Shown, cards: list[Card], lead: StyledText, say: Texts) -> Reply:
        more = Button(label=say("show_nearest"), action=ShowPage(shown.question.id, 0, nearest=1), key="m")
        nearest = card_text(replace(cards[0], number=0, hashtags=""), WEAK_ROOM, say) if cards else ()
        tell = Button(label=say("notify_me"), action=Follow(shown.question.id), key="f")
        first = ((more, tell),) if cards else ((tell,),)
        rows = first + _undo_rows(shown, say) + (rating_row(shown.question.id),)
        return Reply(text=refusal_text(nearest, lead, say), buttons=rows, question=shown.question.id)

    def _related_row(self, response: SearchResponse, page: ShowPage, say: Texts) -> tuple[Button, ...]:
        if page.page or not response.answered:
            return ()
        key = self._state.article_keys.key(response.hits[0].article_id)
        return (Button(label=say("related"), action=Related(key), key="s"),)


def _undo_rows(shown: Shown, say: Texts) -> tuple[tuple[Button, ...], ...]:
    """What else the question may mean, and ways to take it literally."""
    number = shown.question.id
    options = tuple(
        (
            Button(
                label=say("option", topic=one_line(option.label, _OPTION_LABEL)),
                action=Choose(number, place),
                key=f"c{place + 1}",
            ),
        )
        for place, option in enumerate(shown.meaning.options if not shown.page.page else ())
    )
    undo = []
    if shown.meaning.follows:
        undo.append(Button(label=say("alone"), action=Alone(number), key="w"))
    if shown.response.understood:
        undo.append(Button(label=say("literal"), action=Ask(number, literal=1), key="x"))
    return (*options, tuple(undo)) if undo else options


def _unfold_row(cards: list[Card], shown: ShowPage, say: Texts) -> tuple[Button, ...]:
    return tuple(
        Button(
            label=say("unfold", number=card.number),
            action=Unfold(shown.question, shown.page, card.hit.passage_id),
            key=str(card.number),
        )
        for card in cards
    )


def _page_row(shown: ShowPage, pages: int, say: Texts) -> tuple[Button, ...]:
    row = []
    if shown.page:
        row.append(Button(label=say("earlier_page"), action=replace(shown, page=shown.page - 1), key="p"))
    if shown.page + 1 < min(pages, LAST_PAGE):
        row.append(Button(label=say("later_page"), action=replace(shown, page=shown.page + 1), key="n"))
    return tuple(row)


def rating_row(question: int) -> tuple[Button, ...]:
    """The buttons that rate the answer to a question."""
    return Button(label="👍", action=Rate(question, 1)), Button(label="👎", action=Rate(question, 0))


def _neighbour_row(
    action: Unfold, passages: list[Passage], near: list[Passage], say: Texts
) -> tuple[Button, ...]:
    if not near:
        return ()
    row = []
    if passages[0].ordinal < near[0].ordinal and action.before < MOST_NEIGHBOURS:
        row.append(Button(label=say("before"), action=replace(action, before=action.before + 2), key="u"))
    if passages[-1].ordinal > near[-1].ordinal and action.after < MOST_NEIGHBOURS:
        row.append(Button(label=say("after"), action=replace(action, after=action.after + 2), key="d"))
    return tuple(row)
