"""Scores of the head are cosines."""

import torch

from wsss_steps.nets.dino_head import DinoHead


def test_scores_are_cosines_with_the_prototypes() -> None:
    torch.manual_seed(0)
    head = DinoHead(6, prototypes=5)
    tokens = torch.randn(4, 6)
    found = head(tokens)
    inner = head.mlp(tokens)
    expected = torch.nn.functional.cosine_similarity(inner[:, None], head.prototypes[None], dim=-1)
    torch.testing.assert_close(found, expected)
    with torch.no_grad():
        head.prototypes *= 7  # only their directions count
    torch.testing.assert_close(head(tokens), found)
