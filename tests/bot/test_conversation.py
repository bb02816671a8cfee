"""Conversations as values: what a question and a button give, without any surface."""

from bot.actions import Alone, Ask, Choose, Follow, Rate, Read, Related, ShowPage, Unfold
from bot.conversation import Chat, Conversation
from bot.links import deep_link_payload, parse_payload
from bot.reply import Reply
from bot.state import State
from bot.styled import Style, plain
from retrieval.types import Article

from .archives import FakeArchive, article


def actions(reply: Reply) -> list[object]:
    return [button.action for row in reply.buttons for button in row]


def styled(reply: Reply, style: Style) -> list[str]:
    return [run.text for run in reply.text if style in run.styles]


def test_an_answer_has_titles_marks_and_buttons(conversation: Conversation, chat: Chat) -> None:
    reply = conversation.ask(chat, "俄罗斯海外仓建了多少个")
    assert styled(reply, Style.TITLE) == ["1. ", "黑河口岸扩建完工", "2. ", "海外仓的一天"]
    assert "".join(styled(reply, Style.ANSWER)).startswith("口岸建设边境仓5个，俄罗斯海外仓12个。")
    assert reply.image == "https://img.example/1.png"
    assert not reply.replaces
    assert actions(reply)[:2] == [Unfold(1, 0, 1001), Unfold(1, 0, 2000)]


def test_a_refusal_marks_nothing_as_an_answer(conversation: Conversation, chat: Chat) -> None:
    reply = conversation.ask(chat, "明天黑河到上海的航班还有票吗")
    assert styled(reply, Style.ANSWER) == []
    assert actions(reply) == [ShowPage(1, 0, nearest=1), Follow(1), Rate(1, 1), Rate(1, 0)]
    near = conversation.press(chat, ShowPage(1, 0, nearest=1))
    assert styled(near, Style.ANSWER) == []
    assert near.replaces
    assert near.image is None


def test_paging_ends(conversation: Conversation, chat: Chat) -> None:
    conversation.ask(chat, "口岸")
    assert conversation.press(chat, ShowPage(1, 1)).text
    assert conversation.press(chat, ShowPage(1, 2)) == Reply(notice="没有更多了。")
    assert conversation.press(chat, ShowPage(1, 10**15)) == Reply(notice="没有更多了。")


def test_unfolding_goes_on_until_the_article_ends(
    conversation: Conversation, chat: Chat, archive: FakeArchive
) -> None:
    lines = [f"第{number}段。" for number in range(20)]
    lines[10] = "独角兽在这里。"
    archive._articles["long"] = article(9, "长文", "\n".join(lines), id="long")
    conversation.ask(chat, "独角兽在这里")
    reply = conversation.press(chat, Unfold(1, 0, 8010))
    assert plain(reply.text).split("\n\n")[1:] == ["第9段。", "独角兽在这里。", "第11段。"]
    assert actions(reply)[:2] == [Unfold(1, 0, 8010, before=3), Unfold(1, 0, 8010, after=3)]
    reply = conversation.press(chat, Unfold(1, 0, 8010, before=3))
    assert plain(reply.text).split("\n\n")[1] == "第7段。\n第8段。\n第9段。"
    reply = conversation.press(chat, Unfold(1, 0, 8010, before=99, after=99))
    assert actions(reply)[0] == ShowPage(1, 0, 0)


def test_reading_opens_at_the_passage_and_turns(
    conversation: Conversation, chat: Chat, archive: FakeArchive
) -> None:
    lines = [f"第{number}段。" + "字" * 400 for number in range(20)]
    archive._articles["long"] = article(9, "长文", "\n".join(lines), id="long", url="https://x.org/long")
    conversation.ask(chat, "第15段")
    key = next(
        action for action in actions(conversation.press(chat, Unfold(1, 0, 8015))) if isinstance(action, Read)
    )
    page = conversation.press(chat, key)
    assert not page.replaces
    assert "第15段。" in "".join(styled(page, Style.QUOTE))
    assert page.text[0].link == "https://x.org/long"
    back = conversation.press(chat, actions(page)[0])  # type: ignore[arg-type]
    assert back.replaces
    assert "第1段。" in plain(back.text) or "第8段。" in plain(back.text)
    assert conversation.press(chat, Read(key.article, 999)).text


def test_a_question_offered_by_the_bot_is_asked_in_every_chat(
    conversation: Conversation, chat: Chat, state: State
) -> None:
    welcome = conversation.greeter.welcome(chat.language)
    action = actions(welcome)[0]
    assert isinstance(action, Ask)
    assert actions(conversation.greeter.welcome(chat.language))[0] == action
    reply = conversation.press(chat, action)
    assert styled(reply, Style.HEADING) == ["什么时候去最好？"]
    assert not reply.replaces


def test_limits_read_out_of_a_question_can_be_undone(conversation: Conversation, chat: Chat) -> None:
    reply = conversation.ask(chat, "去年口岸小学")
    assert Ask(1, literal=1) in actions(reply)
    again = conversation.press(chat, Ask(1, literal=1))
    assert again.replaces
    assert "理解为" not in plain(again.text)
    none = conversation.ask(chat, "去年 qqq")
    assert "理解为" in plain(none.text)
    assert actions(none) == [Follow(3), Ask(3, literal=1), Rate(3, 1), Rate(3, 0)]


def test_the_archive_is_asked_once_a_question(
    conversation: Conversation, chat: Chat, archive: FakeArchive
) -> None:
    conversation.ask(chat, "  口岸 \n 食堂\u202e ")
    assert archive.questions == ["口岸 食堂"]


def test_an_empty_archive(conversation: Conversation, chat: Chat, archive: FakeArchive) -> None:
    archive._articles.clear()
    assert "这里还没有文章" in plain(conversation.greeter.welcome(chat.language).text)
    assert conversation.greeter.welcome(chat.language).buttons == ()
    assert "没有找到" in plain(conversation.ask(chat, "口岸").text)


def test_deep_links_are_short_and_safe(state: State) -> None:
    for article_id in ("a", "文章/" * 300, "../../etc"):
        key = state.article_keys.key(article_id)
        payload = deep_link_payload(key, 35 * 36)
        assert len(payload) <= 64
        assert set(payload) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
        assert parse_payload(payload) == (key, 35 * 36)
    assert state.article_keys.article_id(state.article_keys.key("文章")) == "文章"


def test_other_payloads_are_no_deep_links(conversation: Conversation, chat: Chat) -> None:
    for payload in ("", "hello", "a" * 16, "a" * 16 + "Z", "a" * 16 + "-1", "a" * 64, "a" * 16 + "１"):
        assert conversation.open(chat, payload) is None


def test_articles_without_title_or_details(
    conversation: Conversation, chat: Chat, archive: FakeArchive
) -> None:
    archive._articles["bare"] = Article(id="bare", text="独角兽在这里。")
    assert plain(conversation.ask(chat, "独角兽在这里").text) == "1. bare\n独角兽在这里。"


def numbers(reply: Reply) -> list[int]:
    return [action.passage for action in actions(reply) if isinstance(action, Unfold)]


def test_a_follow_up_is_understood_said_and_undone(conversation: Conversation, chat: Chat) -> None:
    conversation.ask(chat, "莫斯科郊外的仓库有几名员工")
    follow = conversation.ask(chat, "那口岸食堂呢？")
    assert plain(follow.text).startswith("理解为：口岸食堂的仓库有几名员工")
    undo = next(action for action in actions(follow) if isinstance(action, Alone))
    alone = conversation.press(chat, undo)
    assert alone.replaces
    assert "理解为" not in plain(alone.text)
    assert styled(alone, Style.TITLE)[1] == "口岸食堂"


def test_what_is_followed_is_what_the_question_was_taken_to_mean(
    conversation: Conversation, chat: Chat, state: State
) -> None:
    conversation.ask(chat, "航班还有票吗")
    refusal = conversation.ask(chat, "那月球呢？")
    assert plain(refusal.text).startswith("理解为：月球还有票吗\n\n没有找到能回答这个问题的内容。")
    follow = next(action for action in actions(refusal) if isinstance(action, Follow))
    conversation.press(chat, follow)
    assert [each.text for each in state.subscriptions.all()] == ["月球还有票吗"]


def test_more_shows_the_passages_that_come_next(conversation: Conversation, chat: Chat) -> None:
    first = conversation.ask(chat, "口岸")
    more = conversation.ask(chat, "还有吗？")
    assert plain(more.text).startswith("理解为：接着“口岸”往下看")
    assert numbers(more)
    assert not set(numbers(first)) & set(numbers(more))
    seen = [*numbers(first), *numbers(more)]
    while numbers(more):
        more = conversation.ask(chat, "还有吗？")
        assert not set(seen) & set(numbers(more))
        seen += numbers(more)
    assert plain(more.text) == "没有更多了。"


def test_pages_of_more_open_later(conversation: Conversation, chat: Chat, archive: FakeArchive) -> None:
    archive._articles["long"] = article(
        9, "长文", "\n".join(f"口岸的第{n}件事。" for n in range(20)), id="long"
    )
    conversation.ask(chat, "口岸")
    more = conversation.ask(chat, "还有吗")
    page = next(action for action in actions(more) if isinstance(action, ShowPage))
    second = conversation.press(chat, page)
    assert plain(second.text).startswith("理解为：接着“口岸”往下看\n\n")
    assert not set(numbers(more)) & set(numbers(second))
    assert conversation.press(chat, Unfold(page.question, 1, numbers(second)[0])).text


def test_an_article_on_the_table_is_opened_or_asked(conversation: Conversation, chat: Chat) -> None:
    first = conversation.ask(chat, "口岸今天")
    second = styled(first, Style.TITLE)[3]
    opened = conversation.ask(chat, "第二篇讲了什么")
    assert plain(opened.text).startswith(f"理解为：打开《{second}》\n\n{second}\n")
    assert [type(action) for action in actions(opened)] == [Related, Rate, Rate]
    conversation.ask(chat, "口岸今天")
    asked = conversation.ask(chat, "第一篇里今天通过货车多少")
    assert plain(asked.text).startswith("理解为：在《口岸日志》里找：今天通过货车多少")
    assert len(numbers(asked)) == 1


def test_limits_stay_in_force_and_are_said(conversation: Conversation, chat: Chat) -> None:
    conversation.ask(chat, "去年口岸小镇有几所小学")
    follow = conversation.ask(chat, "它离口岸有几公里？")
    assert plain(follow.text).startswith("理解为：口岸小镇离口岸有几公里？；2020-01-01 至 2020-12-31")
    assert len(numbers(follow)) == 1
    conversation.reset(chat)
    assert "理解为" not in plain(conversation.ask(chat, "它离口岸有几公里？").text)


def test_the_same_of_last_year_limits_it_and_both_can_be_undone(
    conversation: Conversation, chat: Chat
) -> None:
    conversation.ask(chat, "口岸小镇有几所小学")
    follow = conversation.ask(chat, "那去年呢？")
    assert plain(follow.text).startswith("理解为：去年口岸小镇有几所小学；去年 → 2020-01-01 至 2020-12-31")
    assert [action for action in actions(follow) if isinstance(action, Alone | Ask)] == [
        Alone(2),
        Ask(2, literal=1),
    ]


def test_limits_once_undone_stay_away(conversation: Conversation, chat: Chat) -> None:
    conversation.ask(chat, "去年口岸今天通过货车")
    conversation.press(chat, Ask(1, literal=1))
    more = conversation.ask(chat, "还有吗")
    assert "→" not in plain(more.text)
    assert len(numbers(more)) > 1
    follow = conversation.ask(chat, "那小镇呢？")
    assert "→" not in plain(follow.text)
    assert "→ 2020-01-01" in plain(conversation.ask(chat, "那去年呢？").text)


def test_a_refusal_puts_only_the_nearest_on_the_table(conversation: Conversation, chat: Chat) -> None:
    conversation.ask(chat, "明天黑河到上海的航班还有票吗")
    assert "打开" not in plain(conversation.ask(chat, "第二篇讲了什么").text)
    conversation.ask(chat, "明天黑河到上海的航班还有票吗")
    assert plain(conversation.ask(chat, "第一篇讲了什么").text).startswith("理解为：打开《黑河口岸扩建完工》")


def test_an_incomplete_question_offers_what_it_may_be_about(
    conversation: Conversation, chat: Chat, archive: FakeArchive
) -> None:
    for number, name in enumerate(("东桥", "西桥：新的一座"), start=8):
        archive._articles[name] = article(number, name, f"{name[:2]}什么时候通车？{number}月通车。", id=name)
    reply = conversation.ask(chat, "什么时候通车？")
    choices = [action for action in actions(reply) if isinstance(action, Choose)]
    labels = [button.label for row in reply.buttons for button in row if isinstance(button.action, Choose)]
    assert plain(reply.text).startswith("你问的是哪一个？\n\n1. ")
    assert labels[:2] == ["是问“东桥”？", "是问“西桥”？"]
    chosen = conversation.press(chat, choices[1])
    assert chosen.replaces
    assert plain(chosen.text).startswith("理解为：在《西桥：新的一座》里找：西桥什么时候通车？")
    assert len(numbers(chosen)) == 1
    assert conversation.press(chat, Choose(choices[0].question, 9)).notice
    assert conversation.press(Chat("8", chat.language), choices[0]).notice
    assert not any(
        isinstance(action, Choose) for action in actions(conversation.ask(chat, "东桥什么时候通车？"))
    )


def test_an_edited_question_takes_its_own_place(conversation: Conversation, chat: Chat) -> None:
    conversation.ask(chat, "莫斯科郊外的仓库有几名员工", message=1)
    conversation.ask(chat, "口岸食堂的饺子多少钱", message=2)
    edited = conversation.ask(chat, "那口岸食堂呢？", message=2)
    assert plain(edited.text).startswith("理解为：口岸食堂的仓库有几名员工")


def test_people_and_topics_have_conversations_of_their_own(conversation: Conversation, chat: Chat) -> None:
    one, two = Chat("-5", chat.language, "-5/0/1"), Chat("-5", chat.language, "-5/0/2")
    reply = conversation.ask(one, "莫斯科郊外的仓库有几名员工")
    assert "理解为" not in plain(conversation.ask(two, "那口岸食堂呢？").text)
    assert "理解为" in plain(conversation.ask(one, "那口岸食堂呢？").text)
    conversation.said(one, 40, reply)
    assert "理解为：口岸食堂的仓库" in plain(conversation.ask(two, "那口岸食堂呢？", replied=40).text)


def test_related_articles_leave_out_the_article_itself(
    conversation: Conversation, chat: Chat, state: State, archive: FakeArchive
) -> None:
    text = "口岸今天晴，江面无冰。口岸今天通过货车五十辆。"
    archive._articles["twin"] = article(9, "口岸日志续", text, id="twin")
    related = conversation.press(chat, Related(state.article_keys.key("a4")))
    assert plain(related.text).startswith("与《口岸日志》相关的文章：\n\n1. 口岸日志续\n")
    assert not related.replaces
    assert styled(related, Style.ANSWER) == styled(related, Style.HIGHLIGHT) == []
    assert conversation.press(chat, Related("a" * 16)).notice == "这篇文章已经不在库里了。"


def test_what_is_passed_on_is_no_question(
    conversation: Conversation, chat: Chat, archive: FakeArchive
) -> None:
    forwarded = conversation.related_to(chat, "口岸食堂的饺子二十元一份，\n去年也是")
    assert plain(forwarded.text) == (
        "与转来的内容相关的文章：\n\n1. 口岸食堂\n"
        "黑龙江日报 · 2021-07-05 · 原文 ↗\n口岸食堂的饺子二十元一份。"
    )
    assert archive.questions == ["口岸食堂的饺子二十元一份， 去年也是"]
    assert [type(action) for action in actions(forwarded)] == [Read]
    assert plain(conversation.related_to(chat, "zzz qqq").text) == "没有找到相关的文章。"
    assert plain(conversation.related_to(chat, "😀").text) == "请用文字提问，一句话就好。"
