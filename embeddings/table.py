"""The table as it is trained, and as it is stored.

Trained are *factors*: a row for every character, pair, bucket and word, of which a text is the plain sum.
Stored are rows that take fewer look-ups: a character's row is half its factor (it is met once in the pair to
its left and once in that to its right), and a vocabulary pair's row has its characters' halves added in.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.alphabet import Symbols, code_points
from embeddings.tokenization import TokenBatch, Tokenizer, Vocabulary

Factors = NDArray[np.float32]
Table = NDArray[np.float32]


def pair_members(vocabulary: Vocabulary) -> NDArray[np.int64]:
    """Rows of the two characters of each vocabulary pair: shape (pairs, 2)."""
    alphabet = vocabulary.alphabet
    symbols = alphabet.table[code_points("".join(vocabulary.pairs))].astype(np.int64)
    members: NDArray[np.int64] = symbols.reshape(-1, 2) - alphabet.first_character
    return members


def compose(vocabulary: Vocabulary, factors: Factors) -> Table:
    """Factors → table; the rows behind those of words are zero."""
    table = factors.copy()
    first, end = vocabulary.first_pair, vocabulary.first_bucket
    table[:first] /= 2
    members = pair_members(vocabulary)
    table[first:end] += table[members[:, 0]] + table[members[:, 1]]
    table[vocabulary.passage_mark :] = 0
    return table


def decompose(vocabulary: Vocabulary, table: Table) -> Factors:
    """Table → factors: what compose makes the table from."""
    factors = table.copy()
    first, end = vocabulary.first_pair, vocabulary.first_bucket
    members = pair_members(vocabulary)
    factors[first:end] -= table[members[:, 0]] + table[members[:, 1]]
    factors[:first] *= 2
    return factors


def token_matrix(
    vocabulary: Vocabulary, tokenizer: Tokenizer, symbols: Symbols, starts: NDArray[np.int64]
) -> Any:
    """How often each text has each row of the table: a SciPy CSR matrix, shape (texts, rows)."""
    batch = tokenizer.tokenize_symbols(symbols, starts)
    return _matrix(vocabulary, batch)


def inverse_document_frequencies(vocabulary: Vocabulary, batch: TokenBatch) -> NDArray[np.float32]:
    """log((n + 1) / (number of texts with the factor + 1)) of every factor: shape (vocabulary.size,)."""
    from scipy.sparse import csr_matrix, eye

    members = pair_members(vocabulary)
    rows = np.arange(len(members)) + vocabulary.first_pair
    size = vocabulary.size
    ones = np.ones(2 * len(members), dtype=np.float32)
    parts = csr_matrix((ones, (np.tile(rows, 2), members.T.reshape(-1))), shape=(size, size))
    matrix = _matrix(vocabulary, batch) @ (eye(size, dtype=np.float32, format="csr") + parts)
    texts = len(batch.starts) - 1
    frequencies = np.bincount(matrix.indices, minlength=size)
    return np.log((texts + 1) / (frequencies + 1)).astype(np.float32)


def _matrix(vocabulary: Vocabulary, batch: TokenBatch) -> Any:
    from scipy.sparse import csr_matrix

    shape = (len(batch.starts) - 1, vocabulary.size)
    ones = np.ones(len(batch.rows), dtype=np.float32)
    matrix = csr_matrix((ones, batch.rows, batch.starts), shape=shape)
    matrix.sum_duplicates()
    return matrix
