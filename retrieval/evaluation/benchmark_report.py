"""The figures of a benchmark as a table and as a picture."""

from collections.abc import Callable, Sequence
from pathlib import Path

from retrieval.evaluation.benchmark import Benchmark

_ROWS: tuple[tuple[str, Callable[[Benchmark], str]], ...] = (
    ("articles", lambda r: f"{r.articles:,}"),
    ("files to searchable", lambda r: f"{r.build_seconds:,.1f} s"),
    ("… passages a second", lambda r: f"{r.passages_per_second:,.0f}"),
    ("… memory at most, workers included", lambda r: f"{r.build_megabytes:,.0f} MB"),
    ("the same again, nothing changed", lambda r: f"{r.again_seconds:.1f} s"),
    ("one article added, until another process finds it", lambda r: f"{r.add_seconds * 1000:.0f} ms"),
    ("… changed", lambda r: f"{r.change_seconds * 1000:.0f} ms"),
    ("… removed", lambda r: f"{r.remove_seconds * 1000:.0f} ms"),
    ("100 passages added, until they are found", lambda r: f"{r.add_hundred_seconds * 1000:.0f} ms"),
    ("process start to first answer", lambda r: f"{r.cold_start_seconds:.2f} s"),
    ("question: p50 / p95", lambda r: f"{r.questions.p50:.1f} / {r.questions.p95:.1f} ms"),
    ("… meant to be slow, slowest", lambda r: f"{r.adversarial.slowest:.1f} ms"),
    ("status", lambda r: f"{r.status_ms:.1f} ms"),
    ("memory serving", lambda r: f"{r.serving_megabytes:,.0f} MB"),
    ("dense recall@100 of exact search", lambda r: f"{r.recall:.4f}"),
)


def table(results: Sequence[Benchmark]) -> str:
    """A Markdown table with a column for each size."""
    lines = ["| passages | " + " | ".join(f"{result.passages:,}" for result in results) + " |"]
    lines.append("| --- |" + " --- |" * len(results))
    lines += [f"| {name} | " + " | ".join(map(value, results)) + " |" for name, value in _ROWS]
    return "\n".join(lines)


def plot(results: Sequence[Benchmark], path: Path) -> None:
    """Latency, build time, update time and memory over size as a PNG.

    Raises ImportError where matplotlib is not installed.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6), layout="constrained")
    sizes = [result.passages for result in results]
    panels: dict[str, dict[str, list[float]]] = {
        "ms a question": {
            "p50": [result.questions.p50 for result in results],
            "p95": [result.questions.p95 for result in results],
        },
        "s to build from files": {"build": [result.build_seconds for result in results]},
        "ms until another process sees it": {
            "one article added": [result.add_seconds * 1000 for result in results],
            "changed": [result.change_seconds * 1000 for result in results],
            "removed": [result.remove_seconds * 1000 for result in results],
        },
        "MB": {
            "serving": [result.serving_megabytes for result in results],
            "building, with workers": [result.build_megabytes for result in results],
        },
    }
    for axes, (label, lines) in zip(figure.subplots(2, 2).flat, panels.items(), strict=True):
        for name, values in lines.items():
            axes.plot(sizes, values, marker="o", label=name)
        axes.set(xlabel="passages", ylabel=label, xscale="log")
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
        if len(lines) > 1:
            axes.legend()
    figure.savefig(path, dpi=90)
