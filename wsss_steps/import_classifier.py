"""Turn the user's own trained classifier into one of this workflow; nothing is trained."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from wsss_steps import methods
from wsss_steps.cli import main
from wsss_steps.data.manifest import read_manifest
from wsss_steps.errors import UserError
from wsss_steps.formats.weights import kind_of_weights, write_weights
from wsss_steps.methods import arguments
from wsss_steps.methods.classifier import _foreign as foreign
from wsss_steps.provenance.digests import file_digest

log = logging.getLogger(__name__)

CLASSIFIER = "classifier"


def run(*, manifest: Path, source: Path, output: Path, settings: dict[str, Any], stamp: str = "") -> None:
    """Write the classifier in the file `source` to `output`, for the classes of the manifest.

    A file of this workflow is taken with its method, for the classes that it knows by name; any other is fitted to the
    backbone of the settings. A UserError lists all that does not fit.
    """
    classes = read_manifest(manifest).classes
    own = kind_of_weights(source)
    if own and own != CLASSIFIER:
        raise UserError(f"{source}: expected weights of a classifier, found those of a {own} of this workflow")
    state, content = _own(source, classes) if own else _foreign(source, classes, settings)
    write_weights(output, CLASSIFIER, state, content=content, stamp=stamp)
    log.info("%s: method %s, classes %s", source, content["method"], ", ".join(classes))


def _foreign(source: Path, classes: Sequence[str], settings: dict[str, Any]) -> tuple[Mapping[str, Tensor], Any]:
    """Weights and `content` of a file that was made elsewhere."""
    method = methods.load(CLASSIFIER, settings["method"])
    build = arguments(method.build, settings)
    network = method.build(len(classes), **build)
    foreign.fill(network, source, classes, **arguments(foreign.fill, settings))
    content = {
        "method": settings["method"],
        "num_classes": len(classes),
        "classes": list(classes),
        "network": build,
        "init_weights": f"{source.name} sha256:{file_digest(source)}",
        "compute_precision": "float32",
    }
    return network.state_dict(), content


def _own(source: Path, classes: Sequence[str]) -> tuple[Mapping[str, Tensor], Any]:
    """Weights and `content` of a file of this workflow: all of its classes, or those that the data set has."""
    network, content = methods.rebuild(CLASSIFIER, source)
    if content["classes"] == list(classes):
        return network.state_dict(), content
    if missing := [name for name in classes if name not in content["classes"]]:
        raise UserError(f"{source}: does not know {missing}; it was trained for {content['classes']}")
    build, known = methods.load(CLASSIFIER, content["method"]).build, content["classes"]
    one_more = build(len(known) + 1, **content["network"]).state_dict()
    of_classes = [key for key, one in network.state_dict().items() if one.shape != one_more[key].shape]
    order = [known.index(name) for name in classes]
    about = {**content, "classes": list(classes), "num_classes": len(classes)}
    return _chosen(source, network.state_dict(), of_classes, order, len(known)), about


def _chosen(
    source: Path, state: Mapping[str, Tensor], of_classes: Sequence[str], order: Sequence[int], count: int
) -> Mapping[str, Tensor]:
    """The weights, of those that depend on the classes the rows of `order` alone, out of `count`.

    A UserError if they have not a row per class, as the decoder of a single-stage network.
    """
    if others := [key for key in of_classes if len(state[key]) != count]:
        raise UserError(
            f"{source}: cannot be taken for other classes than its own, for {', '.join(others)} have no row per class"
        )
    return {**state, **{key: state[key][list(order)] for key in of_classes}}


if __name__ == "__main__":
    main(run)
