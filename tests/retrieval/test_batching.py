"""How large the batches of a sync are."""

import pytest

from retrieval.batching import Batch, EvenBatches


def full(batch: Batch) -> Batch:
    batch.passages = batch.size
    return batch


def test_batches_double_where_it_is_not_known_how_many_are_to_come() -> None:
    sizes, batch, even = [], Batch(), EvenBatches()
    for _ in range(7):
        sizes.append(batch.size)
        batch = even.following(full(batch), None, list)
    assert sizes == [500, 1000, 2000, 4000, 8000, 8000, 8000]


def test_batches_are_even_where_it_is_known() -> None:
    left, batch, even, sizes = 176_000, Batch(), EvenBatches(), []
    while left > batch.size:
        sizes.append(batch.size)
        left -= batch.size
        batch = even.following(full(batch), left, lambda: [500, 1000, 2000, 4000])
    assert sizes == [500, 1000, 2000, 4000, *[18_722] * 7, 18_723, 8_000, 8_000]
    assert left == 2_723


def test_a_wrong_guess_is_corrected_as_far_as_the_segments_are_still_merged() -> None:
    even = EvenBatches()
    first = even.following(full(Batch(4_000)), 168_500, list)
    assert first.size == 18_722
    assert even.following(full(first), 130_000, list).size == 16_250
    assert even.following(full(Batch(16_250)), 20_000, list).size == 14_978
    assert even.following(full(Batch(14_978)), 500_000, list).size == 23_402


@pytest.mark.parametrize("expected", [0, 3_000, 20_000])
def test_few_are_not_cut_evenly(expected: int) -> None:
    assert EvenBatches().following(full(Batch(4_000)), expected, list).size <= 8_000


def test_the_batch_after_one_that_was_cut_short_is_as_large() -> None:
    even = EvenBatches()
    batch = even.following(full(Batch(4_000)), 168_500, list)
    batch.passages = 5_000
    assert even.following(batch, 10_000, list).size == 18_722
