"""What is new, by category, page by page."""

import pytest

from bot.actions import Latest, Read
from bot.conversation import Chat, Conversation
from bot.latest import category_key
from bot.reply import Reply
from bot.styled import Style, plain

from .archives import FakeArchive, article


@pytest.fixture
def archive() -> FakeArchive:
    """Ten articles on trade, two on food, one on nothing; the newest has the highest number."""
    made = [article(number, f"贸易{number}", "口岸。", categories=("贸易",)) for number in range(1, 11)]
    made += [article(number, f"美食{number}", "饺子。", categories=("美食", "贸易")) for number in (11, 12)]
    return FakeArchive([*made, article(13, "无类", "无。")])


def labels(reply: Reply) -> list[str]:
    return [button.label for row in reply.buttons for button in row]


def test_the_newest_of_each_category_once(conversation: Conversation, chat: Chat) -> None:
    reply = conversation.latest(chat)
    lines = plain(reply.text).split("\n")
    assert lines[0] == "最新文章"
    assert lines[2:6] == [
        "贸易",
        "1. 美食12 · 黑龙江日报 · 2021-07-12",
        "2. 美食11 · 黑龙江日报 · 2021-07-11",
        "3. 贸易10 · 黑龙江日报 · 2021-07-10",
    ]
    assert labels(reply) == ["📖 1", "📖 2", "📖 3", "贸易", "美食"]
    assert [run.text for run in reply.text if Style.HEADING in run.styles] == ["最新文章", "贸易"]


def test_a_category_has_pages(conversation: Conversation, chat: Chat) -> None:
    action = Latest(category_key("贸易"))
    first = conversation.press(chat, action)
    assert first.replaces
    assert plain(first.text).split("\n")[1] == "1. 美食12 · 黑龙江日报 · 2021-07-12"
    assert labels(first)[-2:] == ["‹ 全部", "下一页 ›"]
    second = conversation.press(chat, Latest(category_key("贸易"), 1))
    assert "9. 贸易4" in plain(second.text)
    assert labels(second)[-2:] == ["‹ 全部", "‹ 上一页"]
    assert conversation.press(chat, Latest(category_key("贸易"), 99)).text == second.text
    read = next(button.action for button in second.buttons[0])
    assert isinstance(read, Read)
    assert "贸易4" in plain(conversation.press(chat, read).text)


def test_a_category_that_is_gone_leads_back_to_all(conversation: Conversation, chat: Chat) -> None:
    assert conversation.press(chat, Latest("x" * 12)).text == conversation.latest(chat).text


def test_articles_without_categories_are_listed_too(
    conversation: Conversation, chat: Chat, archive: FakeArchive
) -> None:
    for number in range(1, 13):
        archive.remove(f"a{number}")
    assert plain(conversation.latest(chat).text) == "最新文章\n\n1. 无类 · 黑龙江日报 · 2021-07-13"
    archive.remove("a13")
    assert "这里还没有文章" in plain(conversation.latest(chat).text)
