"""Print one of the README's two set-up commands: `start` or `tests`.

Each is the first line of a ```sh block that follows its marker, `<!-- command: NAME -->`.
"""

import pathlib
import re
import sys


def command(name: str, readme: str) -> str:
    found = re.findall(rf"<!-- command: {re.escape(name)} -->\s*```sh\n(.+)\n```", readme)
    if len(found) != 1:
        raise SystemExit(f"error: README.md has {len(found)} commands marked {name!r}; it must have one")
    return found[0]


if __name__ == "__main__":
    root = pathlib.Path(__file__).resolve().parent.parent
    print(command(sys.argv[1], (root / "README.md").read_text(encoding="utf-8")))
