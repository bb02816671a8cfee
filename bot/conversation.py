"""One chat's questions → replies. Knows no surface: Telegram and the terminal both speak through it."""

from dataclasses import dataclass, replace

from bot.actions import Action, Ask, Rate, Read, SetLanguage, ShowPage, Unfold
from bot.archive import Archive
from bot.formatting import (
    TITLE_LIMIT,
    Card,
    Source,
    blocks,
    cards_text,
    refusal_text,
    understood_text,
    unfolded_text,
)
from bot.greeting import Greeter
from bot.i18n import Language, Texts, texts
from bot.links import Links, parse_payload
from bot.reading import Reader
from bot.reply import Button, Reply
from bot.state import State, StoredQuestion
from bot.styled import Style, StyledText, clean, one_line, run
from bot.telegram_html import is_web_link
from retrieval.types import Article, Hit, Passage, SearchResponse

PAGE_SIZE = 5
"""Hits a message; each is one article."""

QUESTION_LIMIT = 1000
"""Characters of a question that are searched for; a longer one is shortened, and the reply says so."""

_MOST_NEIGHBOURS = 12
_MOST_COPIES = 3
_DESCRIPTION_LIMIT = 160
_LAST_PAGE = 200


@dataclass(frozen=True, slots=True)
class Chat:
    """Whom a reply is for: a name that stays the same (across restarts, too), and the language to use."""

    key: str
    language: Language


@dataclass(frozen=True, slots=True)
class Choice:
    """A hit to choose from in a list: its passage's number, two lines to tell it by, the text it gives."""

    number: int
    title: str
    description: str
    text: StyledText
    image: str | None


class Conversation:
    """Answers questions and buttons from one archive. Thread-safe: all memory is in `state`."""

    def __init__(self, archive: Archive, state: State, links: Links, greeter: Greeter) -> None:
        self._archive = archive
        self._state = state
        self._links = links
        self._reader = Reader(archive, state)
        self.greeter = greeter

    def language_of(self, chat_key: str) -> Language | None:
        """The language chosen in a chat, None where none was."""
        return self._state.languages.of(chat_key)

    def ask(self, chat: Chat, text: str, *, literal: bool = False) -> Reply:
        """The answer to a question: the best hits, or that nothing answers it and what comes nearest."""
        question = " ".join(clean(text).split())
        if not any(character.isalnum() for character in question):
            return Reply(text=(run(texts(chat.language)("only_words")),))
        lead: StyledText = ()
        if len(question) > QUESTION_LIMIT:
            question = question[:QUESTION_LIMIT]
            said = texts(chat.language)("question_shortened", count=QUESTION_LIMIT)
            lead = (run(said, Style.META),)
        number = self._state.questions.add(chat.key, question, literal=literal)
        stored = StoredQuestion(number, chat.key, question, literal)
        response = self._search(stored, 0)
        self._state.questions.set_answered(number, response.answered, seconds=response.seconds)
        return self._hits(chat, stored, response, ShowPage(number, 0), lead)

    def press(self, chat: Chat, action: Action) -> Reply:
        """What a button does. A button whose question or article is gone says so in a notice."""
        if isinstance(action, Read):
            return self._read(chat, action)
        if isinstance(action, SetLanguage):
            return self._set_language(chat, action)
        question = self._state.questions.get(action.question, chat.key)
        if question is None:
            return Reply(notice=texts(chat.language)("outdated"))
        if isinstance(action, ShowPage):
            return self._show_page(chat, question, action)
        if isinstance(action, Unfold):
            return self._unfold(chat, question, action)
        if isinstance(action, Rate):
            self._state.questions.rate(question.id, bool(action.good))
            return Reply(notice=texts(chat.language)("rated_good" if action.good else "rated_bad"))
        return self._ask_again(chat, question, action)

    def choices(self, chat: Chat, text: str, page: int) -> tuple[list[Choice], bool]:
        """The hits for a text that is still being typed (nothing is remembered), and whether there are more.

        Nothing is offered where nothing answers.
        """
        question = " ".join(clean(text).split())[:QUESTION_LIMIT]
        if not any(character.isalnum() for character in question):
            return [], False
        response = self._search(StoredQuestion(0, chat.key, question, False), page)
        if not response.answered:
            return [], False
        say = texts(chat.language)
        cards = [self._card(hit, 0, say, response) for hit in response.hits]
        more = (page + 1) * PAGE_SIZE < response.total and page < _LAST_PAGE
        return [_choice(card, say) for card in cards], more

    def open(self, chat: Chat, payload: str) -> Reply | None:
        """The article that a deep link names, at its passage; None where it is no such link."""
        parsed = parse_payload(payload)
        if parsed is None:
            return None
        key, ordinal = parsed
        reply = self._read(chat, Read(key, 0, ordinal + 1, fresh=1))
        return reply if reply.text else Reply(text=(run(reply.notice),))

    def _search(self, question: StoredQuestion, page: int) -> SearchResponse:
        return self._archive.search(
            question.text, top_k=PAGE_SIZE, offset=page * PAGE_SIZE, understand=not question.literal
        )

    def _show_page(self, chat: Chat, question: StoredQuestion, action: ShowPage) -> Reply:
        page = min(action.page, _LAST_PAGE)
        response = self._search(question, page)
        if not response.hits:
            return Reply(notice=texts(chat.language)("no_more"))
        reply = self._hits(chat, question, response, replace(action, page=page))
        return replace(reply, replaces=True)

    def _ask_again(self, chat: Chat, question: StoredQuestion, action: Ask) -> Reply:
        """A question proposed by the bot, asked in this chat; or the chat's own one, taken literally."""
        reply = self.ask(chat, question.text, literal=bool(action.literal))
        if action.literal:
            return replace(reply, replaces=True)
        return replace(reply, text=blocks([(run(question.text, Style.HEADING),), reply.text]))

    def _hits(
        self,
        chat: Chat,
        question: StoredQuestion,
        response: SearchResponse,
        shown: ShowPage,
        lead: StyledText = (),
    ) -> Reply:
        say = texts(chat.language)
        leads = [lead, understood_text(response.understood, say)]
        cards = [
            self._card(hit, shown.page * PAGE_SIZE + place, say, response)
            for place, hit in enumerate(response.hits, start=1)
        ]
        limited = ((self._literally(question, say),),) if leads[1] else ()
        if not response.answered and not shown.nearest:
            return self._refusal(question, cards, blocks(leads), say, limited)
        if not response.answered:
            leads.append((run(say("nearest_header"), Style.META),))
        pages = -(-response.total // PAGE_SIZE)
        if shown.page:
            leads.append(
                (run(say("article_page", page=shown.page + 1, pages=max(pages, shown.page + 1)), Style.META),)
            )
        last = (*_page_row(shown, pages, say), *_rating_row(question))
        buttons = (_unfold_row(cards, shown, say), *limited, last)
        return Reply(
            text=cards_text(cards, blocks(leads), say),
            buttons=tuple(row for row in buttons if row),
            image=None if shown.page or not response.answered else _image(response.hits[0]),
        )

    def _refusal(
        self,
        question: StoredQuestion,
        cards: list[Card],
        lead: StyledText,
        say: Texts,
        limited: tuple[tuple[Button, ...], ...],
    ) -> Reply:
        more = Button(label=say("show_nearest"), action=ShowPage(question.id, 0, nearest=1), key="m")
        nearest = replace(cards[0], number=0) if cards else None
        return Reply(text=refusal_text(nearest, lead, say), buttons=(((more,),) if cards else ()) + limited)

    def _card(self, hit: Hit, number: int, say: Texts, response: SearchResponse) -> Card:
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
        )

    def _pointer(self, article: Article, label: str) -> Source:
        return Source(self._links.address(article) or "", one_line(label or article.id, TITLE_LIMIT))

    def _literally(self, question: StoredQuestion, say: Texts) -> Button:
        return Button(label=say("literal"), action=Ask(question.id, literal=1), key="x")

    def _unfold(self, chat: Chat, question: StoredQuestion, action: Unfold) -> Reply:
        say = texts(chat.language)
        response = self._search(question, min(action.page, _LAST_PAGE))
        hits = {hit.passage_id: (place, hit) for place, hit in enumerate(response.hits, start=1)}
        if action.passage not in hits:
            return Reply(notice=say("outdated"))
        place, hit = hits[action.passage]
        before, after = min(action.before, _MOST_NEIGHBOURS), min(action.after, _MOST_NEIGHBOURS)
        passages = self._archive.passages(hit.article_id)
        near = [each for each in passages if -before <= each.ordinal - hit.ordinal <= after]
        card = self._card(hit, action.page * PAGE_SIZE + place, say, response)
        more = _neighbour_row(replace(action, before=before, after=after), passages, near, say)
        key = self._state.article_keys.key(hit.article_id)
        nearest = 0 if response.answered else 1
        last = (
            Button(label=say("back"), action=ShowPage(question.id, action.page, nearest), key="b"),
            Button(label=say("read"), action=Read(key, 0, hit.ordinal + 1, fresh=1), key="r"),
        )
        buttons = (more, last) if more else (last,)
        return Reply(text=unfolded_text(card, near, say), buttons=buttons, replaces=True)

    def _read(self, chat: Chat, action: Read) -> Reply:
        say = texts(chat.language)
        article_id = self._state.article_keys.article_id(action.article)
        reply = self._reader.page(article_id, action, say) if article_id is not None else None
        return reply or Reply(notice=say("gone"))

    def _set_language(self, chat: Chat, action: SetLanguage) -> Reply:
        languages = list(Language)
        language = languages[min(action.language, len(languages) - 1)]
        self._state.languages.choose(chat.key, language)
        return Reply(text=(run(texts(language)("language_is")),), replaces=True)


def _choice(card: Card, say: Texts) -> Choice:
    hit = card.hit
    sentence = hit.text[slice(*hit.answer)] if hit.answer else hit.text
    return Choice(
        hit.passage_id,
        one_line(hit.title or hit.article_id, TITLE_LIMIT),
        one_line(sentence, _DESCRIPTION_LIMIT),
        cards_text([card], (), say),
        hit.image,
    )


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
    if shown.page + 1 < min(pages, _LAST_PAGE):
        row.append(Button(label=say("later_page"), action=replace(shown, page=shown.page + 1), key="n"))
    return tuple(row)


def _rating_row(question: StoredQuestion) -> tuple[Button, ...]:
    return (
        Button(label="👍", action=Rate(question.id, 1)),
        Button(label="👎", action=Rate(question.id, 0)),
    )


def _neighbour_row(
    action: Unfold, passages: list[Passage], near: list[Passage], say: Texts
) -> tuple[Button, ...]:
    if not near:
        return ()
    row = []
    if passages[0].ordinal < near[0].ordinal and action.before < _MOST_NEIGHBOURS:
        row.append(Button(label=say("before"), action=replace(action, before=action.before + 2), key="u"))
    if passages[-1].ordinal > near[-1].ordinal and action.after < _MOST_NEIGHBOURS:
        row.append(Button(label=say("after"), action=replace(action, after=action.after + 2), key="d"))
    return tuple(row)


def _image(hit: Hit) -> str | None:
    return hit.image if is_web_link(hit.image) else None
