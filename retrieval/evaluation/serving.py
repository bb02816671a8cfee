"""What a process measures that serves an index: `python -m retrieval.evaluation.serving answer|watch INDEX`.

It is another process than the one that builds and updates, as in real use; it speaks JSON lines.

    answer  reads two lists of questions, asks those of the first to get warm, then those of the second;
            prints times, and its memory
    watch   reads [word, wanted] again and again, prints the time at which the word is found, or no longer is
"""

import gc
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.evaluation.memory import resident_megabytes
from retrieval.interpreter import settle
from retrieval.retriever import Retriever
from retrieval.warming import warm_up


def answer(index: Path, warming: list[str], questions: list[str]) -> dict[str, Any]:
    """Times in milliseconds, memory in megabytes. `warming` are other questions, as far as there are any:
    what is measured is a process that has served for a while, and a question that it has not seen."""
    with Retriever.open(index, create=False) as retriever:
        retriever.search(questions[0])
        first = time.time()
        warm_up(retriever)  # as the bot does
        for question in warming:
            retriever.search(question)
        gc.collect()
        settle()  # as well
        wall, processor = [], []
        for question in questions:
            began, cpu = time.perf_counter(), time.process_time()
            retriever.search(question)
            wall.append((time.perf_counter() - began) * 1000)
            processor.append((time.process_time() - cpu) * 1000)
        began = time.perf_counter()
        retriever.status()
        status = (time.perf_counter() - began) * 1000
        memory = resident_megabytes(os.getpid())  # with all files that are mapped
    return {
        "first": first,
        "status_ms": status,
        "megabytes": memory,
        "latency": {
            "count": len(wall),
            "p50": float(np.quantile(wall, 0.5)),
            "p95": float(np.quantile(wall, 0.95)),
            "slowest": max(wall),
            "processor_p50": float(np.quantile(processor, 0.5)),
        },
    }


def watch(index: Path) -> None:
    """Until standard input ends: how long a word takes to be found, or to be found no more."""
    with Retriever.open(index, create=False) as retriever:
        retriever.search("热身")
        print("ready", flush=True)
        for line in sys.stdin:
            word, wanted = json.loads(line)
            while _is_found(retriever, word) != wanted:
                time.sleep(0.001)
            print(json.dumps(time.time()), flush=True)


def _is_found(retriever: Retriever, word: str) -> bool:
    hits = retriever.search(word, top_k=1, understand=False).hits
    return bool(hits) and word in hits[0].text


if __name__ == "__main__":
    if sys.argv[1] == "watch":
        watch(Path(sys.argv[2]))
    else:
        print(json.dumps(answer(Path(sys.argv[2]), *json.loads(sys.stdin.readline()))))
