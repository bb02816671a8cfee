"""2,000 questions over two bot processes on one PostgreSQL, one killed and started again on the way.

    python tests/benchmarks/replicas.py
"""

import argparse
import asyncio
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bot.postgres import Databases
from tests.bot.replica_run import run


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--each", type=int, default=10)
    given = parser.parse_args()
    databases = Databases()
    try:
        with tempfile.TemporaryDirectory() as folder:
            outcome = asyncio.run(
                run(Path(folder), databases, people=given.people, each=given.each, kill_after=0.3)
            )
    finally:
        databases.close()
    json.dump(asdict(outcome), sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
