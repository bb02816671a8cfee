"""How often garbage is looked for."""

import subprocess
import sys

import pytest

from retrieval.garbage import seldom_collecting


def test_a_sync_collects_seldom_and_leaves_everything_as_it_was() -> None:
    import gc

    before = gc.get_threshold()
    during: list[int] = []

    def sync() -> None:
        with seldom_collecting():
            during.append(gc.get_threshold()[0])
            raise ValueError("broken off")

    with pytest.raises(ValueError, match="broken off"):
        sync()
    assert during[0] > 10 * before[0]
    assert gc.get_threshold() == before


def test_a_process_that_serves_spares_what_is_there() -> None:
    program = (
        "import gc; from retrieval.garbage import settle\n"
        "kept = [[] for _ in range(1000)]\n"
        "settle()\n"
        "assert gc.get_freeze_count() >= 1000\n"
        "assert gc.get_threshold()[0] > 10_000\n"
        "ring = []; ring.append(ring); del ring\n"
        "assert gc.collect() >= 1\n"  # what comes later is collected all the same
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)
