"""The exceptions of wenda, from the lowest package up.

WendaError                    anything wenda reports on purpose: one sentence, what, where and what to do
├── EncoderError              (here) a model cannot be loaded, downloaded or used
│   ├── ModelNotFoundError    no such folder, hub name or built-in model
│   └── ModelFormatError      the folder is there, but is not a model this version can read
└── retrieval.errors.RetrievalError …
"""


class WendaError(Exception):
    """Base of every error that wenda raises on purpose; str() is one sentence for a person."""


class EncoderError(WendaError):
    """An encoder or cross-encoder cannot be loaded or used."""


class ModelNotFoundError(EncoderError):
    """There is no such model folder, hub name or built-in model, or it could not be downloaded."""


class ModelFormatError(EncoderError):
    """The model folder exists but its contents are not what this version reads."""
