"""What an index was made with, and what to say where that is not what it is opened with."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from embeddings.encoder import Encoder
from retrieval.errors import IndexDamagedError, IndexMismatchError


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Made with every index, kept in its store. `encoder` is the name that load_encoder takes again."""

    encoder: str
    encoder_fingerprint: str
    dimension: int
    analyzer: str
    created_at: str
    user_dictionary: str | None = None
    calibration: dict[str, Any] | None = None

    @classmethod
    def of(cls, encoder: Encoder, *, analyzer: str, user_dictionary: str | None) -> "Manifest":
        """The manifest of an index that is made now."""
        return cls(
            encoder=encoder.name,
            encoder_fingerprint=encoder.fingerprint,
            dimension=encoder.dimension,
            analyzer=analyzer,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            user_dictionary=user_dictionary,
        )

    @classmethod
    def from_mapping(cls, values: dict[str, Any], *, location: str) -> "Manifest":
        """The manifest of the index at `location`; raises IndexDamagedError where a value is missing."""
        known = {name: values[name] for name in cls.__dataclass_fields__ if name in values}
        try:
            return cls(**known)
        except TypeError as error:
            raise IndexDamagedError(
                f"the index in {location} has no complete manifest: move it away and build it again with "
                "`python -m retrieval index`"
            ) from error

    def to_mapping(self) -> dict[str, Any]:
        """Values by name, as JSON takes them."""
        return asdict(self)

    def check_encoder(self, encoder: Encoder, *, location: str) -> None:
        """Raises IndexMismatchError where the vectors of the index are not those of `encoder`."""
        if encoder.fingerprint == self.encoder_fingerprint and encoder.dimension == self.dimension:
            return
        changed = " as it was then" if encoder.name == self.encoder else ""
        raise IndexMismatchError(
            f"the index in {location} was made with the encoder {self.encoder!r}{changed}, "
            f"not with {encoder.name!r}: "
            f"re-encode it with `python -m retrieval index --rebuild --encoder {encoder.name} "
            f"--index {location}`"
        )

    def check_analyzer(self, fingerprint: str, *, location: str) -> None:
        """Raises IndexMismatchError where the terms of the index are not those of this analyzer."""
        if fingerprint != self.analyzer:
            raise IndexMismatchError(
                f"the index in {location} was made with another version of the analyzer, or another user "
                "dictionary: "
                f"derive it anew with `python -m retrieval index --rebuild --index {location}`"
            )
