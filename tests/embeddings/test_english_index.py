"""A real index of English articles, built and searched through a real transformer."""

from pathlib import Path

from retrieval import Article, Retriever

ARTICLES = {
    "rotterdam": "The harbour of Rotterdam handles more cargo than any other seaport in Europe. "
    "Ships from Asia unload containers there day and night.",
    "leaves": "Plants make sugar out of carbon dioxide and water. "
    "The energy comes from sunlight, which the green pigment chlorophyll absorbs in their leaves.",
    "violin": "A violin has four strings, tuned in perfect fifths. Its body is made of spruce and maple.",
    "penguins": "Emperor penguins breed in the Antarctic winter. The father keeps the egg warm on his feet.",
}


def test_english_articles_are_found_by_meaning(minilm: Path, tmp_path: Path) -> None:
    with Retriever.open(tmp_path / "index", encoder=str(minilm)) as retriever:
        retriever.add([Article(id=key, title=key.title(), text=text) for key, text in ARTICLES.items()])
        assert retriever.status().dimension == 384
        for question, expected in (
            ("Which port in Europe is the busiest?", "rotterdam"),
            ("How does photosynthesis work?", "leaves"),
            ("Who looks after the eggs of penguins?", "penguins"),
            ("What wood is a violin built from?", "violin"),
        ):
            assert retriever.search(question, top_k=1, score_threshold=0).hits[0].article_id == expected
