"""What a sync did, in words for the shell."""

from retrieval.types import SyncReport

_SHOWN_FAILURES = 20


def summary(report: SyncReport) -> str:
    """A few lines of counts; the first says what came and went."""
    counts = {
        "added": len(report.added), "changed": len(report.changed), "moved": len(report.moved),
        "removed": len(report.removed), "unchanged": report.unchanged,
    }  # fmt: skip
    would = "would be " if report.dry_run else ""
    lines = [", ".join(f"{count:,} {would}{name}" for name, count in counts.items())]
    if report.duplicates:
        lines.append(f"{len(report.duplicates):,} have the text of another and are stored once")
    if report.empty:
        lines.append(f"{len(report.empty):,} have no text (pictures only)")
    if not report.dry_run:
        rate = f" ({report.passages / report.seconds:,.0f}/s)" if report.passages and report.seconds else ""
        lines.append(f"{report.passages:,} passages{rate} in {report.seconds:.1f} s")
    return "\n".join(lines)


def failures(report: SyncReport) -> str:
    """What could not be read, each with file, line and reason; not more than a screenful."""
    shown = [
        f"{failure.path}{f':{failure.line}' if failure.line else ''}: {failure.reason}"
        for failure in report.failed[:_SHOWN_FAILURES]
    ]
    if len(report.failed) == 1:
        return f"one article or source could not be read, the rest is indexed: {shown[0]}"
    more = len(report.failed) - len(shown)
    tail = [f"… and {more:,} more"] if more else []
    return "\n  ".join(
        [f"{len(report.failed):,} articles or sources could not be read, the rest is indexed:", *shown, *tail]
    )
