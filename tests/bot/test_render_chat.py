"""The picture of a chat: well-formed, every line inside of its bubble, nothing but what was said."""

from xml.etree import ElementTree

from .api_server import Sent, parse_html
from .render_chat import BUBBLE, PAD, Drawing, lines

SVG = "{http://www.w3.org/2000/svg}"


def test_a_drawing_says_what_the_messages_say() -> None:
    text, entities = parse_html(
        '1. <a href="https://x.org"><b>标题 &lt;&amp;&gt;</b></a>\n<blockquote>建设<b>边境仓</b>5个。'
        + "长" * 80
        + "</blockquote>"
    )
    markup = {"inline_keyboard": [[{"text": "下一页 ›", "callback_data": "p"}]]}
    drawing = Drawing("wenda")
    drawing.user("口岸 <b>&")
    drawing.bot(Sent(42, 1, text, entities, markup))
    tree = ElementTree.fromstring(drawing.svg())
    said = [element.text or "" for element in tree.iter(f"{SVG}text")]
    assert "".join(said) == ("wenda口岸 <b>&" + text + "下一页 ›").replace("\n", "")
    assert any("font-weight" in (element.get("style") or "") for element in tree.iter(f"{SVG}text"))


def test_lines_fit_and_do_not_begin_with_a_closing_mark() -> None:
    text = "铁路，" * 60 + "\nThe quick brown fox jumps over the lazy dog again and again and again"
    broken = lines(text, [], BUBBLE - 2 * PAD)
    assert all(line.width <= BUBBLE - PAD for line in broken)
    assert not any(line.pieces and line.pieces[0][0].startswith("，") for line in broken)
