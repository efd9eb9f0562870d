"""Scores of the head are cosines with fixed prototypes."""

import torch

from wsss_steps.nets.dino_head import DinoHead


def test_scores_are_cosines_with_the_prototypes() -> None:
    torch.manual_seed(0)
    head = DinoHead(6, prototypes=5)
    tokens = torch.randn(4, 6)
    found = head(tokens)
    expected = torch.nn.functional.cosine_similarity(head.mlp(tokens)[:, None], head.prototypes[None], dim=-1)
    torch.testing.assert_close(found, expected)
    with torch.no_grad():
        head.prototypes *= 7  # only their directions count
    torch.testing.assert_close(head(tokens), found)
    assert not head.prototypes.requires_grad


def test_tokens_that_hardly_differ_are_told_apart() -> None:
    torch.manual_seed(0)
    head = DinoHead(6, prototypes=5)
    tokens = torch.randn(1, 6) + 0.01 * torch.randn(8, 6)
    assert head(tokens).std(dim=0).min() > 0.05
