"""`python -m retrieval`."""


def main() -> None:
    """The command `wenda`."""
    from retrieval.cli import cli

    cli(prog_name="wenda")


if __name__ == "__main__":
    from retrieval.cli import cli

    cli(prog_name="python -m retrieval")
