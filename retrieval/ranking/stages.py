"""Which stages of the search are on: each can be switched off to see its part."""

from dataclasses import dataclass, fields, replace

from retrieval.errors import QueryError


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """Switches of the ranking. `dense` and `lexical` are the two sides that candidates come from, `reranking`
    the learned second stage, `choice` the look at its sentences for which passage stands for an article,
    `cross_encoder` the configured cross-encoder on top, `answers` marking answer and highlights in the
    hits."""

    lexical: bool = True
    dense: bool = True
    reranking: bool = True
    choice: bool = True
    cross_encoder: bool = True
    answers: bool = True

    def without(self, *names: str) -> "Stages":
        """These stages switched off. Raises QueryError for a name that is none."""
        known = [field.name for field in fields(self)]
        for name in names:
            if name not in known:
                raise QueryError(f"there is no stage {name!r}; the stages are {', '.join(known)}.")
        return replace(self, **dict.fromkeys(names, False))
