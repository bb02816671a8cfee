"""The sentence (or two) of a passage that answers a question, and the exact words where they are clear."""

from retrieval.answering.finding import Answer, find_answer

__all__ = ["Answer", "find_answer"]
