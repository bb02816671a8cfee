"""Queries that stand: told of every new article that answers them."""

from retrieval.standing.expressions import Expression, parse_expression
from retrieval.standing.matching import Match, QueryKind, StandingQueries, StandingQuery

__all__ = ["Expression", "Match", "QueryKind", "StandingQueries", "StandingQuery", "parse_expression"]
