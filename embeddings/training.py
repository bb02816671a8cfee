"""How the bundled model is made: contrastive training of a table of token vectors on unlabelled articles.

The loss is that of sentence-transformers' MultipleNegativesRankingLoss (InfoNCE over the batch; Henderson
et al. 2017, arXiv:1705.00652; van den Oord et al. 2018, arXiv:1807.03748) over cosines. The loop is our own,
because a table's gradient is cheap to come by and the library's trainer spends its time around it:
gathering rows and adding up their gradients are the same operation (a sum over a list of rows), with the
lists of tokens by text and of texts by token.
"""

import json
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from embeddings.corpus import Corpus, build_corpus, build_vocabulary, hash_texts, read_texts
from embeddings.model_folder import read_model, write_model
from embeddings.pairs import PairBatch, PairMaker, PairSettings
from embeddings.table import Factors, compose, decompose, inverse_document_frequencies, token_matrix
from embeddings.tokenization import Tokenizer, Vocabulary

Progress = Callable[[int, int, float], None]
"""Called after every step with its number, the number of steps, and the loss."""

TRAINING_FILE = "training.json"
_WARM_UP_STEPS = 20
_LAST_RATE = 0.02
_SAMPLED_ARTICLES = 20_000


@dataclass(frozen=True)
class TrainingSettings:
    """Everything that decides what comes out, but for the data."""

    seed: int = 0
    dimension: int = 512
    pairs: int = 14_000
    words: int = 2_500
    classes: int = 96
    character_weight: float = 1.2
    steps: int = 400
    batch: int = 1024
    learning_rate: float = 0.008
    length_rate: float = 0.02
    """Learning rate of the logarithm of each factor's length, apart from its direction."""
    scale: float = 30.0
    pivot: float = 60.0
    """Length of the passage mark, where a token's is about its inverse document frequency."""
    making: PairSettings = field(default_factory=PairSettings)


def train(
    data: Path,
    output: Path,
    settings: TrainingSettings,
    *,
    base: Path | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> None:
    """Train on the articles of `data` (JSONL or JSONL.gz, field `text`) and write the model folder `output`.

    With `base`, a static model folder, its vocabulary and vectors are what training starts from; the
    settings of both are then the base's. Raises EncoderError, ModelNotFoundError, ModelFormatError.
    """
    texts = read_texts(data)
    if base is None:
        vocabulary, corpus = build_vocabulary(
            texts, pairs=settings.pairs, words=settings.words, classes=settings.classes
        )
        factors = _first_factors(vocabulary, corpus, settings)
    else:
        model = read_model(base)
        vocabulary = model.vocabulary
        corpus = build_corpus(texts, vocabulary.alphabet)
        scale = settings.pivot / model.mark_length
        factors = decompose(vocabulary, model.table.astype(np.float32) * np.float32(scale))
    factors = fit(factors, vocabulary, corpus, settings, threads=threads, progress=progress)
    write_model(output, vocabulary, compose(vocabulary, factors), settings.pivot)
    record = {"settings": asdict(settings), "articles": len(texts), "data_sha256": hash_texts(texts)}
    (output / TRAINING_FILE).write_text(json.dumps(record, indent=2) + "\n", "utf-8")


def _first_factors(vocabulary: Vocabulary, corpus: Corpus, settings: TrainingSettings) -> Factors:
    """Random directions, as long as the token's inverse document frequency."""
    tokenizer = Tokenizer(vocabulary)
    articles = min(corpus.count, _SAMPLED_ARTICLES)
    starts = corpus.sentences[corpus.articles[: articles + 1]]
    batch = tokenizer.tokenize_symbols(corpus.symbols[: starts[-1]], starts)
    lengths = inverse_document_frequencies(vocabulary, batch)
    lengths[: vocabulary.first_pair] *= settings.character_weight
    random = np.random.default_rng(settings.seed)
    directions = random.standard_normal((vocabulary.size, settings.dimension), dtype=np.float32)
    factors: Factors = directions * (lengths / np.sqrt(settings.dimension)).astype(np.float32)[:, None]
    return factors


def fit(
    factors: Factors,
    vocabulary: Vocabulary,
    corpus: Corpus,
    settings: TrainingSettings,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Factors:
    """Train the factors (see embeddings.table) on pairs from the corpus."""
    import torch

    from embeddings.losses import TableLoss, as_tensors

    if threads:
        torch.set_num_threads(threads)
    loss_of = TableLoss(vocabulary, settings.scale)
    vectors = torch.from_numpy(factors.copy()).requires_grad_()
    lengths = torch.zeros(len(factors), 1).requires_grad_()
    rates = (settings.learning_rate, settings.length_rate)
    groups = [{"params": [vectors], "lr": rates[0]}, {"params": [lengths], "lr": rates[1]}]
    optimiser = torch.optim.Adam(groups, betas=(0.9, 0.99), fused=True)
    maker = PairMaker(corpus, vocabulary.alphabet, settings.making, settings.seed + 1)
    tokenizer = Tokenizer(vocabulary)
    batches = (
        tuple(
            as_tensors(token_matrix(vocabulary, tokenizer, *side)) for side in (pair.questions, pair.passages)
        )
        for pair in _ahead(maker.batches(settings.batch), settings.steps)
    )
    for step, (questions, passages) in enumerate(batches):
        for group, rate in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = rate * _rate(step, settings.steps)
        loss = loss_of(vectors * lengths.exp(), questions, passages)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if progress:
            progress(step + 1, settings.steps, float(loss.detach()))
    result: Factors = (vectors * lengths.exp()).detach().numpy()
    return result


def _rate(step: int, steps: int) -> float:
    """Learning rate as a share of the highest: a short rise, then half a cosine down."""
    falling = 0.5 * (1 + np.cos(np.pi * step / steps))
    rising = (step + 1) / min(_WARM_UP_STEPS, max(1, steps // 10))
    return min(1.0, rising) * max(_LAST_RATE, float(falling))


def _ahead(batches: Iterator[PairBatch], count: int) -> Iterator[PairBatch]:
    """The first `count` batches, made by a thread while the last ones are used."""
    ready: queue.Queue[PairBatch | BaseException] = queue.Queue(maxsize=2)
    done = threading.Event()

    def put(item: PairBatch | BaseException) -> None:
        while not done.is_set():
            try:
                ready.put(item, timeout=0.5)
            except queue.Full:
                continue
            return

    def produce() -> None:
        try:
            for _, batch in zip(range(count), batches, strict=False):
                put(batch)
        except BaseException as error:
            put(error)

    thread = threading.Thread(target=produce, name="pairs", daemon=True)
    thread.start()
    try:
        for _ in range(count):
            item = ready.get()
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        done.set()
        thread.join()
