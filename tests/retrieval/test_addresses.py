"""Feeds and pages by their address: news only, within bounds, and never from a private network unasked."""

import gzip
import ipaddress
from collections.abc import Iterator
from pathlib import Path

import pytest

from retrieval import Retriever, fetching
from retrieval.errors import SourceError
from retrieval.fetching import Fetcher, Validators, is_public

from .test_collections import records, rss, zipped
from .test_sync import assert_sound, ids, lexical
from .web_server import Answer, WebServer, web_server


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    monkeypatch.setattr("urllib.request.getproxies", dict)
    with web_server() as server:
        yield server


PAGE = """<!doctype html><html lang="zh-CN"><head><title>大坝合龙_河湾网</title>
<meta property="og:site_name" content="河湾网"></head><body><nav><a href="/">首页</a></nav>
<article><h1>大坝合龙</h1><p>河湾水库大坝今天上午合龙，比计划早了二十天，明年春天蓄水。</p>
<p>工地上有三百多名工人，其中一半是附近的村民。</p></article><footer>版权所有</footer></body></html>"""


def test_an_unchanged_feed_costs_one_304(retriever: Retriever, web: WebServer) -> None:
    address = f"{web.address}/feed.xml"
    web.answers["/feed.xml"] = Answer(rss(1, 2).encode(), etag='"v1"')
    assert retriever.sync(address, allow_private=True).added == ("urn:1", "urn:2")
    position = retriever.status().position
    report = retriever.sync(address, allow_private=True)
    assert (report.unchanged, report.failed, web.told) == (2, (), [200, 304])
    assert len(web.asked) == 2
    assert retriever.status().position == position
    web.answers["/feed.xml"] = Answer(rss(2, 3).encode(), etag='"v2"')
    report = retriever.sync(address, allow_private=True)
    assert (report.added, report.removed, report.unchanged) == (("urn:3",), (), 1)
    assert ids(retriever) == ["urn:1", "urn:2", "urn:3"]
    assert retriever.status().sources == (address,)
    article = retriever.article("urn:3", keywords=False)
    assert article is not None
    assert (article.url, article.path) == ("https://news.example/3.html", address)
    assert_sound(retriever)


def test_last_modified_is_kept_too(retriever: Retriever, web: WebServer) -> None:
    stamp = "Mon, 19 Jul 2021 06:51:46 GMT"
    web.answers["/f"] = Answer(rss(1).encode(), headers={"Last-Modified": stamp})
    for _ in range(2):
        retriever.sync(f"{web.address}/f", allow_private=True)
    assert [headers.get("If-Modified-Since") for _, headers in web.asked] == [None, stamp]


def test_a_page_by_its_address(retriever: Retriever, web: WebServer) -> None:
    address = f"{web.address}/新闻/1?a=b"
    web.answers["/%E6%96%B0%E9%97%BB/1?a=b"] = Answer(PAGE.encode(), "text/html; charset=utf-8")
    report = retriever.sync(address, allow_private=True)
    assert report.added == (address,)
    article = retriever.article(address, keywords=False)
    assert article is not None
    assert (article.title, article.url, article.source) == ("大坝合龙", address, "河湾网")
    assert article.text.startswith("河湾水库大坝今天上午合龙")
    assert "首页" not in article.text
    assert lexical(retriever, "三百多名工人") == [address]
    web.answers["/%E6%96%B0%E9%97%BB/1?a=b"].body = PAGE.replace("三百", "五百").encode()
    assert retriever.sync(address, allow_private=True).changed == (address,)


def test_a_page_whose_encoding_only_the_server_names(retriever: Retriever, web: WebServer) -> None:
    page = "<html><body><p>これは日本語の記事です。ダムは今日完成しました。</p></body></html>"
    web.answers["/j"] = Answer(page.encode("shift_jis"), "text/html; charset=Shift_JIS")
    retriever.sync(f"{web.address}/j", allow_private=True)
    article = retriever.article(f"{web.address}/j", keywords=False)
    assert article is not None
    assert article.text == "これは日本語の記事です。ダムは今日完成しました。"


def test_collections_by_address(retriever: Retriever, web: WebServer) -> None:
    web.answers["/c.jsonl.gz"] = Answer(gzip.compress(records(range(2)).encode()), "application/gzip")
    web.answers["/a.zip"] = Answer(zipped({"a.md": "第一号桥全长一丈。"}), "application/zip")
    packed = gzip.compress(rss(5).encode())
    web.answers["/p.xml"] = Answer(packed, headers={"Content-Encoding": "gzip"})
    named = [f"{web.address}/{name}" for name in ("c.jsonl.gz", "a.zip", "p.xml")]
    assert retriever.sync(named, allow_private=True).added == ("r0", "r1", "a.zip/a.md", "urn:5")


def test_what_cannot_be_got_is_a_failure_and_its_articles_stay(
    retriever: Retriever, web: WebServer, folder: Path
) -> None:
    good, bad = f"{web.address}/good/", f"{web.address}/bad"
    web.answers["/good/"] = Answer(rss(1).encode())
    report = retriever.sync([bad, good, folder], allow_private=True)
    (failure,) = report.failed
    assert failure.path == bad
    assert failure.reason == f"{bad} answers 404 Not Found; check the address"
    assert len(report.added) == 5
    assert bad not in retriever.status().sources
    web.answers["/good/"] = Answer(status=503)
    report = retriever.sync(good, allow_private=True)
    assert len(report.failed) == 1
    assert "urn:1" in ids(retriever)
    web.answers["/good/"] = Answer(b"\x89PNG", "image/png")
    assert "neither a feed nor a page" in retriever.sync(good, allow_private=True).failed[0].reason
    web.answers["/good/"] = Answer(b'{"a": 1}', "application/json")
    assert "no JSON Feed" in retriever.sync(good, allow_private=True).failed[0].reason


def test_private_addresses_are_refused_without_being_asked(retriever: Retriever, web: WebServer) -> None:
    web.answers["/"] = Answer(rss(1).encode())
    (failure,) = retriever.sync(f"{web.address}/").failed
    assert "127.0.0.1, an address of a private network, and is refused" in failure.reason
    assert "--allow-private (WENDA_ALLOW_PRIVATE=1)" in failure.reason
    assert web.asked == []
    assert ids(retriever) == []


def test_private_addresses_behind_names_and_redirects_are_refused(web: WebServer) -> None:
    inside = web.address.removeprefix("http://").partition(":")[2]
    mixed = ["93.184.216.34", "10.0.0.1"]
    for found in (["127.0.0.1"], mixed, ["::1"], ["fe80::1%eth0"], ["::ffff:127.0.0.1"]):
        fetcher = Fetcher(resolve=lambda host, port, found=found: found)
        with pytest.raises(SourceError, match="private network"):
            fetcher.fetch(f"http://news.example:{inside}/")
    assert web.asked == []
    # The first stop is allowed here; where it sends us to is looked at all the same.
    web.answers["/"] = Answer(status=302, headers={"Location": "http://169.254.169.254/latest/meta-data/"})

    class OnlyThisServer(Fetcher):
        def _checked(self, host: str, port: int, address: str, *, needed: bool) -> str:
            if host == "127.0.0.1":
                return host
            return super()._checked(host, port, address, needed=needed)

    with pytest.raises(SourceError, match=r"leads to 169\.254\.169\.254"):
        OnlyThisServer().fetch(f"{web.address}/")
    assert len(web.asked) == 1


def test_a_name_is_resolved_once_and_asked_by_its_own_name(web: WebServer) -> None:
    port = web.address.rpartition(":")[2]
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    web.answers["/"] = Answer(b"<p>x</p>", "text/html")
    found = Fetcher(allow_private=True, resolve=resolve).fetch(f"http://news.example:{port}/")
    assert found.body == b"<p>x</p>"
    assert asked == ["news.example"]
    assert web.asked[0][1]["Host"] == f"news.example:{port}"


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True), ("2606:2800:220:1::1", True), ("10.1.2.3", False), ("192.168.1.1", False),
        ("127.0.0.1", False), ("169.254.169.254", False), ("0.0.0.0", False), ("224.0.0.1", False),
        ("100.64.0.1", False), ("::1", False), ("fe80::1", False), ("fc00::1", False), ("::", False),
        ("::ffff:10.0.0.1", False), ("64:ff9b::7f00:1", False), ("2002:7f00:1::", False),
        ("255.255.255.255", False),
    ],
)  # fmt: skip
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) is public


def test_redirects_are_followed_but_not_for_ever(web: WebServer) -> None:
    fetcher = Fetcher(allow_private=True)
    web.answers["/a"] = Answer(status=301, headers={"Location": "/b"})
    web.answers["/b"] = Answer(rss(1).encode(), etag='"e"')
    found = fetcher.fetch(f"{web.address}/a")
    assert (found.address, found.validators) == (f"{web.address}/b", Validators('"e"', ""))
    web.answers["/b"] = Answer(status=302, headers={"Location": "/a"})
    with pytest.raises(SourceError, match="more than 5 times"):
        fetcher.fetch(f"{web.address}/a")
    web.answers["/a"] = Answer(status=302, headers={"Location": "file:///etc/passwd"})
    with pytest.raises(SourceError, match="no web address"):
        fetcher.fetch(f"{web.address}/a")


def test_size_and_time_are_bounded(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "MAX_BYTES", 1_000)
    monkeypatch.setattr(fetching, "READ_SECONDS", 0.2)
    fetcher = Fetcher(allow_private=True)
    web.answers["/large"] = Answer(b"x" * 1_001, "text/plain")
    web.answers["/bomb"] = Answer(
        gzip.compress(bytes(5_000_000)), "text/plain", headers={"Content-Encoding": "gzip"}
    )
    web.answers["/slow"] = Answer(b"x", seconds=5)
    web.answers["/odd"] = Answer(b"x", headers={"Content-Encoding": "br"})
    web.answers["/broken"] = Answer(b"no gzip", headers={"Content-Encoding": "gzip"})
    for path, reason in {
        "large": "larger than the 1,000 bytes", "bomb": "larger than the 1,000 bytes",
        "slow": "does not answer in time", "odd": "the coding 'br'", "broken": "damaged",
    }.items():  # fmt: skip
        with pytest.raises(SourceError, match=reason):
            fetcher.fetch(f"{web.address}/{path}")
    monkeypatch.setattr(fetching, "TOTAL_SECONDS", -1.0)
    web.answers["/small"] = Answer(b"x", "text/plain")
    with pytest.raises(SourceError, match="does not answer in time"):
        fetcher.fetch(f"{web.address}/small")


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("http://user:secret@news.example/", "an address with a password in it"),
        ("http://[::1/", "cannot be read"),
        ("http://", "no web address"),
        ("http://news.invalid/", "there is no host news.invalid"),
        ("http://127.0.0.1:1/", "cannot be read"),
    ],
)
def test_addresses_that_lead_nowhere(address: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("urllib.request.getproxies", dict)

    def resolve(host: str, port: int) -> list[str]:
        raise OSError(-2, "Name or service not known")

    with pytest.raises(SourceError, match=reason) as caught:
        Fetcher(allow_private=True, resolve=resolve).fetch(address)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
