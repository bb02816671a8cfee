"""The half of a static model folder that sentence-transformers reads, without any code of ours.

The module is its WordEmbeddings (int8 rows become float32 on loading) with mean pooling and normalisation.
What is out of the ordinary is the tokenizer, which must give overlapping pairs though a tokenizer only ever
cuts: the normaliser writes every character x as four, R x x L, where L and R are marks of x's left and right
class. Between two characters a and b then stands `a L R b`: the pair, as a piece of its own that overlaps
nothing. WordPiece finds it whole where it has a row, and otherwise cuts it into `a`, the bucket `L R`, `b`.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from embeddings.alphabet import WORD_CHARACTERS, left_classes, right_classes
from embeddings.charsmap import build_charsmap
from embeddings.tokenization import LONGEST_WORD, Vocabulary

_UNKNOWN = "[UNK]"
_LEFT_MARK = 0xE000
_RIGHT_MARK = 0xF000
_PASSAGE_MARK = "\uf8ff"


def write_sentence_transformers_files(
    folder: Path, vocabulary: Vocabulary, dimension: int, marks: int
) -> None:
    """Everything but the weights, which lie in 0_WordEmbeddings/model.safetensors."""
    words = folder / "0_WordEmbeddings"
    pooling = folder / "1_Pooling"
    words.mkdir(parents=True, exist_ok=True)
    pooling.mkdir(exist_ok=True)
    build_tokenizer(vocabulary).save(str(words / "tokenizer.json"))
    _write(
        words / "tokenizer_config.json",
        {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": _UNKNOWN, "model_max_length": 10**9},
    )
    _write(
        words / "wordembedding_config.json",
        {
            "tokenizer_class": "sentence_transformers.models.tokenizer.WordTokenizer"
            ".TransformersTokenizerWrapper",
            "update_embeddings": True,
            "max_seq_length": 10**9,
        },
    )
    _write(
        pooling / "config.json",
        {"word_embedding_dimension": dimension, "pooling_mode_mean_tokens": True, "include_prompt": True},
    )
    names = ("WordEmbeddings", "Pooling", "Normalize")
    _write(
        folder / "modules.json",
        [
            {"idx": i, "name": str(i), "path": f"{i}_{name}", "type": f"sentence_transformers.models.{name}"}
            for i, name in enumerate(names)
        ],
    )
    _write(
        folder / "config_sentence_transformers.json",
        {
            "model_type": "SentenceTransformer",
            "prompts": {"query": "", "document": _PASSAGE_MARK * marks},
            "default_prompt_name": "document",
            "similarity_fn_name": "cosine",
        },
    )


def build_tokenizer(vocabulary: Vocabulary) -> Tokenizer:
    """A tokenizer that gives the rows of embeddings.tokenization, in another order."""
    tokenizer = Tokenizer(
        models.WordPiece(
            _pieces(vocabulary),
            unk_token=_UNKNOWN,
            continuing_subword_prefix="",
            max_input_chars_per_word=LONGEST_WORD,
        )
    )
    tokenizer.normalizer = normalizers.Precompiled(build_charsmap(_strings(vocabulary)))
    left, right = (_mark_range(first, vocabulary.classes) for first in (_LEFT_MARK, _RIGHT_MARK))
    pattern = rf"\p{{L}}[{left}][{right}]\p{{L}}|[{WORD_CHARACTERS}]+|\p{{L}}|{_PASSAGE_MARK}"
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(pattern), behavior="removed", invert=True)
    return tokenizer


def _strings(vocabulary: Vocabulary) -> dict[str, str]:
    """What the normaliser makes of each character that it changes."""
    alphabet, classes = vocabulary.alphabet, vocabulary.classes
    characters = alphabet.characters
    marked = [
        f"{chr(_RIGHT_MARK + right)}{character}{character}{chr(_LEFT_MARK + left)}"
        for character, left, right in zip(
            characters,
            left_classes(characters, classes).tolist(),
            right_classes(characters, classes).tolist(),
            strict=True,
        )
    ]
    strings = dict(zip(characters, marked, strict=True))
    folded = zip(alphabet.folded_from.tolist(), alphabet.folded_to.tolist(), strict=True)
    strings |= {chr(source): strings.get(chr(target), chr(target)) for source, target in folded}
    marks = [chr(first + i) for first in (_LEFT_MARK, _RIGHT_MARK) for i in range(classes)]
    return strings | dict.fromkeys(marks, " ")


def _pieces(vocabulary: Vocabulary) -> dict[str, int]:
    """Each row's piece of normalised text."""
    characters, classes = vocabulary.alphabet.characters, vocabulary.classes
    left = dict(zip(characters, left_classes(characters, classes).tolist(), strict=True))
    right = dict(zip(characters, right_classes(characters, classes).tolist(), strict=True))
    pairs = [_window(pair[0], left[pair[0]], right[pair[1]], pair[1]) for pair in vocabulary.pairs]
    buckets = [chr(_LEFT_MARK + i) + chr(_RIGHT_MARK + j) for i, j in np.ndindex(classes, classes)]
    pieces = [*characters, *pairs, *buckets, *vocabulary.words, _PASSAGE_MARK, _UNKNOWN]
    return {piece: row for row, piece in enumerate(pieces)}


def _window(first: str, left: int, right: int, second: str) -> str:
    return f"{first}{chr(_LEFT_MARK + left)}{chr(_RIGHT_MARK + right)}{second}"


def _mark_range(first: int, classes: int) -> str:
    return f"{chr(first)}-{chr(first + classes - 1)}"


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", "utf-8")
