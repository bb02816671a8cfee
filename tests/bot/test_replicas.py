"""Two bot processes on one PostgreSQL behind one webhook: every question is answered once, in order."""

from pathlib import Path

from .postgres import Databases
from .replica_run import run


async def test_two_processes_share_the_questions(tmp_path: Path, databases: Databases) -> None:
    outcome = await run(tmp_path, databases, people=8, each=5)
    assert (outcome.missing, outcome.repeated, outcome.disordered) == (0, 0, 0)
    assert sum(outcome.shares) >= outcome.questions
    assert min(outcome.shares) > outcome.questions / 3


async def test_one_is_killed_and_started_again_and_each_question_is_answered_once(
    tmp_path: Path, databases: Databases
) -> None:
    outcome = await run(tmp_path, databases, people=10, each=5, kills=(0.3,))
    assert (outcome.missing, outcome.repeated, outcome.disordered) == (0, 0, 0)
    assert outcome.in_responses == outcome.questions
