"""Self-distillation with no labels: the loss of DINO (Caron et al. 2021, section 3.1), its centre and its schedules."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor


def teacher_targets(
    scores: Float[Tensor, "... K"], centre: Float[Tensor, "... K"], temperature: float
) -> Float[Tensor, "... K"]:
    """Targets softmax((scores - centre) / temperature), without gradient.

    The centre keeps one prototype from dominating, the low temperature keeps the targets from being uniform.
    """
    return torch.softmax((scores.detach() - centre) / temperature, dim=-1)


def dino_loss(
    student: Float[Tensor, "V B K"], targets: Float[Tensor, "G B K"], student_temperature: float
) -> Float[Tensor, ""]:
    """Cross-entropy of the student's views with the teacher's targets, mean over images and pairs of different views.

    The teacher sees the G global views; they are the first G of the student's V views, and no view is compared with
    itself. Raises ValueError if there is no pair.
    """
    views, given = len(student), len(targets)
    if views < given or views * given < 2:
        raise ValueError(f"expected the {given} teacher views among at least 2 student views, found {views}")
    log_probability = torch.log_softmax(student / student_temperature, dim=-1)
    pairs = [(g, v) for g in range(given) for v in range(views) if g != v]
    parts = [-(targets[g] * log_probability[v]).sum(dim=-1).mean() for g, v in pairs]
    return torch.stack(parts).mean()


def matching(
    places: Float[Tensor, "B 4"], grid: int, others: Float[Tensor, "B 4"], other_grid: int
) -> Int[Tensor, "B N"]:
    """For every patch of a view, the patch of another view of the same image that contains its centre; -1 if none.

    Views are square grids of `grid` patches per side, N = grid^2, row by row. A place is top, left, height and width of
    a view in the image; for a mirrored view left is the right edge and the width is negative.
    """
    centres = (torch.arange(grid, device=places.device) + 0.5) / grid
    cells = []
    for axis in (0, 1):
        position = places[:, axis, None] + centres * places[:, axis + 2, None]  # (B, grid), in the image
        cells.append(torch.floor((position - others[:, axis, None]) / others[:, axis + 2, None] * other_grid))
    rows, columns = cells[0][:, :, None], cells[1][:, None, :]
    inside = (rows >= 0) & (rows < other_grid) & (columns >= 0) & (columns < other_grid)
    return torch.where(inside, rows * other_grid + columns, -1).flatten(1).long()


def patch_loss(
    student: Float[Tensor, "B N K"],
    targets: Float[Tensor, "B M K"],
    match: Int[Tensor, "B N"],
    student_temperature: float,
) -> Float[Tensor, ""]:
    """Cross-entropy of the student's patches with the teacher's targets at the same place; 0 if none match.

    The mean is over patches with a match (`matching`).
    """
    chosen = targets.gather(1, match.clamp(min=0)[:, :, None].expand_as(student))
    losses = -(chosen * torch.log_softmax(student / student_temperature, dim=-1)).sum(dim=-1)
    matched = match >= 0
    return (losses * matched).sum() / matched.sum().clamp(min=1)


def updated_centre(centre: Float[Tensor, " K"], scores: Float[Tensor, "... K"], momentum: float) -> Float[Tensor, " K"]:
    """Moving average of the teacher's mean scores."""
    return momentum * centre + (1 - momentum) * scores.detach().reshape(-1, len(centre)).mean(dim=0)


def cosine(progress: float, start: float, end: float) -> float:
    """Half a cosine from `start` at progress 0 to `end` at progress 1."""
    return end + (start - end) * (1 + math.cos(math.pi * progress)) / 2


def warmed_up(progress: float, warmup: float, peak: float, end: float) -> float:
    """Linear from 0 to `peak` until progress (in [0, 1]) reaches `warmup`, then half a cosine to `end`."""
    if progress < warmup:
        return peak * progress / warmup
    return cosine((progress - warmup) / (1 - warmup), peak, end)


def mean_entropy(probabilities: Float[Tensor, "... K"]) -> Float[Tensor, ""]:
    """Mean entropy in nats: if it stays at 0 or ln K, training has collapsed."""
    entropies: Tensor = torch.special.entr(probabilities).sum(dim=-1)
    return entropies.mean()
