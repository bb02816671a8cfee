"""The conversation in a terminal and in a pipe."""

import io

import pytest
from rich.console import Console

from bot.conversation import Chat, Conversation
from bot.terminal import Terminal

from .archives import FakeArchive


def talk(conversation: Conversation, chat: Chat, *lines: str, colours: bool = False) -> str:
    """What is printed for these lines: by a person at a coloured terminal, or through a pipe."""
    output = io.StringIO()
    console = Console(
        file=output, force_terminal=colours, width=60, color_system="standard" if colours else None
    )
    Terminal(conversation, chat, console, interactive=colours).run(lines)
    return output.getvalue()


def test_a_pipe_has_one_question_a_line_and_no_line_is_broken(conversation: Conversation, chat: Chat) -> None:
    printed = talk(conversation, chat, "俄罗斯海外仓建了多少个\n", "\n", "口岸食堂的饺子多少钱\n")
    assert printed.startswith(
        "❯ 俄罗斯海外仓建了多少个\n"
        "1. 黑河口岸扩建完工\n"
        "黑龙江日报 · 2021-07-01\n↗ https://news.example/heihe?id=1&lang=zh#:~:text=%E5%8F%A3"
    )
    assert "│ **口岸建设边境仓5个，俄罗斯海外仓12个。**仓库全部投入使用。\n" in printed
    assert "\n❯ 口岸食堂的饺子多少钱\n1. 口岸食堂\n黑龙江日报 · 2021-07-05 · articles/a5.md\n" in printed
    assert "\x1b" not in printed


def test_a_terminal_has_colours_links_and_a_greeting(conversation: Conversation, chat: Chat) -> None:
    printed = talk(conversation, chat, "俄罗斯海外仓建了多少个", colours=True)
    assert "这里有 7 篇文章" in printed
    assert "\x1b[1;32m口岸建设边境仓5个，" in printed
    assert "\x1b[1;4;32m俄罗斯海外仓" in printed
    assert "\x1b]8;" in printed
    assert "可输入：1–2 展开上下文" in printed
    assert printed.rstrip().endswith("再见。\x1b[0m")


def test_long_lines_of_a_quotation_are_wrapped_behind_the_bar(conversation: Conversation, chat: Chat) -> None:
    printed = talk(
        conversation,
        chat,
        "货车四十辆、口岸今天晴、江面无冰、三名员工、边境仓五个、海外仓",
        "1",
        colours=True,
    )
    bars = [line for line in printed.split("\n") if "│" in line]
    assert bars
    assert all(len(line) < 200 for line in bars)


def test_keys_do_what_the_buttons_do(conversation: Conversation, chat: Chat) -> None:
    printed = talk(conversation, chat, "口岸", "n", "p", "2", "r", "/quit", "口岸食堂")
    parts = printed.split("❯ ")[1:]
    assert [part.split("\n")[0] for part in parts] == ["口岸", "n", "p", "2", "r"]
    assert "第 2 页，共 2 页\n\n6. " in parts[1]
    assert parts[2].split("\n")[1:] == parts[0].split("\n")[1:]
    assert parts[3].split("\n")[1].startswith("2. ")


def test_commands(conversation: Conversation, chat: Chat) -> None:
    assert "例如：/ask 什么时候去最好？" in talk(conversation, chat, "/ask")
    assert "1. 口岸食堂" in talk(conversation, chat, "/ask 口岸食堂的饺子")
    assert "  1  什么时候去最好？" in talk(conversation, chat, "/start")
    assert "\n1. 口岸的冬天\n" in talk(conversation, chat, "/start", "1")
    assert "黑河口岸" in talk(conversation, chat, "/etc/passwd 口岸")
    assert "最新文章\n\n1. 口岸的冬天" in talk(conversation, chat, "/latest")


def test_follow_ups_and_forgetting(conversation: Conversation, chat: Chat) -> None:
    printed = talk(conversation, chat, "莫斯科郊外的仓库有几名员工", "那口岸食堂呢", "w", "s")
    parts = printed.split("❯ ")[1:]
    assert parts[1].startswith("那口岸食堂呢\n理解为：口岸食堂的仓库有几名员工\n")
    assert "理解为" not in parts[2]
    printed = talk(conversation, chat, "莫斯科郊外的仓库有几名员工", "/reset", "那口岸食堂呢")
    assert "好，之前的对话忘掉了" in printed
    assert "理解为" not in printed


def test_the_language_can_be_changed(conversation: Conversation, chat: Chat) -> None:
    printed = talk(conversation, chat, "/language", "3", "zzz")
    assert "All right, English from now on." in printed
    assert "I found nothing that answers this question." in printed


def test_the_conversation_goes_on_after_an_error(
    conversation: Conversation, chat: Chat, archive: FakeArchive, caplog: pytest.LogCaptureFixture
) -> None:
    archive.failing = True
    printed = talk(conversation, chat, "口岸", "/help")
    assert "出了点问题，已经记录下来。" in printed
    assert "输入一个问题" in printed or "直接发来一个问题" in printed
    assert "the disk is on fire" in caplog.text


@pytest.mark.parametrize("line", ["\x1b[2Jhello", "\ud800", "\u202e口岸"])
def test_what_is_typed_cannot_steer_the_terminal(conversation: Conversation, chat: Chat, line: str) -> None:
    printed = talk(conversation, chat, line)
    assert not {"\x1b", "\ud800", "\u202e"} & set(printed)
