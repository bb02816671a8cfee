"""The one place that turns a name into an encoder."""

from pathlib import Path
from typing import Any

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
    batch_size, backend, truncate_dim, query_prompt, passage_prompt, local_files_only).
    Raises ModelNotFoundError, ModelFormatError, EncoderError.
    """
    folder = model_folder(name)
    if (folder / SETTINGS_FILE).is_file():
        if options:
            raise EncoderError(
                f"The static model {name} takes no options, but was given {', '.join(sorted(options))}; "
                "leave them out."
            )
        return StaticEncoder.from_folder(folder, name=name)
    from embeddings.sentence_transformer import SentenceTransformerEncoder

    return SentenceTransformerEncoder(name, **options)


def model_folder(name: str) -> Path:
    """Where the model called `name` lies if it is on disk: "bundled", or a folder."""
    return MODELS_FOLDER / BUNDLED if name == BUNDLED else Path(name).expanduser()
