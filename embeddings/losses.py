"""The training loss over a table of token vectors, in torch; imported by training alone."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from embeddings.table import pair_members
from embeddings.tokenization import Vocabulary


@dataclass(frozen=True)
class Lists:
    """A sparse matrix as lists: of each row, the columns and their weights, one row after another."""

    columns: Tensor
    starts: Tensor
    weights: Tensor

    def sum(self, table: Tensor) -> Tensor:
        """The matrix times `table`."""
        return functional.embedding_bag(
            self.columns, table, self.starts, mode="sum", per_sample_weights=self.weights
        )


@dataclass(frozen=True)
class Tokens:
    """Tokens by text and, for the gradient, texts by token."""

    by_text: Lists
    by_token: Lists


def as_tensors(matrix: Any) -> Tokens:
    """A SciPy CSR matrix (texts × rows of the table) as lists."""
    return Tokens(_lists(matrix), _lists(matrix.tocsc()))


def _lists(matrix: Any) -> Lists:
    columns, starts = (torch.from_numpy(array.astype("int64")) for array in (matrix.indices, matrix.indptr))
    return Lists(columns, starts[:-1], torch.from_numpy(matrix.data))


class _Sum(torch.autograd.Function):
    """Sums of table rows; the gradient of each row is a sum of texts' gradients."""

    @staticmethod
    def forward(context: Any, table: Tensor, tokens: Tokens) -> Tensor:
        context.tokens = tokens
        return tokens.by_text.sum(table)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return context.tokens.by_token.sum(gradient.contiguous()), None


class _Compose(torch.autograd.Function):
    """embeddings.table.compose, with its gradient."""

    @staticmethod
    def forward(context: Any, factors: Tensor, members: Tensor, first: int) -> Tensor:
        context.members, context.first = members, first
        table = factors.clone()
        table[:first] *= 0.5
        table[first : first + len(members)] += table[members[:, 0]] + table[members[:, 1]]
        table[-2:] = 0
        return table

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        members, first = context.members, context.first
        pairs = gradient[first : first + len(members)]
        result = gradient.clone()
        for side in (0, 1):
            result[:first].index_add_(0, members[:, side], pairs)
        result[:first] *= 0.5
        result[-2:] = 0
        return result, None, None


class TableLoss:
    """InfoNCE: each question should be nearer to its own passage than to any other of the batch.

    `scale` multiplies cosines (an inverse temperature).
    """

    def __init__(self, vocabulary: Vocabulary, scale: float) -> None:
        self._members = torch.from_numpy(pair_members(vocabulary))
        self._first = vocabulary.first_pair
        self._scale = scale

    def __call__(self, factors: Tensor, questions: Tokens, passages: Tokens) -> Tensor:
        """The mean loss of a batch; factors as in embeddings.table, shape (rows, dimension)."""
        table = _Compose.apply(factors, self._members, self._first)  # type: ignore[no-untyped-call]
        asked, given = (
            functional.normalize(_Sum.apply(table, tokens))  # type: ignore[no-untyped-call]
            for tokens in (questions, passages)
        )
        return functional.cross_entropy(asked @ given.T * self._scale, torch.arange(len(asked)))
