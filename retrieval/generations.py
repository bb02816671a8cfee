"""Making a generation of an index: an empty one."""

from pathlib import Path

from embeddings.encoder import Encoder
from retrieval.lexical.analyzer import Analyzer
from retrieval.lexical.tantivy_index import TantivyIndex
from retrieval.manifest import Manifest
from retrieval.storage.folder import Generation, IndexFolder
from retrieval.storage.writing import Writer


def make_generation(
    folder: IndexFolder,
    *,
    encoder: Encoder,
    analyzer: Analyzer,
    user_dictionary: Path | None,
) -> Generation:
    """An empty generation, not yet the current one; the caller holds the writer's lock."""
    generation = folder.new()
    writer = Writer(generation.store, create=True)
    try:
        manifest = Manifest.of(
            encoder,
            analyzer=analyzer.fingerprint,
            user_dictionary=str(user_dictionary.absolute()) if user_dictionary else None,
        )
        with writer.transaction() as transaction:
            transaction.put_manifest(manifest.to_mapping())
    finally:
        writer.close()
    TantivyIndex.open(generation.lexical, read_only=False).close()
    return generation
