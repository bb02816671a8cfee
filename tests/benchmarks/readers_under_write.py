"""Processes ask without pause while articles are added, changed and removed: nothing wrong, nothing slow.

    python tests/benchmarks/readers_under_write.py INDEX [--articles 5000] [--readers 4]

INDEX is copied first. Prints the times of the idle index (the same readers, no writer) and those under write.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from lighthouses import lighthouse

from retrieval import Retriever

STANDING = 200
STEP = 100


class Readers:
    """Processes that ask without pause; see visiting.py."""

    def __init__(self, index: Path, count: int, **settings: Any) -> None:
        program = str(Path(__file__).with_name("visiting.py"))
        self._children = [
            subprocess.Popen(
                [sys.executable, program, str(index), json.dumps({**settings, "seed": seed})],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for seed in range(count)
        ]
        for child in self._children:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"

    def report(self) -> list[dict[str, Any]]:
        """What each of them has seen since the last time."""
        for child in self._children:
            assert child.stdin is not None
            child.stdin.write("\n")
            child.stdin.flush()
        return [json.loads(child.stdout.readline()) for child in self._children if child.stdout is not None]

    def close(self) -> list[int]:
        """Have them end; their exit codes."""
        for child in self._children:
            child.communicate()
        return [child.returncode for child in self._children]


def rewrite(writer: Retriever, articles: int, *, step: int = STEP) -> None:
    """Add, change (twice) and remove so many articles."""
    for version in range(3):
        for first in range(0, articles, step):
            writer.add(lighthouse(number, version) for number in range(first, min(first + step, articles)))
    for first in range(0, articles, step):
        writer.remove([f"Passing{number}" for number in range(first, min(first + step, articles))])


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure readers under write.")
    parser.add_argument("index", type=Path)
    parser.add_argument("--articles", type=int, default=5000)
    parser.add_argument("--readers", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long the idle index is asked")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wenda-readers-") as temporary:
        index = Path(temporary) / "index"
        shutil.copytree(arguments.index, index)
        with Retriever.open(index) as writer:
            writer.add(lighthouse(number, 0, standing=True) for number in range(STANDING))
            readers = Readers(
                index, arguments.readers, standing=STANDING, passing=arguments.articles, versions=3
            )
            readers.report()
            time.sleep(arguments.seconds)
            idle = readers.report()
            started = time.perf_counter()
            rewrite(writer, arguments.articles)
            seconds = time.perf_counter() - started
            busy = readers.report()
            codes = readers.close()
    show("idle", idle)
    show("under write", busy)
    print(f"{arguments.articles:,} articles added, changed twice, removed in {seconds:.1f} s; exits {codes}")
    print(f"p95 under write / idle: {max(r['p95'] for r in busy) / max(r['p95'] for r in idle):.2f}")


def show(name: str, reports: list[dict[str, Any]]) -> None:
    count = sum(report["questions"] for report in reports)
    problems = [problem for report in reports for problem in report["problems"]]
    p50, p95 = (max(report[share] for report in reports) for share in ("p50", "p95"))
    print(f"{name}: {count:,} questions, p50 {p50:.1f} ms, p95 {p95:.1f} ms, wrong: {problems[:3]}")


if __name__ == "__main__":
    main()
