"""A short run of the fuzzer; the long one is a script."""

from .fuzzing import mutated, run, seeds


def test_mutated_inputs_parse_or_are_refused() -> None:
    outcome = run(range(1_200))
    assert outcome.faults == []
    assert outcome.inputs == 1_200
    assert outcome.parsed > 400
    assert outcome.refused > 100


def test_inputs_can_be_repeated() -> None:
    origin = seeds()
    assert mutated(77, origin) == mutated(77, origin)
    assert len({mutated(number, origin)[1] for number in range(50)}) > 40
