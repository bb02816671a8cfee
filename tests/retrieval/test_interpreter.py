"""How Python works in our processes."""

import gc
import subprocess
import sys

import pytest

from retrieval.interpreter import seldom_collecting


def test_a_sync_collects_seldom_and_leaves_everything_as_it_was() -> None:
    before, during = gc.get_threshold(), []
    gc.set_threshold(700, 10, 10)  # another test's bot may have changed it

    def sync() -> None:
        with seldom_collecting():
            during.append(gc.get_threshold()[0])
            raise ValueError("broken off")

    with pytest.raises(ValueError, match="broken off"):
        sync()
    found = gc.get_threshold()
    gc.set_threshold(*before)
    assert during[0] > 7000
    assert found == (700, 10, 10)


def test_a_process_that_serves_spares_what_is_there() -> None:
    program = (
        "import gc, sys; from retrieval.interpreter import settle\n"
        "kept = [[] for _ in range(1000)]\n"
        "settle()\n"
        "assert gc.get_freeze_count() >= 1000\n"
        "assert gc.get_threshold()[0] > 10_000\n"
        "assert sys.getswitchinterval() < 0.001\n"
        "ring = []; ring.append(ring); del ring\n"
        "assert gc.collect() >= 1\n"  # what comes later is collected all the same
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)
