"""Our terms as sparse vectors beside the server's own Chinese analyzer and BM25.

Run as `python -m tests.benchmarks.server_analyzer FOLDER`. Both rank the same passages of a data set in BEIR
layout in a Milvus Lite file, articles by their best passage, without a second stage. Prints nDCG@10 of each.
"""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from pymilvus import DataType, Function, FunctionType, MilvusClient

from retrieval import Retriever
from retrieval.evaluation.datasets import Dataset, load_dataset
from retrieval.evaluation.metrics import measure
from retrieval.locations import MilvusLocation

_CANDIDATES = 50


def main(folder: Path) -> None:
    """Measure both on one data set."""
    dataset = load_dataset(folder)
    with TemporaryDirectory() as temporary:
        file = Path(temporary) / "compared.db"
        with Retriever.open(MilvusLocation(uri=str(file), name="ours")) as retriever:
            retriever.add(dataset.documents)
            client = MilvusClient(str(file))
            index_with_servers(client, retriever)
            print("our terms:", round(ndcg(dataset, lambda text: ours(retriever, text)), 4))
            print("the server's analyzer:", round(ndcg(dataset, lambda text: servers(client, text)), 4))
            client.close()


def index_with_servers(client: MilvusClient, retriever: Retriever) -> None:
    """The same passages, title first, analysed by the server."""
    schema = MilvusClient.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("article", DataType.VARCHAR, max_length=1000)
    schema.add_field(
        "text",
        DataType.VARCHAR,
        max_length=65_535,
        enable_analyzer=True,
        analyzer_params={"tokenizer": "jieba"},
    )
    schema.add_field("terms", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(
        Function(
            name="bm25", function_type=FunctionType.BM25, input_field_names=["text"],
            output_field_names=["terms"],
        )
    )  # fmt: skip
    client.create_collection("servers", schema=schema)
    rows = [
        {"id": passage.id, "article": article.id, "text": f"{article.title}\n{passage.text}"}
        for article in retriever.articles()
        for passage in retriever.passages(article.id)
    ]
    for start in range(0, len(rows), 1000):
        client.insert("servers", rows[start : start + 1000])
    client.flush("servers")
    indexes = client.prepare_index_params()
    indexes.add_index("terms", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
    client.create_index("servers", indexes)
    client.load_collection("servers")


def ours(retriever: Retriever, text: str) -> list[str]:
    """Articles by our terms."""
    with retriever.reading() as index, index.view() as view:
        found = view.lexical(retriever.analyzer.query(text), _CANDIDATES)
        return [record.article_id for record in view.records(found.ids)]


def servers(client: MilvusClient, text: str) -> list[str]:
    """Articles by the server's."""
    (found,) = client.search(
        "servers", data=[text], anns_field="terms", limit=_CANDIDATES, output_fields=["article"]
    )
    return [hit["entity"]["article"] for hit in found]


def ndcg(dataset: Dataset, rank: Callable[[str], list[str]]) -> float:
    """The mean over all questions."""
    values = [
        measure(distinct(rank(text)), dataset.qrels[key])["ndcg_at_10"]
        for key, text in dataset.queries.items()
    ]
    return sum(values) / len(values)


def distinct(articles: Iterable[str]) -> list[str]:
    """The first ten, each once."""
    return list(dict.fromkeys(articles))[:10]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
