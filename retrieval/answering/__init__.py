"""The sentence (or two) of a passage that answers a question, and the exact words where they are clear."""

from retrieval.answering.finding import Answer, Contender, Found, find_all, find_answer, find_best, prepare

__all__ = ["Answer", "Contender", "Found", "find_all", "find_answer", "find_best", "prepare"]
