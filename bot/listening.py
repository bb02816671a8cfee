"""The webhook's own server: takes updates from Telegram, and responds with what answers them."""

import asyncio
import hmac
import json
import logging
import ssl

from telegram import Bot, Update
from telegram.error import BadRequest, RetryAfter, TelegramError
from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

from bot.errors import BotError
from bot.inbox import Inbox
from bot.webhook import Webhook

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 (the header's name)
AGAIN_SECONDS = 2
"""When Telegram should bring an update again that is not taken."""

_MOST_BYTES = 2**20
_ATTEMPTS = 3
_FINISH_SECONDS = 5.0
_logger = logging.getLogger(__name__)


class Listener:
    """Listens for updates. Stop it before the application, close it after."""

    def __init__(self, webhook: Webhook, inbox: Inbox, bot: Bot) -> None:
        self._webhook = webhook
        self._inbox = inbox
        self._bot = bot
        self.stopping = False
        self.open: set[asyncio.Task[None]] = set()
        context: ssl.SSLContext | None = None
        if webhook.certificate is not None and webhook.key is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(webhook.certificate, webhook.key)
        application = Application(
            [(rf"/{webhook.path}/?", _Updates, {"listener": self})], log_function=lambda _: None
        )
        self._server = HTTPServer(application, ssl_options=context, max_body_size=_MOST_BYTES)

    async def start(self, kinds: list[str]) -> None:
        """Listen, then tell Telegram where to bring updates of these kinds. Raises BotError."""
        webhook = self._webhook
        try:
            self._server.listen(webhook.port, webhook.host)
        except OSError as error:
            raise BotError(
                f"cannot listen on {webhook.host}:{webhook.port} for the webhook ({error}); "
                "choose another address in WENDA_WEBHOOK_LISTEN"
            ) from None
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                await self._bot.set_webhook(
                    webhook.url,
                    certificate=webhook.certificate,
                    allowed_updates=kinds,
                    secret_token=webhook.secret,
                )
                return
            except TelegramError as error:
                if attempt == _ATTEMPTS or isinstance(error, BadRequest):
                    raise BotError(f"Telegram does not take WENDA_WEBHOOK_URL: {error}") from None
                await asyncio.sleep(attempt if not isinstance(error, RetryAfter) else AGAIN_SECONDS * attempt)

    def stop(self) -> None:
        """Take no more updates; those that were taken get their responses."""
        self.stopping = True
        self._server.stop()

    async def close(self) -> None:
        """Wait until the last responses are sent, then hang up."""
        if self.open:
            await asyncio.wait(self.open, timeout=_FINISH_SECONDS)
        await self._server.close_all_connections()

    def lets_in(self, secret: str) -> bool:
        """Whether it is Telegram who knocks."""
        return hmac.compare_digest(secret.encode(), self._webhook.secret.encode())

    async def handle(self, body: bytes) -> tuple[int, str]:
        """Status and content of the response to an update."""
        try:
            update = Update.de_json(json.loads(body), self._bot)
        except (ValueError, TypeError, KeyError, AttributeError):
            _logger.exception("what came to the webhook is no update")
            return 400, ""
        if self.stopping:
            return 503, ""
        response = await self._inbox.deliver(update)
        return (200 if response.taken else 503), response.call


class _Updates(RequestHandler):
    """The path that Telegram posts to."""

    def initialize(self, listener: Listener) -> None:
        self._listener = listener

    async def post(self) -> None:
        """Respond with a call of the Bot API, or nothing; 503 where the update is to be brought again."""
        headers = self.request.headers
        if headers.get("Content-Type") != "application/json" or not self._listener.lets_in(
            headers.get(SECRET_HEADER, "")
        ):
            self.set_status(403)
            return
        task = asyncio.current_task()
        if task is not None:
            self._listener.open.add(task)
            task.add_done_callback(self._listener.open.discard)
        status, call = await self._listener.handle(self.request.body)
        self.set_status(status)
        if status == 503:
            self.set_header("Retry-After", str(AGAIN_SECONDS))
        if call:
            self.set_header("Content-Type", "application/json")
            await self.finish(call)
