"""How an index is named."""

from pathlib import Path

import pytest

from retrieval.errors import SettingsError
from retrieval.locations import MilvusLocation, located


def test_a_folder_stays_a_folder() -> None:
    assert located("data/index") == Path("data/index")
    assert located(Path("~/x")) == Path.home() / "x"


def test_a_server_and_its_options() -> None:
    options = "index=DISKANN&consistency=Strong&timeout=1.5"
    place = located(f"milvus+https://milvus.example:19530/news?{options}", token="t")
    assert place == MilvusLocation(
        uri="https://milvus.example:19530", name="news", dense_index="DISKANN", consistency="Strong",
        timeout=1.5, token="t",
    )  # fmt: skip
    assert str(place) == "milvus+https://milvus.example:19530/news"
    assert "'t'" not in repr(place)


def test_a_file(tmp_path: Path) -> None:
    place = located(f"milvus+file://{tmp_path}/a.db/news")
    assert isinstance(place, MilvusLocation)
    assert (place.file, place.name) == (tmp_path / "a.db", "news")
    assert str(place) == f"milvus+file://{tmp_path}/a.db/news"
    assert located("milvus+file:a.db/news") == MilvusLocation(uri=str(Path("a.db").absolute()), name="news")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("milvus+http://host:19530", "must end in /NAME"),
        ("milvus+http://host/a-b", "must end in /NAME"),
        ("milvus+http://host/deep/name", "do not stand in it"),
        ("milvus+file:///x/archive/name", "do not stand in it"),
        ("milvus+ftp://host/name", "do not stand in it"),
        ("milvus+http://host/name?index=MAGIC", "index is one of FLAT, HNSW"),
        ("milvus+http://host/name?consistency=None", "consistency is one of Bounded"),
        ("milvus+http://host/name?timeout=soon", "timeout is a number"),
        ("milvus+http://host/name?shards=3", "no option 'shards'"),
        ("milvus+http://root:Milvus@host/name", "WENDA_MILVUS_TOKEN"),
    ],
)
def test_what_is_wrong_is_said(text: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason) as raised:
        located(text)
    assert "Milvus@" not in str(raised.value)
