"""The loss of the saliency detector, of a network that returns its images."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from wsss_steps.methods.saliency import detector


def test_padding_is_not_learnt_from() -> None:
    """log(1 + e^-1) for a right logit of 1; the last pixel is wrong, but padding."""
    batch = {
        "images": torch.tensor([[[[1.0, 50.0]]]]),
        "masks": torch.tensor([[[1, 0]]]),
        "inside": torch.tensor([[[True, False]]]),
    }
    assert detector.losses(nn.Identity(), batch)["saliency"].item() == pytest.approx(0.313262, abs=1e-6)
