"""What workers are sent and send back comes through the pipe as it was."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO

import msgspec
import numpy as np
import pytest

from retrieval.file_reading import FileTask, ReadFile
from retrieval.lexical.analyzer import Analyzer
from retrieval.passage_vectors import with_vectors
from retrieval.preparation import prepare_all
from retrieval.types import Article, Failure
from retrieval.worker_messages import Errand, Message, errand, pack, receive, results

from .encoders import HashEncoder

ARTICLES = [
    Article(id="空", text=""),
    Article(
        id='"a"\n',
        title="量子\t计算 😀",
        text="第一节\n量子电脑很快。\n\u2028它有 100 個位元。",
        headings={0: 2},
        published_at=datetime(2024, 5, 6, 7, 8, 9, tzinfo=timezone(timedelta(hours=8))),
        categories=("科技", "物理"),
        tags=("a",),
        url="https://example.org/?q=1&r=2",
        author="张三",
        source="新浪",
        editor="李四",
        image="https://example.org/a.png",
        language="zh-Hans",
        path="/数据/a.md",
    ),
    Article(id="c", text="长" * 2000, published_at=datetime(1999, 12, 31, tzinfo=UTC)),
]


def test_errands() -> None:
    tasks = [
        FileTask(path="/a/量.md", relative="量.md", article_id="量.md", known=b"\x00\xff"),
        FileTask(path="b", relative="b", article_id="b", data=b"\n\x80{}", line=7, address="https://a.example"),
    ]
    for recurring in (None, [], [1, 2**63, -5]):
        assert errand(_sent(pack(Errand(recurring, tasks)))) == Errand(recurring, tasks)


def test_results() -> None:
    prepared = with_vectors(prepare_all(ARTICLES, Analyzer()), HashEncoder())
    sent = [ReadFile(b"\x01\xfe", item, None) for item in prepared]
    sent.append(ReadFile(b"", replace(prepared[1], vectors=None), None))
    sent.append(ReadFile(b"", None, Failure(path="a", reason="it is not\nan article", line=3)))
    received = results(_sent(pack(sent)))
    assert received == sent
    published = received[1].prepared
    assert published is not None
    assert published.article.published_at is not None
    assert published.article.published_at.isoformat() == "2024-05-06T07:08:09+08:00"
    for before, after in zip(prepared, received, strict=False):
        assert before.vectors is not None
        assert after.prepared is not None
        assert after.prepared.vectors is not None
        assert after.prepared.vectors.dtype == np.float16
        np.testing.assert_array_equal(after.prepared.vectors, before.vectors)
    assert received[3].prepared is not None
    assert received[3].prepared.vectors is None


def test_messages_follow_one_another_until_the_pipe_ends() -> None:
    prepared = with_vectors(prepare_all(ARTICLES, Analyzer()), HashEncoder())
    first, second = [ReadFile(b"", item, None) for item in prepared[:2]], [ReadFile(b"", prepared[2], None)]
    whole = pack(first) + pack(second)
    for missing in (0, 1, 600, len(pack(second)) - 3):
        pipe = BytesIO(whole[: len(whole) - missing])
        message = receive(pipe)
        assert message is not None
        assert results(message) == first
        message = receive(pipe)
        assert (message is None) == (missing > 0)
        assert message is None or results(message) == second
        assert receive(pipe) is None


@pytest.mark.parametrize("text", [b"", b"\n", b"[]x", b'[[1,[{"path":1}]]]', b'[null,[{"path":"a"}]]'])
def test_what_is_no_message_is_refused(text: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        errand((text, b""))


def _sent(packed: bytes) -> Message:
    message = receive(BytesIO(packed))
    assert message is not None
    return message


def test_nothing_else_is_sent() -> None:
    with pytest.raises(TypeError, match="complex is not for workers"):
        pack([1j])  # type: ignore[list-item]
