"""Names of processes: who is alive, who is surely gone, and who cannot be judged."""

import subprocess
import sys

from bot.owner import is_gone, owner_name


def test_two_names_of_one_process_differ_and_both_are_alive() -> None:
    first, second = owner_name(), owner_name()
    assert first != second
    assert not is_gone(first)
    assert not is_gone(second)


def test_a_killed_process_is_gone_even_before_anyone_waited_for_it() -> None:
    code = "from bot.owner import owner_name; print(owner_name(), flush=True); input()"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdin is not None
    name = process.stdout.readline().strip()
    assert not is_gone(name)
    process.kill()
    # Its number stays taken until somebody waits for it.
    while not is_gone(name):
        pass
    process.wait()
    assert is_gone(name)
    process.stdout.close()
    process.stdin.close()


def test_another_process_with_the_same_number_is_not_the_same() -> None:
    machine, number, started, secret = owner_name().rsplit(" ", 3)
    assert is_gone(f"{machine} {number} {int(started) + 1} {secret}")


def test_processes_of_other_machines_are_not_judged() -> None:
    _, number, started, secret = owner_name().rsplit(" ", 3)
    assert not is_gone(f"elsewhere {number} {started}1 {secret}")
    assert not is_gone("nonsense")
    assert is_gone("")
