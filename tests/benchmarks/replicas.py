"""2,000 questions over two bot processes on one PostgreSQL, killed and started again on the way.

    python tests/benchmarks/replicas.py [--kills 1] [--seed 0]

Kills come at random moments, one process after the other.
"""

import argparse
import asyncio
import json
import random
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
    parser.add_argument("--kills", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    databases = Databases()
    try:
        with tempfile.TemporaryDirectory() as folder:
            chance = random.Random(given.seed)
            kills = [chance.uniform(0.05, 0.9) for _ in range(given.kills)]
            outcome = asyncio.run(
                run(Path(folder), databases, people=given.people, each=given.each, kills=kills)
            )
    finally:
        databases.close()
    json.dump({**asdict(outcome), "kills": kills}, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
