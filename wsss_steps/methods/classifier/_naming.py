"""How public code names the weights of a classifier, and where its layer of classes stands."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping

import torch
from torch import Tensor

from wsss_steps.pretrained.prefixes import prefix_of

State = Mapping[str, Tensor]

# Networks that are kept in stages: beginning of a key -> that of torchvision's ResNet.
STAGES: Mapping[str, Mapping[str, str]] = {
    "IRN": {
        **{"stage1.0": "conv1", "stage1.1": "bn1", "stage1.4": "layer1"},
        **{f"stage{number}.0": f"layer{number}" for number in (2, 3, 4)},
    },
    "IRN, its list of stages": {
        **{"backbone.0.0": "conv1", "backbone.0.1": "bn1", "backbone.0.4": "layer1"},
        **{f"backbone.{number}.0": f"layer{number + 1}" for number in (1, 2, 3)},
    },
    "Puzzle-CAM": {
        **{"stage1.0": "conv1", "stage1.1": "bn1"},
        **{f"stage{number + 1}.0": f"layer{number}" for number in (1, 2, 3, 4)},
    },
}
HEADS = ("classifier", "fc8", "fc", "head.fc", "head", "last_linear", "newly_added.0")
KNOWN = (
    "torchvision and timm (conv1.weight, layer1.0.conv1.weight, ..., fc.weight or the classifier that timm names)",
    "IRN (resnet50.conv1.weight or stage1.0.weight, ..., classifier.weight), Puzzle-CAM (model.conv1.weight, ...)",
    "PSA and SEAM (conv1a.weight, b2.conv_branch2a.weight, ..., fc8.weight), with a backbone of net: wideresnet38",
    "any of these behind a prefix such as `module.`, and classifier.safetensors of this workflow",
)


def renamed(state: State, target: Collection[str]) -> dict[str, Tensor]:
    """The same tensors under the names that give most keys of `target`, behind whatever prefix: their own, on a tie."""
    candidates = [dict(state), *(_by_stages(state, stages) for stages in STAGES.values())]
    return max(candidates, key=lambda one: _found(one, target))


def _found(state: State, target: Collection[str]) -> int:
    """How many keys of `target` there are behind the best prefix."""
    prefix = prefix_of(state, target)
    return sum(prefix + key in state for key in target)


def _by_stages(state: State, stages: Mapping[str, str]) -> dict[str, Tensor]:
    """The tensors of stages under the keys of a ResNet, at the same place behind their prefix; and all others."""
    pattern = re.compile(rf"(^|\.)({'|'.join(map(re.escape, stages))})\.")
    return {
        pattern.sub(lambda found: f"{found[1]}{stages[found[2]]}.", key, count=1): one for key, one in state.items()
    }


def places_of(prefix: str) -> list[str]:
    """Where a layer of classes may stand beside a network behind a prefix: `module.net.` -> "", module., module.net."""
    words = prefix.split(".")[:-1]
    return ["".join(f"{word}." for word in words[:count]) for count in range(len(words) + 1)]


def heads_in(state: State, prefix: str, names: Collection[str]) -> list[str]:
    """The layers of classes in a file: those of `names` that have a weight, at the outermost place that has any.

    A layer that the file holds under several names, as IRN's, is one.
    """
    for place in places_of(prefix):
        layers = [place + name for name in dict.fromkeys(names) if _is_head(state.get(f"{place}{name}.weight"))]
        if layers:
            weights = [state[f"{layer}.weight"] for layer in layers]
            return [one for at, one in enumerate(layers) if not any(torch.equal(weights[at], w) for w in weights[:at])]
    return []


def _is_head(weight: Tensor | None) -> bool:
    return weight is not None and (weight.ndim == 2 or (weight.ndim == 4 and weight.shape[2:] == (1, 1)))


def parts_of(state: State) -> str:
    """The first words of the keys in a file, with the number of tensors below each."""
    counts = Counter(key.partition(".")[0] for key in state)
    return ", ".join(f"{name} ({count})" for name, count in counts.most_common(12))
