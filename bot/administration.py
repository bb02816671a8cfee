"""What admins see and do: figures, gaps, removing articles, messages to everyone. Knows no Telegram."""

from datetime import UTC, datetime, timedelta, tzinfo

from bot.actions import Administering, CancelBroadcast, RemoveArticle, SendBroadcast
from bot.charts import chart
from bot.formatting import TITLE_LIMIT, blocks
from bot.gaps import Cluster, clusters, evaluation_set
from bot.greeting import holdings
from bot.i18n import Texts
from bot.keeping import Keeper
from bot.reply import Button, Reply
from bot.state import State
from bot.state.figures import chats, figures, gaps
from bot.styled import Style, StyledText, clean, one_line, run

BROADCAST_LIMIT = 3500
"""Characters of a message to everyone."""

_GAP_DAYS = 30
_CLUSTERS_SHOWN = 15
_SAME_SHOWN = 3
_QUESTION_SHOWN = 80


class Administration:
    """Thread-safe; whoever calls it has made sure that an admin asks."""

    def __init__(self, keeper: Keeper, state: State, zone: tzinfo) -> None:
        self.keeper = keeper
        self._state = state
        self._zone = zone

    def stats(self, say: Texts) -> tuple[Reply, bytes | None]:
        """The figures, and a chart of the last days where it can be drawn."""
        found = figures(self._state.database, now=datetime.now(UTC), zone=self._zone)
        today, week = found.today, found.week
        share = f"{100 * week.answered / week.asked:.0f} %" if week.asked else "–"
        lines = [
            holdings(self.keeper.overview(), say),
            say("stats_passages", count=self.keeper.passages()),
            say("stats_today", count=today.asked, answered=today.answered),
            say("stats_week", count=week.asked, share=share),
            say("stats_latency", median=round(1000 * found.median), slow=round(1000 * found.slow)),
            say("stats_ratings", good=found.good, bad=found.bad),
            say("stats_subscriptions", count=self._state.subscriptions.version()[0]),
        ]
        return Reply(text=(run("\n".join(lines)),)), chart(found.days)

    def gaps(self, say: Texts) -> tuple[Reply, bytes | None]:
        """What was asked and not found, alike questions together; and the same as an evaluation set."""
        found = self._clusters()
        if not found:
            return Reply(text=(run(say("gaps_none", days=_GAP_DAYS)),)), None
        count = sum(len(cluster.gaps) for cluster in found)
        parts: list[StyledText] = [(run(say("gaps", count=count, days=_GAP_DAYS), Style.HEADING),)]
        for cluster in found[:_CLUSTERS_SHOWN]:
            first, *others = (one_line(gap.text, _QUESTION_SHOWN) for gap in cluster.gaps[: _SAME_SHOWN + 1])
            lines = [run(f"{cluster.times} × "), run(first, Style.TITLE)]
            lines += [run(f"\n· {other}", Style.META) for other in others]
            parts.append(tuple(lines))
        return Reply(text=blocks(parts)), evaluation_set(found, self.keeper.retriever)

    def removal(self, wanted: str, say: Texts) -> Reply:
        """/remove: which article is meant (by its id, else by what finds it), to be confirmed."""
        text = " ".join(clean(wanted).split())
        if not text:
            return Reply(text=(run(say("remove_what")),))
        retriever = self.keeper.retriever
        article = retriever.article(wanted.strip(), keywords=False)
        if article is None:
            hits = retriever.search(text, top_k=1).hits
            article = retriever.article(hits[0].article_id, keywords=False) if hits else None
        if article is None:
            return Reply(text=(run(say("gone")),))
        title = (run(one_line(article.title or article.id, TITLE_LIMIT), Style.TITLE),)
        name = (run(one_line(article.id, TITLE_LIMIT), Style.META),)
        key = self._state.article_keys.key(article.id)
        button = Button(label=say("remove_really"), action=RemoveArticle(key))
        return Reply(text=(*title, run("\n"), *name), buttons=((button,),))

    def broadcast(self, admin: int, text: str, say: Texts) -> Reply:
        """/broadcast: the message as it will be, to be confirmed."""
        message = clean(text).strip()
        if not message:
            return Reply(text=(run(say("broadcast_what")),))
        if len(message) > BROADCAST_LIMIT:
            return Reply(text=(run(say("subscribe_too_long", count=BROADCAST_LIMIT)),))
        number = self._state.broadcasts.prepare(admin, message)
        count = len(chats(self._state.database))
        buttons = (
            Button(label=say("broadcast_send", count=count), action=SendBroadcast(number)),
            Button(label=say("cancel"), action=CancelBroadcast(number)),
        )
        return Reply(text=(run(message),), buttons=(buttons,))

    def press(self, admin: int, action: Administering, say: Texts) -> Reply:
        """What an admin's button does."""
        match action:
            case RemoveArticle():
                article_id = self._state.article_keys.article_id(action.article)
                removed = article_id is not None and self.keeper.remove(article_id)
                return Reply(text=(run(say("removed" if removed else "gone")),), replaces=True)
            case SendBroadcast():
                count = self._state.broadcasts.confirm(action.broadcast, admin, chats(self._state.database))
                said = say("outdated") if count is None else say("broadcast_begun", count=count)
                return Reply(text=(run(said),), replaces=True) if count is not None else Reply(notice=said)
            case CancelBroadcast():
                done = self._state.broadcasts.cancel(action.broadcast, admin)
                said = say("cancelled" if done else "outdated")
                return Reply(text=(run(said),), replaces=True) if done else Reply(notice=said)

    def _clusters(self) -> list[Cluster]:
        since = datetime.now(UTC) - timedelta(days=_GAP_DAYS)
        found = gaps(self._state.database, since=since)
        return clusters(found, self.keeper.retriever.encoder.encode_queries)
