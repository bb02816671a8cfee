"""How fast one may ask, and who may ask at all."""

from bot.access import Welcome
from bot.limits import Limits, Wait


def test_a_minute_moves_on() -> None:
    now = [0.0]
    limits = Limits(2, clock=lambda: now[0])
    assert limits.ask(1) == Wait()
    now[0] = 20.0
    assert limits.ask(1) == Wait()
    now[0] = 30.5
    assert limits.ask(1) == Wait(30, first=True)
    assert limits.ask(1) == Wait(30, first=False)
    assert limits.ask(2) == Wait()
    now[0] = 60.0
    assert limits.ask(1) == Wait()
    assert limits.ask(1) == Wait(20, first=True)


def test_without_a_limit_anything_goes() -> None:
    limits = Limits(0)
    assert all(limits.ask(1) == Wait() for _ in range(1000))


def test_users_long_gone_are_forgotten() -> None:
    limits = Limits(1)
    for user in range(10_050):
        limits.ask(user)
    assert limits.ask(0) == Wait()


def test_who_is_welcome() -> None:
    assert Welcome()(5, 6)
    listed = Welcome(admins=frozenset({1}), users=frozenset({2}), chats=frozenset({-3}))
    assert listed(1, 9)
    assert listed(2, 9)
    assert listed(8, -3)
    assert not listed(8, 9)
    assert not listed(None, None)
    assert not Welcome(chats=frozenset({-3}))(8, 8)
