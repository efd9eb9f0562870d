"""Fills the network of a classifier that was trained elsewhere from its file, whatever its keys are called."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from wsss_steps.errors import UserError
from wsss_steps.methods import given
from wsss_steps.methods.classifier._naming import HEADS, KNOWN, heads_in, parts_of, renamed
from wsss_steps.nets.biased_classifier import BiasedClassifier
from wsss_steps.pretrained.prefixes import fault_of, prefix_of, tell_left_out, without_prefix
from wsss_steps.pretrained.states import read_state

log = logging.getLogger(__name__)

FEW = 5  # keys shown of each kind of misfit


def fill(
    network: BiasedClassifier,
    path: Path,
    classes: Sequence[str],
    *,
    head: str,
    class_numbers: Mapping[str, int],
    ignore: Sequence[str],
) -> None:
    """Load the weights in the file `path` into the network, whose outputs become those of `classes` in their order.

    head, class_numbers, ignore: see `settings.classifier.GivenClassifier`.

    Raises:
        UserError: that lists all keys that are missing, unexpected, of another shape or unusable, what is wrong with
            the layer of classes, what the file holds, and which namings are known. Then nothing is loaded.
    """
    target = network.backbone.net.state_dict()
    state = renamed(read_state(path), target)
    prefix = prefix_of(state, target)
    found = without_prefix(state, prefix)
    layer, of_head = _head(state, prefix, network, head)
    weight, of_classes = _weight(state, layer, network, classes, class_numbers)
    beside = (*ignore, *network.backbone.heads, *(f"{name}." for name in HEADS))
    further = [
        key for key in found if key not in target and not key.startswith(beside) and prefix + key not in _parts(layer)
    ]
    problems = [*_misfits(target, found), *_listed("unexpected", further), *of_head, *of_classes]
    if problems or weight is None:
        lines = [*problems, f"found in the file: {parts_of(state)}", *(f"known: {naming}" for naming in KNOWN)]
        raise UserError("\n  ".join([f"{path}: does not fit the classifier 'given' ({len(problems)}):", *lines]))
    network.backbone.net.load_state_dict({key: found.get(key, value) for key, value in target.items()})
    network.load_state_dict({"head.weight": weight[0], "bias": weight[1]}, strict=False)
    tell_left_out(state.keys() - {prefix + key for key in target} - set(_parts(layer)), prefix, path.name)
    log.info("%s: %d tensors behind '%s', the layer of classes is %s", path.name, len(target), prefix, layer)


def _parts(layer: str) -> tuple[str, str]:
    return f"{layer}.weight", f"{layer}.bias"


def _head(state: Mapping[str, Tensor], prefix: str, network: BiasedClassifier, head: str) -> tuple[str, list[str]]:
    """The layer of classes, and what is wrong about it."""
    own = [name.removesuffix(".") for name in network.backbone.heads]
    found = heads_in(state, prefix, [head] if head else [*own, *HEADS])
    if not found:
        expected = f"{head}.weight" if head else f"one of {', '.join(f'{name}.weight' for name in HEADS)}"
        return "", [f"no layer of classes: expected {expected}, (N, K) or (N, K, 1, 1); say which by `head`"]
    if len(found) > 1:
        return found[0], [f"several layers of classes: {', '.join(found)}; say which by `head`"]
    return found[0], []


def _weight(
    state: Mapping[str, Tensor],
    layer: str,
    network: BiasedClassifier,
    classes: Sequence[str],
    class_numbers: Mapping[str, int],
) -> tuple[tuple[Tensor, Tensor] | None, list[str]]:
    """Weight (C, K, 1, 1) and bias (C,) of the classes, and what is wrong with them; None if there are none."""
    if not layer:
        return None, []
    weight, key = state[f"{layer}.weight"], f"{layer}.weight"
    bias = state.get(f"{layer}.bias", torch.zeros(len(weight)))
    outputs, channels = weight.shape[:2]
    problems = []
    if channels != network.backbone.channels:
        problems.append(f"{key}: expected {network.backbone.channels} channels of the backbone, found {channels}")
    problems += [
        f"{name}: {fault}" for name, one in ((key, weight), (f"{layer}.bias", bias)) if (fault := fault_of(one))
    ]
    if tuple(bias.shape) != (outputs,):
        problems.append(f"{layer}.bias: expected {outputs} numbers, found shape {tuple(bias.shape)}")
    order, wrong = _order(outputs, classes, class_numbers)
    problems += wrong
    if problems:
        return None, problems
    return (weight[order].reshape(len(order), channels, 1, 1).float(), bias[order].float()), []


def _order(outputs: int, classes: Sequence[str], class_numbers: Mapping[str, int]) -> tuple[list[int], list[str]]:
    """The output of each class, and what is wrong with their numbers."""
    if not class_numbers and outputs != len(classes):
        example = f"class_numbers: {{{classes[0]}: NUMBER, ...}}"
        return [], [
            f"expected {len(classes)} outputs, one per class, found {outputs}; say which by `{example}`, from 0"
        ]
    try:
        known = given.numbers(classes, class_numbers, 0)
    except UserError as error:
        return [], str(error).splitlines()
    of_class = {number: output for output, number in known.items()}
    order = [of_class[number] for number in sorted(of_class)]
    beyond = [name for name, output in zip(classes, order, strict=True) if output >= outputs]
    wrong = [f"class_numbers: expected 0 to {outputs - 1}, found {class_numbers[name]} of '{name}'" for name in beyond]
    return order, wrong


def _misfits(target: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> Iterator[str]:
    """What is missing for the backbone, and what of it is of another shape or unusable."""
    counters = {key for key in target if key.endswith("num_batches_tracked")}  # old files lack them, nothing uses them
    shared = sorted(target.keys() & found.keys() - counters)
    yield from _listed("missing", sorted(target.keys() - found.keys() - counters))
    shapes = [(key, tuple(target[key].shape), tuple(found[key].shape)) for key in shared]
    differ = [f"{key}: expected {expected}, found {shape}" for key, expected, shape in shapes if expected != shape]
    yield from _listed("of another shape", differ)
    yield from _listed("of unusable numbers", [f"{key}: {fault}" for key in shared if (fault := fault_of(found[key]))])


def _listed(what: str, keys: Sequence[str]) -> Iterator[str]:
    """A line for keys of one kind of misfit, if there are any."""
    if keys:
        yield f"{len(keys)} {what}: {', '.join(keys[:FEW])}{' ...' if len(keys) > FEW else ''}"
