"""Updates fetched by the bot: long polling, one reader at a time."""

import asyncio
import contextlib
from typing import Any

from .methods import method
from .parameters import Params, RefusedError, number, structure
from .world import World

MOST = 100
WEBHOOK_ACTIVE = (
    "Conflict: can't use getUpdates method while webhook is active; "
    "use deleteWebhook to delete the webhook first"
)
OTHER_READER = (
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
)


@method("getUpdates")
async def get_updates(world: World, params: Params) -> list[dict[str, Any]]:
    if world.webhook:
        raise RefusedError(409, WEBHOOK_ACTIVE)
    await asyncio.sleep(0)
    if world.poller is not None:
        world.poller.set()
        await world.notify()
    mine = world.poller = asyncio.Event()
    try:
        return await _long_poll(world, params, mine)
    finally:
        if world.poller is mine:
            world.poller = None


async def _long_poll(world: World, params: Params, ended: asyncio.Event) -> list[dict[str, Any]]:
    allow(world, params)
    confirm(world, number(params, "offset", 0))
    async with world.changed:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0, number(params, "timeout", 0))):
                await world.changed.wait_for(
                    lambda: bool(world.pending) or ended.is_set() or bool(world.webhook)
                )
    if ended.is_set():
        raise RefusedError(409, OTHER_READER)
    if world.webhook:
        raise RefusedError(409, "Conflict: terminated by setWebhook request")
    limit = min(max(number(params, "limit", MOST), 1), MOST)
    return [update for _, update in zip(range(limit), world.pending, strict=False)]


def allow(world: World, params: Params) -> None:
    """Remember which kinds of updates the bot wants from now on; nothing said leaves it as it was."""
    if (kinds := structure(params, "allowed_updates")) is not None:
        world.allowed = set(kinds) or None


def confirm(world: World, offset: int) -> None:
    """Forget updates before `offset`; a negative one keeps only as many of the last."""
    while world.pending and (
        world.pending[0]["update_id"] < offset or (offset < 0 and len(world.pending) > -offset)
    ):
        world.pending.popleft()
