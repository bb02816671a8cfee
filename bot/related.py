"""Articles on the same matter: as an article of the archive, or as a text that somebody passed on."""

from bot.actions import Related
from bot.answers import Answers
from bot.archive import Archive
from bot.formatting import TITLE_LIMIT
from bot.i18n import Texts
from bot.reply import Reply
from bot.state import State
from bot.styled import Style, clean, one_line, run

_SHOWN = 5
_TEXT_LIMIT = 600
_LEAST_LIKE, _SHARE_OF_BEST = 0.15, 0.6
"""Cosines: with the bundled encoder, articles on unrelated matters stay below 0.15 mostly."""


class Relatives:
    """Finds articles that are about the same."""

    def __init__(self, archive: Archive, state: State, answers: Answers) -> None:
        self._archive = archive
        self._state = state
        self._answers = answers

    def to_article(self, action: Related, say: Texts) -> Reply:
        """Articles related to one of the archive, that one and its copies left out."""
        article_id = self._state.article_keys.article_id(action.article)
        article = self._archive.article(article_id, keywords=False) if article_id is not None else None
        if article is None or article_id is None:
            return Reply(notice=say("gone"))
        lead = say("related_to", title=one_line(article.title or article.id, TITLE_LIMIT))
        matter = f"{article.title}\n{article.text[: _TEXT_LIMIT // 3]}"
        return self._find(matter, frozenset({article_id}), lead, say)

    def to_text(self, text: str, say: Texts) -> Reply:
        """Articles related to a text, which is taken as it is and not as a question."""
        matter = clean(text).strip()
        if not any(character.isalnum() for character in matter):
            return Reply(text=(run(say("only_words")),))
        return self._find(matter, frozenset(), say("related_to_forwarded"), say)

    def _find(self, matter: str, without: frozenset[str], lead: str, say: Texts) -> Reply:
        """Articles by the likeness of their passages' meaning to the matter, those far behind left out."""
        response = self._archive.search(
            " ".join(matter.split())[:_TEXT_LIMIT], top_k=2 * _SHOWN, understand=False, mode="dense"
        )
        others = [
            hit
            for hit in response.hits
            if hit.article_id not in without and not without.intersection(hit.duplicates)
        ]
        least = max(_LEAST_LIKE, _SHARE_OF_BEST * others[0].score) if others else 0.0
        hits = [hit for hit in others if hit.score >= least][:_SHOWN]
        if not hits:
            return Reply(text=(run(say("nothing_related")),))
        return self._answers.list_of(hits, response, say, (run(lead, Style.META),))
