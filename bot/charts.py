"""The questions of the last days as a picture (the extra `charts`)."""

import io
from collections.abc import Sequence

from bot.state.figures import Day


def chart(days: Sequence[Day]) -> bytes | None:
    """Bars of answered and unanswered questions a day, as PNG; None where matplotlib is not installed."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator
    except ImportError:
        return None
    figure = Figure(figsize=(8, 3.2), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    names = [f"{day.day:%m-%d}" for day in days]
    answered = [day.answered for day in days]
    axes.bar(names, answered, color="#3a7bd5", label="answered")
    axes.bar(names, [day.asked - day.answered for day in days], bottom=answered, color="#d9a441", label="not")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(axis="x", labelsize=8)
    axes.legend(frameon=False)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    return drawn.getvalue()
