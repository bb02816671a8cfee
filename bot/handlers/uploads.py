"""Documents that admins send are taken into the archive."""

import io
import logging

from telegram import Update
from telegram.error import TelegramError
from telegram.ext import ContextTypes, MessageHandler, filters

from bot.administration import Administration
from bot.assistant import Assistant
from bot.delivery import conclude
from bot.i18n import texts
from bot.keeping import MOST_BYTES, DocumentError
from bot.reply import Reply
from bot.styled import one_line, run

_NAME_SHOWN = 60
_logger = logging.getLogger(__name__)


class Uploads:
    """Handles documents in private chats with admins; those of others are questions like any."""

    def __init__(self, assistant: Assistant, administration: Administration) -> None:
        self._assistant = assistant
        self._administration = administration

    def handlers(self) -> list[MessageHandler[ContextTypes.DEFAULT_TYPE, None]]:
        """The handlers to register, before those for everyone."""
        admins = filters.User(self._assistant.welcome.admins) & filters.ChatType.PRIVATE
        return [MessageHandler(filters.UpdateType.MESSAGE & filters.Document.ALL & admins, self.document)]

    async def document(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """Take a document in, or say why not."""
        message = update.effective_message
        if message is None or message.document is None:
            return
        say = texts((await self._assistant.chat(update)).language)
        name = message.document.file_name or "document"
        shown = one_line(name, _NAME_SHOWN)
        try:
            content = await self._content(update)
            taken = await self._assistant.work(self._administration.keeper.add, name, content)
            said = say("document_taken", name=shown, count=len(taken.articles))
        except DocumentError as error:
            said = say("document_refused", name=shown, reason=str(error))
        await conclude(message, Reply(text=(run(said),)), quote=True)

    async def _content(self, update: Update) -> bytes:
        """What the document holds; not even asked for where it says itself that it is too large."""
        document = update.effective_message.document if update.effective_message else None
        assert document is not None
        if (document.file_size or 0) > MOST_BYTES:
            size = (document.file_size or 0) / 2**20
            raise DocumentError(f"{size:.0f} MB, the most is {MOST_BYTES // 2**20} MB")
        held = io.BytesIO()
        try:
            file = await document.get_file()
            await file.download_to_memory(held)
        except TelegramError as error:
            _logger.warning("a document could not be fetched: %s", error)
            raise DocumentError(f"Telegram: {error}") from None
        return held.getvalue()
