"""The one place that turns a name into an encoder.

Options may stand in the name, as in an address, so that one setting says all:
"BAAI/bge-m3?device=cuda&batch_size=64&backend=onnx".
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from embeddings.encoder import Encoder
from embeddings.errors import EncoderError
from embeddings.model_folder import SETTINGS_FILE
from embeddings.static import StaticEncoder

BUNDLED = "bundled"
MODELS_FOLDER = Path(__file__).parent / "models"


def load_encoder(name: str = BUNDLED, **options: Any) -> Encoder:
    """The encoder called `name`: "bundled", a model folder, or a name on the Hugging Face hub.

    A folder written by `python -m embeddings train` is read by NumPy; any other folder and every hub name
    goes to sentence-transformers, which `options` are for (see SentenceTransformerEncoder: device,
    batch_size, backend, truncate_dim, query_prompt, passage_prompt, local_files_only). They may also follow
    the name: "BAAI/bge-m3?device=cuda&batch_size=64".
    Raises ModelNotFoundError, ModelFormatError, EncoderError.
    """
    called = name
    name, in_name = split_options(name)
    options = in_name | options
    folder = model_folder(name)
    if (folder / SETTINGS_FILE).is_file():
        if options:
            raise EncoderError(
                f"The static model {name} takes no options, but was given {', '.join(sorted(options))}; "
                "leave them out."
            )
        return StaticEncoder.from_folder(folder, name=name)
    from embeddings.sentence_transformer import SentenceTransformerEncoder

    return SentenceTransformerEncoder(name, called=called, **options)


def is_static(name: str) -> bool:
    """Whether the encoder of this name is one of NumPy's, which any process loads in no time."""
    return (model_folder(split_options(name)[0]) / SETTINGS_FILE).is_file()


def split_options(name: str) -> tuple[str, dict[str, Any]]:
    """A name without the options that follow it, and these. Raises EncoderError for one that does not fit."""
    bare, _, query = name.partition("?")
    options: dict[str, Any] = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        try:
            options[key] = _OPTIONS[key](value)
        except (KeyError, ValueError):
            raise EncoderError(
                f"The option {key}={value} of the encoder {bare} is not understood; "
                f"the options are {', '.join(_OPTIONS)}."
            ) from None
    return bare, options


def _positive(value: str) -> int:
    number = int(value)
    if number < 1:
        raise ValueError(value)
    return number


def _backend(value: str) -> str:
    if value not in ("torch", "onnx", "openvino"):
        raise ValueError(value)
    return value


def _flag(value: str) -> bool:
    return {"": True, "1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[
        value.lower()
    ]


_OPTIONS: Mapping[str, Callable[[str], Any]] = {
    "device": str,
    "batch_size": _positive,
    "backend": _backend,
    "truncate_dim": _positive,
    "query_prompt": str,
    "passage_prompt": str,
    "local_files_only": _flag,
    "trust_remote_code": _flag,
}


def model_folder(name: str) -> Path:
    """Where the model called `name` lies if it is on disk: "bundled", or a folder."""
    return MODELS_FOLDER / BUNDLED if name == BUNDLED else Path(name).expanduser()
