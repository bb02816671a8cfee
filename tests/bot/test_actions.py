"""Callback data: what is written is read back, within 64 bytes; anything else is nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.actions import Action, Ask, Rate, Read, SetLanguage, ShowPage, Unfold, decode, encode

ids = st.integers(0, 2**63 - 1)
small = st.integers(0, 400)
keys = st.text("ABCxyz019_-", min_size=16, max_size=16)
actions = st.one_of(
    st.builds(ShowPage, ids, small, st.integers(0, 1)),
    st.builds(Unfold, st.integers(0, 2**50), small, ids, small, small),
    st.builds(Read, keys, small, small, st.integers(0, 1)),
    st.builds(Ask, ids, st.integers(0, 1)),
    st.builds(Rate, ids, st.integers(0, 1)),
    st.builds(SetLanguage, small),
)


@given(actions)
def test_what_is_written_is_read_back(action: Action) -> None:
    data = encode(action)
    assert len(data.encode()) <= 64
    assert decode(data) == action


def test_the_form_is_short() -> None:
    assert encode(ShowPage(12345, 2)) == "p:9ix:2:0"
    assert encode(Read("AbCdEfGhIjKlMnOp", 1, 3)) == "r:AbCdEfGhIjKlMnOp:1:3:0"


@pytest.mark.parametrize(
    "data",
    [
        "",
        ":",
        "p",
        "p:1",
        "p:1:2:3:4",
        "p:-1:0:0",
        "p:1_0:0:0",
        "p: 1:0:0",
        "p:１:0:0",
        "p:zzzzzzzzzzzzz:0:0",
        "q:1:0:0",
        "r:../../etc/passwd:0:0:0",
        "r::0:0:0",
        "a:1:" + "0" * 80,
        "\x00",
    ],
)
def test_forged_data_is_nothing(data: str) -> None:
    assert decode(data) is None


@given(st.text(max_size=80))
def test_no_text_makes_decoding_fail(data: str) -> None:
    action = decode(data)
    assert action is None or decode(encode(action)) == action
