"""Following questions, words and categories: what is said about it, and what its buttons do."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

from bot.actions import Follow, FollowAs, Notify, Quiet, Read, Subscribing, Unfollow
from bot.answers import Answers
from bot.archive import Archive
from bot.arrivals import due_time
from bot.formatting import TITLE_LIMIT, blocks, card_text
from bot.i18n import Texts, texts
from bot.memory import Memory
from bot.reply import Button, Reply
from bot.state import State
from bot.state.notices import Notice
from bot.state.subscriptions import MOST_PER_CHAT, Subscription
from bot.styled import Style, StyledText, clean, one_line, run
from retrieval.errors import QueryError
from retrieval.question import AnswerKind, answer_kind
from retrieval.standing import QueryKind, parse_expression
from retrieval.types import Filters

TEXT_LIMIT = 200
"""Characters of a subscription."""

NOTICES_A_MESSAGE = 5
_KINDS = (QueryKind.QUESTION, QueryKind.KEYWORDS, QueryKind.CATEGORY)
_NAMES = dict(zip(_KINDS, ("kind_question", "kind_keywords", "kind_category"), strict=True))
_TAKE_AS = dict(zip(_KINDS, ("as_question", "as_keywords", "as_category"), strict=True))
_SHOWN = 60
_ROOM = 160
_PER_ROW = 5
_DIGESTS = (None, 8, 20)
_QUIETS = ((0, 0), (22, 7), (23, 8), (0, 9))
_OPERATORS = ("|", "｜", '"', "“", "「", " -", " OR ", " AND ", " NOT ")


@dataclass(frozen=True, slots=True)
class Place:
    """Where to tell somebody: the chat, and the topic in it (0 for none)."""

    chat: str
    topic: int = 0


class Following:
    """Subscriptions of chats. Thread-safe: all memory is in `state`."""

    def __init__(
        self, archive: Archive, state: State, memory: Memory, answers: Answers, zone: tzinfo = UTC
    ) -> None:
        self._archive = archive
        self._state = state
        self._memory = memory
        self._answers = answers
        self._zone = zone

    def subscribe(self, place: Place, text: str, say: Texts) -> Reply:
        """/subscribe: to what the text seems to be; one tap changes that."""
        wanted = " ".join(clean(text).split())
        if not any(character.isalnum() for character in wanted):
            return Reply(text=(run(say("subscribe_what")),))
        if len(wanted) > TEXT_LIMIT:
            return Reply(text=(run(say("subscribe_too_long", count=TEXT_LIMIT)),))
        kind = self._guess(wanted)
        return self._subscribe(
            place, kind, wanted.lstrip("#＃ ") if kind is QueryKind.CATEGORY else wanted, say
        )

    def overview(self, chat: str, say: Texts) -> Reply:
        """/subscriptions: all of a chat, with buttons to end them and to choose when to be told."""
        followed = self._state.subscriptions.of(chat)
        if not followed:
            return Reply(text=(run(say("no_subscriptions")),))
        lines = [
            (
                run(f"{number}. {say(_NAMES[QueryKind(each.kind)])} "),
                run(one_line(each.text, _SHOWN), Style.TITLE),
            )
            for number, each in enumerate(followed, start=1)
        ]
        listed = tuple(part for line in lines for part in (*line, run("\n")))[:-1]
        ends = [
            Button(label=f"✕ {number}", action=Unfollow(each.id), key=str(number))
            for number, each in enumerate(followed, start=1)
        ]
        rows = [tuple(ends[start : start + _PER_ROW]) for start in range(0, len(ends), _PER_ROW)]
        heading = (run(say("subscriptions"), Style.HEADING),)
        return Reply(text=blocks([heading, listed]), buttons=(*rows, *self._choices(chat, say)))

    def press(self, place: Place, action: Subscribing, say: Texts) -> Reply:
        """What a button does."""
        match action:
            case Follow():
                question = self._state.questions.get(action.question, place.chat)
                if question is None:
                    return Reply(notice=say("outdated"))
                meaning = self._memory.meaning(question.id)
                text = meaning.turn.text if meaning else question.text
                return self._subscribe(place, QueryKind.QUESTION, text[:TEXT_LIMIT], say)
            case FollowAs():
                return self._change(place, action, say)
            case Unfollow():
                self._state.subscriptions.remove(action.subscription, place.chat)
                return replace(self.overview(place.chat, say), replaces=True, notice=say("unsubscribed"))
            case Notify() | Quiet():
                return self._prefer(place.chat, action, say)

    def notice(self, chat: str, notices: list[Notice]) -> tuple[Reply, int] | None:
        """The message about new articles, and the topic it belongs to; None where nothing is left to tell."""
        topic, chosen = 0, self._state.languages.of(chat)
        parts: list[StyledText] = []
        buttons: list[tuple[Button, ...]] = []
        for notice in notices[:NOTICES_A_MESSAGE]:
            subscription = self._state.subscriptions.get(notice.subscription, chat)
            if subscription is None:
                continue
            say = texts(chosen or subscription.language)
            found = self._found(subscription, notice.article, say)
            if found is None:
                continue
            parts += [self._lead(subscription, say), found]
            topic = subscription.topic
            number = f" {len(buttons) + 1}" if len(notices) > 1 else ""
            key = self._state.article_keys.key(notice.article)
            buttons.append(
                (
                    Button(label=say("read") + number, action=Read(key, fresh=1)),
                    Button(label=say("unsubscribe") + number, action=Unfollow(subscription.id)),
                )
            )
        return (Reply(text=blocks(parts), buttons=tuple(buttons)), topic) if parts else None

    def _guess(self, text: str) -> QueryKind:
        if text.startswith(("#", "＃")):
            return QueryKind.CATEGORY
        if text.endswith(("?", "？")):
            return QueryKind.QUESTION
        if any(operator in text for operator in _OPERATORS):
            return QueryKind.KEYWORDS
        kind, _ = answer_kind(text)
        long = len(text) > 8 and " " not in text
        return QueryKind.QUESTION if kind is not AnswerKind.OTHER or long else QueryKind.KEYWORDS

    def _subscribe(self, place: Place, kind: QueryKind, text: str, say: Texts) -> Reply:
        if kind is QueryKind.KEYWORDS:
            try:
                parse_expression(text, str.lower)
            except QueryError:
                return Reply(text=(run(say("expression_wrong")),))
        added = self._state.subscriptions.add(place.chat, kind, text, say.language, topic=place.topic)
        if added is None:
            return Reply(text=(run(say("subscribe_too_many", count=MOST_PER_CHAT)),))
        others = tuple(
            Button(label=say(_TAKE_AS[each]), action=FollowAs(added.id, number), key=f"k{number}")
            for number, each in enumerate(_KINDS)
            if each is not kind
        )
        end = Button(label=say("unsubscribe"), action=Unfollow(added.id), key="d")
        return Reply(
            text=blocks([self._lead(added, say), (run(say("subscribed")),)]), buttons=(others, (end,))
        )

    def _change(self, place: Place, action: FollowAs, say: Texts) -> Reply:
        """The same words, taken for another kind."""
        earlier = self._state.subscriptions.get(action.subscription, place.chat)
        if earlier is None:
            return Reply(notice=say("outdated"))
        kind = _KINDS[min(action.kind, len(_KINDS) - 1)]
        reply = self._subscribe(place, kind, earlier.text, say)
        if reply.buttons and kind != earlier.kind:
            self._state.subscriptions.remove(earlier.id, place.chat)
        return replace(reply, replaces=True)

    def _prefer(self, chat: str, action: Notify | Quiet, say: Texts) -> Reply:
        preference = self._state.preferences.of(chat)
        if isinstance(action, Notify):
            preference = replace(preference, digest=_DIGESTS[min(action.choice, len(_DIGESTS) - 1)])
        else:
            first, last = _QUIETS[min(action.choice, len(_QUIETS) - 1)]
            preference = replace(preference, quiet_from=first, quiet_until=last)
        self._state.preferences.choose(chat, preference)
        due = due_time(datetime.now(UTC), preference, self._zone)
        self._state.notices.postpone(chat, due.timestamp())
        return replace(self.overview(chat, say), replaces=True)

    def _choices(self, chat: str, say: Texts) -> tuple[tuple[Button, ...], ...]:
        """When to be told: each button shows what holds, and changes to the next possibility."""
        preference = self._state.preferences.of(chat)
        digest, quiet = preference.digest, (preference.quiet_from, preference.quiet_until)
        place = _DIGESTS.index(digest) if digest in _DIGESTS else 0
        when = say("notify_now") if digest is None else say("notify_digest", hour=digest)
        quiet_place = _QUIETS.index(quiet) if quiet in _QUIETS else 0
        hours = (
            say("quiet_never") if quiet[0] == quiet[1] else say("quiet_hours", first=quiet[0], last=quiet[1])
        )
        return (
            (Button(label=when, action=Notify((place + 1) % len(_DIGESTS)), key="o"),),
            (Button(label=hours, action=Quiet((quiet_place + 1) % len(_QUIETS)), key="z"),),
        )

    def _lead(self, subscription: Subscription, say: Texts) -> StyledText:
        return (
            run(f"🔔 {say(_NAMES[QueryKind(subscription.kind)])} "),
            run(one_line(subscription.text, _SHOWN), Style.HEADING),
        )

    def _found(self, subscription: Subscription, article_id: str, say: Texts) -> StyledText | None:
        """The article's best passage for the subscription; its title alone where the words find none."""
        article = self._archive.article(article_id, keywords=False)
        if article is None:
            return None
        only = Filters(article_ids=(article_id,))
        for query in (subscription.text, article.title or article_id):
            response = self._archive.search(query, top_k=1, filters=only)
            if response.hits:
                card = self._answers.card(response.hits[0], 0, say, replace(response, answered=True))
                return card_text(card, _ROOM, say)
        return (run(one_line(article.title or article_id, TITLE_LIMIT), Style.TITLE),)
