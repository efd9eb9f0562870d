"""Learning rate schedules."""

from __future__ import annotations


def poly_warmup(step: int, *, total: int, power: float, warmup: int = 0, warmup_from: float = 1.0) -> float:
    """Factor on the base learning rate at `step` = 0 ... total - 1: (1 - step / total)^power times a linear warm-up.

    The warm-up rises from `warmup_from` (a share of the base rate) at step 0 to 1 at step `warmup`. Multiplying the two
    avoids a jump (Kim 2022, dissertation, section 3.4.1, says only that both are used).
    """
    if not 0 <= step < total:
        raise ValueError(f"step must lie in 0 ... {total - 1}, found {step}")
    rise = warmup_from + (1.0 - warmup_from) * min(1.0, step / warmup) if warmup else 1.0
    return float((1.0 - step / total) ** power * rise)
