"""Plots of a run as SVG: scores per class, the threshold of the maps, and trainings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

STYLE: Any = {
    "svg.fonttype": "none",  # texts stay texts
    "svg.hashsalt": "wsss",  # the same numbers give the same bytes
    "text.parse_math": False,  # a name may hold a dollar sign
    "axes.spines.top": False,
    "axes.spines.right": False,
}
WIDTH = 8.0  # inch, of every plot
COLOURS = "tab10"


def save(figure: Figure, path: Path) -> None:
    """Write an SVG without a date."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(STYLE):
        figure.savefig(path, format="svg", metadata={"Date": None})


def figure_of(height: float, rows: int = 1, columns: int = 1) -> tuple[Figure, list[list[Axes]]]:
    """An empty figure of `height` inch, and its axes."""
    with mpl.rc_context(STYLE):
        figure = Figure((WIDTH, height), layout="constrained")
        return figure, figure.subplots(rows, columns, squeeze=False).tolist()


def bars(scores: pd.DataFrame, deviations: pd.DataFrame, title: str) -> Figure:
    """IoU of every class (rows of the frames), a bar for each column, with its deviation over random seeds.

    Scores are fractions, shown in percent; a missing one has no bar.
    """
    count = len(scores.columns)
    figure, [[axes]] = figure_of(1.2 + len(scores) * (0.12 + 0.13 * count))
    for number, name in enumerate(scores.columns):
        places = [row + (number + 0.5) * 0.8 / count - 0.4 for row in range(len(scores))]
        colour = mpl.colormaps[COLOURS](number % 10)
        lengths, errors = 100 * scores[name], 100 * deviations[name].fillna(0)
        axes.barh(places, lengths, 0.8 / count, xerr=errors, color=colour, label=name, error_kw={"lw": 0.8})
    axes.set(yticks=range(len(scores)), yticklabels=scores.index, xlim=(0, 100), xlabel="IoU in percent", title=title)
    axes.invert_yaxis()
    axes.grid(axis="x", alpha=0.3)
    figure.legend(loc="outside lower left", fontsize="small", ncols=1)
    return figure


def thresholds(curves: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """The mIoU of maps over the threshold of background (columns `threshold`, `miou`), each curve's best marked."""
    figure, [[axes]] = figure_of(4.5)
    for number, (name, curve) in enumerate(curves.items()):
        colour, miou, best = mpl.colormaps[COLOURS](number % 10), 100 * curve["miou"], int(curve["miou"].argmax())
        where, score = curve["threshold"].iloc[best], miou.iloc[best]
        axes.plot(curve["threshold"], miou, color=colour, label=f"{name}: best {score:.1f} at {where:g}")
        axes.plot(where, score, "o", color=colour)
    axes.set(xlabel="threshold of background", ylabel="mIoU in percent", title=title, ylim=(0, None))
    axes.grid(alpha=0.3)
    figure.legend(loc="outside lower left", fontsize="small")
    return figure


def training(histories: Mapping[str, pd.DataFrame]) -> Figure:
    """The loss of each network over the epochs and, where it is recorded, the shares of labelled pixels."""
    figure, axes = figure_of(0.4 + 2.4 * len(histories), len(histories), 2)
    for (left, right), (name, rows) in zip(axes, histories.items(), strict=True):
        left.plot(rows["epoch"], rows["loss"], marker=".")
        left.set(xlabel="epoch", ylabel="loss", ylim=(min(0, rows["loss"].min()), None))
        left.xaxis.set_major_locator(MaxNLocator(integer=True))
        left.set_title(name, loc="left", fontsize="small")
        shares = [column for column in map(str, rows) if column.startswith("share_")]
        for share in shares:
            right.plot(rows["epoch"], 100 * rows[share], marker=".", label=share.removeprefix("share_"))
        right.xaxis.set_major_locator(MaxNLocator(integer=True))
        right.set(xlabel="epoch", ylabel="pixels in percent", ylim=(0, 100))
        right.legend(fontsize="small") if shares else right.remove()
    return figure
