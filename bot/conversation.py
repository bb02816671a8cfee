"""One chat's questions → replies. Knows no surface: Telegram and the terminal both speak through it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from typing import get_args

from bot.actions import (
    Action,
    Alone,
    Ask,
    Choose,
    Latest,
    Rate,
    Read,
    Related,
    SetLanguage,
    ShowPage,
    Subscribing,
    Unfold,
)
from bot.answers import LAST_PAGE, Answers, Shown, rating_row
from bot.archive import Archive
from bot.following import Following, Place
from bot.followups import Turn
from bot.formatting import TITLE_LIMIT, Card, blocks, cards_text
from bot.greeting import Greeter
from bot.hashtags import Hashtags
from bot.i18n import Language, Texts, texts
from bot.interpreting import PAGE_SIZE, Asked, Interpreter
from bot.latest import News
from bot.links import Links, parse_payload
from bot.memory import Meaning, Memory
from bot.reading import Reader
from bot.related import Relatives
from bot.reply import Reply
from bot.state import State, StoredQuestion
from bot.styled import Style, StyledText, clean, one_line, run
from retrieval.types import SearchResponse

QUESTION_LIMIT = 1000
"""Characters of a question that are searched for; a longer one is shortened, and the reply says so."""

_DESCRIPTION_LIMIT = 160


@dataclass(frozen=True, slots=True)
class Chat:
    """Whom a reply is for: a name that stays the same (across restarts, too), and the language to use.

    `thread` names whose conversation in the chat it is: one person's, in one topic.
    """

    key: str
    language: Language
    thread: str = ""

    @property
    def memory(self) -> str:
        """Under which name the conversation is remembered."""
        return self.thread or self.key

    @property
    def place(self) -> Place:
        """Where to tell whoever speaks here of something later."""
        topic = self.thread.split("/")[1] if self.thread.count("/") == 2 else "0"
        return Place(self.key, int(topic))


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

    def __init__(
        self,
        archive: Archive,
        state: State,
        links: Links,
        greeter: Greeter,
        *,
        hashtags: Hashtags | None = None,
        zone: tzinfo = UTC,
    ) -> None:
        hashtags = hashtags or Hashtags(archive)
        self._archive = archive
        self._state = state
        self._memory = Memory(state.database)
        self._interpreter = Interpreter(archive)
        self._answers = Answers(archive, state, links, hashtags)
        self._reader = Reader(archive, state, hashtags)
        self._relatives = Relatives(archive, state, self._answers)
        self._news = News(archive, state, links)
        self.following = Following(archive, state, self._memory, self._answers, zone)
        self.greeter = greeter

    def language_of(self, chat_key: str) -> Language | None:
        """The language chosen in a chat, None where none was."""
        return self._state.languages.of(chat_key)

    def ask(
        self,
        chat: Chat,
        text: str,
        *,
        literal: bool = False,
        alone: bool = False,
        message: int = 0,
        replied: int = 0,
        about: int = 0,
    ) -> Reply:
        """The answer to a question: the best hits, or that nothing answers it and what comes nearest.

        `literal` reads no limits out of its words, `alone` takes it without the conversation before it.
        `message` is the one that asks, `replied` the bot's message that it replies to, if it does, and
        `about` the question that this one's buttons show to be answered there.
        """
        question = " ".join(clean(text).split())
        if not any(character.isalnum() for character in question):
            return Reply(text=(run(texts(chat.language)("only_words")),))
        lead: StyledText = ()
        if len(question) > QUESTION_LIMIT:
            question = question[:QUESTION_LIMIT]
            said = texts(chat.language)("question_shortened", count=QUESTION_LIMIT)
            lead = (run(said, Style.META),)
        if message:
            self._memory.take_back(chat.memory, message=message)
        before = [] if alone else self._before(chat, replied, about)
        number = self._state.questions.add(chat.key, question, literal=literal)
        meaning, response = self._interpreter.read(Asked(number, question, literal, alone), before)
        stored = StoredQuestion(number, chat.key, question, literal)
        return self._answer(chat, stored, meaning, response, message, lead)

    def press(self, chat: Chat, action: Action) -> Reply:
        """What a button does. A button whose question or article is gone says so in a notice."""
        handlers: dict[type[Action], Callable[..., Reply]] = {
            Read: self._read,
            Related: self._related,
            Latest: self._latest,
            SetLanguage: self._set_language,
            **dict.fromkeys(get_args(Subscribing), self._subscribing),
        }
        if handler := handlers.get(type(action)):
            return handler(chat, action)
        if not isinstance(action, ShowPage | Unfold | Rate | Ask | Alone | Choose):
            return Reply(notice=texts(chat.language)("outdated"))  # one of admins, forged by somebody else
        question = self._state.questions.get(action.question, chat.key)
        if question is None:
            return Reply(notice=texts(chat.language)("outdated"))
        return self._press_of(chat, question, action)

    def choices(self, chat: Chat, text: str, page: int) -> tuple[list[Choice], bool]:
        """The hits for a text that is still being typed (nothing is remembered), and whether there are more.

        Nothing is offered where nothing answers.
        """
        question = " ".join(clean(text).split())[:QUESTION_LIMIT]
        if not any(character.isalnum() for character in question):
            return [], False
        response = self._archive.search(question, top_k=PAGE_SIZE, offset=page * PAGE_SIZE)
        if not response.answered:
            return [], False
        say = texts(chat.language)
        cards = [self._answers.card(hit, 0, say, response) for hit in response.hits]
        more = (page + 1) * PAGE_SIZE < response.total and page < LAST_PAGE
        return [_choice(card, say) for card in cards], more

    def open(self, chat: Chat, payload: str) -> Reply | None:
        """The article that a deep link names, at its passage; None where it is no such link."""
        parsed = parse_payload(payload)
        if parsed is None:
            return None
        key, ordinal = parsed
        reply = self._read(chat, Read(key, 0, ordinal + 1, fresh=1))
        return reply if reply.text else Reply(text=(run(reply.notice),))

    def related_to(self, chat: Chat, text: str) -> Reply:
        """Articles on the matter of a text that somebody passed on."""
        return self._relatives.to_text(text, texts(chat.language))

    def latest(self, chat: Chat) -> Reply:
        """What is new, by category."""
        return self._news.page(Latest(), texts(chat.language))

    def reset(self, chat: Chat) -> Reply:
        """Forget the conversation: the next question stands for itself."""
        self._memory.forget(chat.memory)
        return Reply(text=(run(texts(chat.language)("forgotten")),))

    def said(self, chat: Chat, message: int, reply: Reply) -> None:
        """Note that a message of the bot has this reply, so that a reply to it is understood."""
        if reply.question:
            self._memory.link(chat.key, message, reply.question)

    def _before(self, chat: Chat, replied: int, about: int) -> list[Meaning]:
        """The conversation that a question goes on with: the answer it replies to, else the last turns."""
        answered = self._memory.answered_by(chat.key, replied) if replied else None
        if answered is None and about and self._state.questions.get(about, chat.key):
            answered = self._memory.meaning(about)
        return [answered] if answered else self._memory.recall(chat.memory)

    def _answer(
        self,
        chat: Chat,
        stored: StoredQuestion,
        meaning: Meaning,
        response: SearchResponse | None,
        message: int = 0,
        lead: StyledText = (),
    ) -> Reply:
        """Remember what the question meant, and say what was found."""
        self._memory.note(chat.memory, meaning, message)
        seconds = response.seconds if response else None
        self._state.questions.set_answered(stored.id, response is None or response.answered, seconds=seconds)
        say = texts(chat.language)
        if response is None:
            article_id, title = meaning.turn.articles[0]
            action = Read(self._state.article_keys.key(article_id), fresh=1)
            said = (run(say("opened", title=one_line(title, TITLE_LIMIT)), Style.META),)
            page = self._reader.page(article_id, action, say, lead=said)
            if page is None:
                return Reply(text=(run(say("gone")),))
            return replace(page, buttons=(*page.buttons, rating_row(stored.id)), question=stored.id)
        if meaning.skip and not response.hits:
            return Reply(text=(run(say("no_more")),), question=stored.id)
        nearest = int(bool(meaning.skip) and not response.answered)
        shown = Shown(stored, meaning, response, ShowPage(stored.id, 0, nearest))
        return self._answers.hits(shown, say, lead)

    def _press_of(
        self,
        chat: Chat,
        question: StoredQuestion,
        action: ShowPage | Unfold | Rate | Ask | Alone | Choose,
    ) -> Reply:
        say = texts(chat.language)
        match action:
            case ShowPage():
                return self._show_page(question, action, say)
            case Unfold():
                page = ShowPage(question.id, min(action.page, LAST_PAGE))
                return self._answers.unfolded(self._shown(question, page), action, say)
            case Rate():
                self._state.questions.rate(question.id, bool(action.good))
                return Reply(notice=say("rated_good" if action.good else "rated_bad"))
            case Choose():
                return self._choose(chat, question, action)
            case Ask() | Alone():
                return self._ask_again(chat, question, action)

    def _shown(self, question: StoredQuestion, page: ShowPage) -> Shown:
        meaning = self._memory.meaning(question.id)
        if meaning is None:
            meaning = Meaning(question.id, Turn(question.text, ()), literal=question.literal)
        response = self._interpreter.page(meaning, page.page)
        return Shown(question, meaning, response, page)

    def _show_page(self, question: StoredQuestion, action: ShowPage, say: Texts) -> Reply:
        shown = self._shown(question, replace(action, page=min(action.page, LAST_PAGE)))
        if not shown.response.hits:
            return Reply(notice=say("no_more"))
        return replace(self._answers.hits(shown, say), replaces=True)

    def _ask_again(self, chat: Chat, question: StoredQuestion, action: Ask | Alone) -> Reply:
        """A question proposed by the bot, asked in this chat; or the chat's own one, taken differently."""
        literal = isinstance(action, Ask) and bool(action.literal)
        proposed = isinstance(action, Ask) and not literal
        if not proposed:
            self._memory.take_back(chat.memory, question=question.id)
        literal = literal or (question.literal and not proposed)
        reply = self.ask(chat, question.text, literal=literal, alone=True)
        if not proposed:
            return replace(reply, replaces=True)
        return replace(reply, text=blocks([(run(question.text, Style.HEADING),), reply.text]))

    def _choose(self, chat: Chat, question: StoredQuestion, action: Choose) -> Reply:
        """One of the matters that an ambiguous question may be about."""
        earlier = self._memory.meaning(question.id)
        number = self._state.questions.add(chat.key, question.text) if earlier else 0
        chosen = self._interpreter.chosen(number, earlier, action.place) if earlier else None
        if chosen is None:
            return Reply(notice=texts(chat.language)("outdated"))
        self._memory.take_back(chat.memory, question=question.id)
        stored = StoredQuestion(number, chat.key, question.text, False)
        return replace(self._answer(chat, stored, *chosen), replaces=True)

    def _read(self, chat: Chat, action: Read) -> Reply:
        say = texts(chat.language)
        article_id = self._state.article_keys.article_id(action.article)
        reply = self._reader.page(article_id, action, say) if article_id is not None else None
        return reply or Reply(notice=say("gone"))

    def _related(self, chat: Chat, action: Related) -> Reply:
        return self._relatives.to_article(action, texts(chat.language))

    def _latest(self, chat: Chat, action: Latest) -> Reply:
        return replace(self._news.page(action, texts(chat.language)), replaces=True)

    def _subscribing(self, chat: Chat, action: Subscribing) -> Reply:
        return self.following.press(chat.place, action, texts(chat.language))

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
