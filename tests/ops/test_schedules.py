"""Learning rates by hand."""

from itertools import pairwise

import pytest

from wsss_steps.ops.schedules import poly_warmup


def test_poly_by_hand() -> None:
    assert poly_warmup(0, total=20, power=0.9) == 1
    assert 1e-3 * poly_warmup(10, total=20, power=0.9) == pytest.approx(5.35887e-4, rel=1e-6)
    assert 2.5e-4 * poly_warmup(10_000, total=20_000, power=0.9) == pytest.approx(1.33972e-4, rel=1e-5)
    assert poly_warmup(3, total=4, power=1.0) == pytest.approx(1 / 4)


def test_warm_up_starts_low_is_multiplied_and_has_no_jump() -> None:
    steps = {"total": 150, "power": 0.9, "warmup": 30, "warmup_from": 1e-3}
    assert 1e-3 * poly_warmup(0, **steps) == pytest.approx(1e-6)
    assert poly_warmup(30, **steps) == pytest.approx(poly_warmup(30, total=150, power=0.9))
    assert poly_warmup(15, **steps) == pytest.approx(0.9**0.9 * (1e-3 + 1) / 2)
    curve = [poly_warmup(step, **steps) for step in range(150)]
    assert max(abs(after - before) for before, after in pairwise(curve)) < 1 / 30


@pytest.mark.parametrize("step", [-1, 4])
def test_a_step_outside_is_refused(step: int) -> None:
    with pytest.raises(ValueError, match=r"step must lie in 0 \.\.\. 3"):
        poly_warmup(step, total=4, power=0.9)
