"""Any sentence-transformers model as an Encoder; torch is imported when the first one is loaded."""

import hashlib
import json
import logging
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from embeddings.encoder import Vectors
from embeddings.errors import EncoderError, ModelFormatError, ModelNotFoundError
from embeddings.families import Family, family_of
from embeddings.windows import Offsets, join_windows, split_into_windows, unit

logger = logging.getLogger(__name__)

Backend = Literal["torch", "onnx", "openvino"]

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?")
_SURROGATES = re.compile("[\ud800-\udfff]")
_SAMPLES_A_TENSOR = 64


class SentenceTransformerEncoder:
    """A model from a folder or the Hugging Face hub, with prompts for questions and passages.

    Prompts are, in this order: the ones given, the model's own, the known ones of its family, none. Passages
    longer than the model reads are encoded in windows, whose vectors are averaged by length. A text of
    nothing but spaces becomes zeros.
    """

    def __init__(
        self,
        name: str,
        *,
        device: str | None = None,
        batch_size: int | None = None,
        backend: Backend = "torch",
        truncate_dim: int | None = None,
        query_prompt: str | None = None,
        passage_prompt: str | None = None,
        local_files_only: bool = False,
        trust_remote_code: bool = False,
        model_kwargs: Mapping[str, Any] | None = None,
        called: str | None = None,
    ) -> None:
        """Load the model; `called` is the name with its options, where load_encoder was given such a one.

        Raises ModelNotFoundError, ModelFormatError, EncoderError.
        """
        family = family_of(name)
        self._name = called or name
        self._model = load_model(
            "SentenceTransformer",
            name,
            family=family,
            device=device,
            backend=backend,
            truncate_dim=truncate_dim,
            local_files_only=local_files_only,
            trust_remote_code=trust_remote_code,
            model_kwargs=dict(model_kwargs) if model_kwargs else None,
        )
        self._routes = any(type(module).__name__ == "Router" for module in self._model)
        prompts: dict[str, str] = self._model.prompts
        self._batch_size = batch_size or family.batch_size
        self._query_prompt = _first(query_prompt, prompts.get("query"), family.query_prompt)
        own = [prompts.get(key) for key in ("document", "passage", "corpus")]
        self._passage_prompt = _first(passage_prompt, *own, family.passage_prompt)
        self._limit = self._passage_limit(family)
        self._dimension = int(self._model.get_embedding_dimension() or 0)
        self._fingerprint = self._make_fingerprint(backend, truncate_dim)

    @property
    def name(self) -> str:
        """The hub name or folder, as given, options included."""
        return self._name

    @property
    def fingerprint(self) -> str:
        """Hash of a sample of the weights, the prompts and the settings that change vectors."""
        return self._fingerprint

    @property
    def dimension(self) -> int:
        """Length of each vector, after truncation."""
        return self._dimension

    @property
    def query_prompt(self) -> str:
        """What goes before a question."""
        return self._query_prompt

    @property
    def passage_prompt(self) -> str:
        """What goes before a passage."""
        return self._passage_prompt

    @property
    def passage_tokens(self) -> int | None:
        """How many tokens of a passage go into one window; None where the model has no limit."""
        return self._limit

    def encode_passages(self, texts: Sequence[str], *, show_progress: bool = False) -> Vectors:
        """Encode texts to be found: shape (len(texts), dimension)."""
        windows = split_into_windows([_clean(text) for text in texts], self._limit, self._tokens)
        vectors = self._encode(windows.pieces, "document", self._passage_prompt, show_progress)
        return join_windows(vectors, windows, len(texts))

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Encode questions: shape (len(texts), dimension). What is beyond the model's limit is not read."""
        return self._encode([_clean(text) for text in texts], "query", self._query_prompt, False)

    def _encode(self, texts: list[str], task: str, prompt: str, show_progress: bool) -> Vectors:
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        filled = [i for i, text in enumerate(texts) if text.strip()]
        if not filled:
            return vectors
        # Only routers need to know the task; some other modules stumble over it.
        more = {"task": task} if self._routes else {}
        try:
            encoded = self._model.encode(
                [texts[i] for i in filled],
                prompt=prompt,
                batch_size=self._batch_size,
                show_progress_bar=show_progress,
                convert_to_numpy=True,
                **more,
            )
        except RuntimeError as error:
            raise EncoderError(
                f"The model {self._name} failed on {len(filled)} texts ({_one_line(error)}); "
                f"try a smaller batch size than {self._batch_size}, or another device."
            ) from error
        encoded = np.asarray(encoded, dtype=np.float32)
        broken = int((~np.isfinite(encoded).all(axis=1)).sum())
        if broken:
            logger.warning("%s gave no numbers for %d texts: zero vectors instead", self._name, broken)
        vectors[filled] = unit(encoded)
        return vectors

    def _tokens(self, texts: Sequence[str]) -> Sequence[Offsets]:
        encoded = self._model.tokenizer(
            list(texts),
            add_special_tokens=False,
            return_offsets_mapping=True,
            return_attention_mask=False,
            truncation=False,
            verbose=False,
        )
        offsets: Sequence[Offsets] = encoded["offset_mapping"]
        return offsets

    def _passage_limit(self, family: Family) -> int | None:
        longest = float(self._model.max_seq_length or math.inf)
        if not math.isfinite(longest):
            return family.passage_tokens
        tokenizer = self._model.tokenizer
        if not getattr(tokenizer, "is_fast", False):
            return None
        special: int = tokenizer.num_special_tokens_to_add()
        prompt = len(tokenizer(self._passage_prompt, add_special_tokens=False)["input_ids"])
        return max(1, min(int(longest) - special - prompt, family.passage_tokens or int(longest)))

    def _make_fingerprint(self, backend: str, truncate_dim: int | None) -> str:
        settings = [backend, truncate_dim, self._query_prompt, self._passage_prompt, self._limit]
        digest = hashlib.sha256(json.dumps(settings).encode())
        digest.update(_sampled_weights(self._model))
        return f"sentence-transformers-{self.dimension}-{digest.hexdigest()[:16]}"


def load_model(kind: str, name: str, *, family: Family, **options: Any) -> Any:
    """sentence_transformers.SentenceTransformer or .CrossEncoder called `name`, its failures made our own."""
    local = Path(name).expanduser()
    if not local.is_dir() and not _HUB_NAME.fullmatch(name):
        raise ModelNotFoundError(
            f"There is no model folder {name}; give a folder, a hub name such as BAAI/bge-small-zh-v1.5, "
            "or bundled."
        )
    try:
        import sentence_transformers
    except ImportError as error:
        raise EncoderError(
            f"The model {name} needs sentence-transformers, which cannot be imported ({_one_line(error)})."
        ) from error
    given = {key: value for key, value in options.items() if value is not None}
    try:
        return getattr(sentence_transformers, kind)(str(local) if local.is_dir() else name, **given)
    except Exception as error:
        raise _loading_error(name, local.is_dir(), family, error) from error


def _loading_error(name: str, is_folder: bool, family: Family, error: Exception) -> EncoderError:
    reason = _one_line(error)
    if "trust_remote_code" in str(error) or (family.own_code and isinstance(error, ValueError)):
        return EncoderError(
            f"The model {name} brings Python code of its own; if you trust its authors, "
            "load it with trust_remote_code=True."
        )
    if isinstance(error, ImportError):
        return EncoderError(f"The model {name} needs a package that is not installed: {reason}.")
    if is_folder:
        return ModelFormatError(
            f"The folder {name} does not hold a model that sentence-transformers can read ({reason})."
        )
    if isinstance(error, (OSError, ConnectionError)):
        return ModelNotFoundError(
            f"The model {name} could not be downloaded ({reason}); check the name, set HF_ENDPOINT to a "
            "mirror that you can reach, give a folder that holds the model, or use the bundled encoder."
        )
    return EncoderError(f"The model {name} cannot be loaded ({reason}).")


def _sampled_weights(model: Any) -> bytes:
    """Some values of every tensor, as bytes: another model, or another version of it, gives others."""
    digest = hashlib.sha256()
    for key, tensor in sorted(model.state_dict().items()):
        flat = tensor.detach().reshape(-1)
        step = max(1, len(flat) // _SAMPLES_A_TENSOR)
        digest.update(f"{key} {tuple(tensor.shape)}".encode())
        digest.update(flat[::step].float().cpu().numpy().tobytes())
    return digest.digest()


def _first(*prompts: str | None) -> str:
    """The one the user gave, even if empty; else the first that is not."""
    if prompts[0] is not None:
        return prompts[0]
    return next((prompt for prompt in prompts if prompt), "")


def _clean(text: str) -> str:
    """Lone surrogates, which no tokenizer takes, as replacement characters."""
    return _SURROGATES.sub("\ufffd", text)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
