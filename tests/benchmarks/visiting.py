"""A process that asks without pause until its standard input ends: `python visiting.py INDEX JSON`.

The JSON object has the arguments of Visitor. Prints "ready", then, for each line that it reads, one JSON
object about the questions since the last one: how many, p50 and p95 in milliseconds, and what was wrong.
"""

import json
import sys
import threading
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from lighthouses import Visitor

from retrieval import Retriever


def main() -> None:
    settings = json.loads(sys.argv[2])
    lines: list[str] = []
    ended = threading.Event()

    def listen() -> None:
        for line in sys.stdin:
            lines.append(line)
        ended.set()

    chosen = encoder(settings.pop("encoder", None))
    with Retriever.open(sys.argv[1], create=False, encoder=chosen) as retriever:
        visitor = Visitor(retriever, **settings)
        visitor.ask()
        print("ready", flush=True)
        threading.Thread(target=listen, daemon=True).start()
        while not ended.is_set() or lines:
            visitor.ask()
            if lines:
                lines.pop()
                report(visitor)


def encoder(name: str | None) -> object:
    """None for the index's own; "hash" for that of the tests."""
    if name is None:
        return None
    sys.path.insert(0, str(Path(__file__).parent.parent / "retrieval"))
    from encoders import HashEncoder

    return HashEncoder()


def report(visitor: Visitor) -> None:
    times = visitor.milliseconds
    p50, p95 = (float(np.quantile(times, share)) for share in (0.5, 0.95))
    seen = {"questions": len(times), "p50": p50, "p95": p95, "problems": visitor.problems[:20]}
    print(json.dumps(seen), flush=True)
    visitor.milliseconds, visitor.problems = [], []


if __name__ == "__main__":
    main()
