"""No secret is ever logged, not even inside of a traceback."""

import logging
import sys

import pytest

from bot.logs import RedactingFormatter, configure

from .api_server import TOKEN


def record(message: str, *values: object, error: Exception | None = None) -> logging.LogRecord:
    trace = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("bot", logging.ERROR, __file__, 1, message, values, trace)


def test_tokens_are_blotted_out_of_messages_and_tracebacks() -> None:
    formatter = RedactingFormatter("%(message)s", ["hunter2"])
    other = "987654321:" + "Ab-_" * 9
    assert formatter.format(record("using %s and %s", TOKEN, other)) == "using [secret] and [secret]"
    try:
        raise ValueError(f"The token `{TOKEN}` was rejected; hunter2")
    except ValueError as error:
        text = formatter.format(record("failed", error=error))
    assert "The token `[secret]` was rejected; [secret]" in text
    assert formatter.format(record("10:30 and 2021-07-19 06:51:46")) == "10:30 and 2021-07-19 06:51:46"


def test_libraries_that_log_requests_only_warn(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    try:
        configure(logging.DEBUG, [TOKEN])
        logging.getLogger("httpx").info("POST https://api.telegram.org/bot%s/getMe", TOKEN)
        logging.getLogger("bot").info("POST https://api.telegram.org/bot%s/getMe", TOKEN)
        assert not logging.getLogger("telegram.ext").isEnabledFor(logging.INFO)
    finally:
        root.setLevel(before[0])
        root.handlers = before[1]
        for name in ("httpx", "httpcore", "telegram", "apscheduler"):
            logging.getLogger(name).setLevel(logging.NOTSET)
    printed = capsys.readouterr().err
    assert "httpx" not in printed
    assert "/bot[secret]/getMe" in printed
    assert sys.stderr is not None
