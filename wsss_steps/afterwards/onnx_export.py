"""A network as ONNX, which other programs run without this package, and the check that it gives the same scores."""

from __future__ import annotations

import importlib
import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from wsss_steps.afterwards.networks import Trained
from wsss_steps.errors import UserError
from wsss_steps.formats.files import whole
from wsss_steps.nets.deeplab_v3plus import STRIDE, DeepLabV3Plus
from wsss_steps.nets.inference import label_logits
from wsss_steps.nets.segmentation import SegmentationNetwork
from wsss_steps.nets.stage_outputs import stage_outputs
from wsss_steps.ops.resize import enlarge

EXTRA = ("onnx", "onnxruntime", "onnxscript")  # packages of the extra `export`
INPUT, OUTPUT = "image", "logits"
TRACED = (129, 193)  # px: size of the image by which the graph is found, of no special divisors
CHECKED = ((129, 193), (192, 128), (97, 258))  # px: sizes at which the scores are compared
OPSET = 18


class AtImageSize(nn.Module):
    """The network's logits at the size of its input, as `label_logits` has them at scale 1."""

    def __init__(self, network: SegmentationNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Float[Tensor, "1 3 H W"]) -> Float[Tensor, "1 L H W"]:
        """Logits of the labels."""
        return enlarge(self._cells(image), (image.shape[-2], image.shape[-1]), self.network.stride)

    def _cells(self, image: Float[Tensor, "1 3 H W"]) -> Float[Tensor, "1 L h w"]:
        if not isinstance(self.network, DeepLabV3Plus):
            cells: Tensor = self.network(image)
            return cells
        levels = stage_outputs(self.network.backbone, image, self.network.decoder.stages)
        # the decoder rounds up by -(-side // 4), and ONNX divides towards zero: the same for multiples of 4
        sides = [(side + STRIDE - 1) // STRIDE * STRIDE for side in image.shape[-2:]]
        logits: Tensor = self.network.decoder(levels, sides)
        return logits


def export(
    trained: Trained, target: Path, about: Mapping[str, Any], *, size: tuple[int, int] | None, tolerance: float
) -> float:
    """Write the network as ONNX; returns the largest difference of its logits from those of torch, as below.

    The input `image` is (1, 3, H, W), float32: RGB times `scale`, less `mean`, by `std`, which the file's metadata has
    with `classes` and what is in `about`, each as JSON. The output `logits` is (1, C + 1, H, W).

    Args:
        trained: on the CPU.
        target: the file, written if the scores agree.
        about: further metadata.
        size: height and width that the input is fixed to; None: any size.
        tolerance: of the difference.

    A UserError if packages are missing, the network cannot be exported, or the difference is larger.
    """
    check_packages()
    if size is None and _padded_by_size(trained.network):
        raise UserError(
            "export: the padding of this network depends on the size of the image (TensorFlow's `same`); torch was not "
            "seen to find a graph of any size for it within ten minutes. Give the size: --size HEIGHT WIDTH"
        )
    program = _program(trained, size)
    colours = trained.colours
    metadata = {"classes": list(trained.names), "scale": 1 / 255, **colours, "stride": trained.network.stride, **about}
    program.model.metadata_props.update({name: json.dumps(value) for name, value in metadata.items()})
    for node in program.model.graph:
        node.metadata_props.clear()  # names of source files on this machine
    with whole(target) as temporary:
        program.save(temporary, external_data=False)
        found = largest_difference(trained, temporary, [size] if size else CHECKED)
        if not found <= tolerance:
            raise UserError(
                f"{target}: expected logits that differ from torch's by at most {tolerance:g}, found {found:.3g}; "
                f"nothing is written. {'Raise --tolerance' if size else 'Try a fixed --size, or raise --tolerance'}"
            )
    return found


def check_packages() -> None:
    """Raise a UserError that names the extra of this package if what it installs is missing."""
    missing = []
    for name in EXTRA:
        try:
            importlib.import_module(name)
        except ImportError:
            missing.append(name)
    if missing:
        raise UserError(
            f"export: expected the packages {', '.join(EXTRA)}, {', '.join(missing)} missing: install the extra "
            'export, pip install "wsss-steps[export]" (in a clone: pip install ".[export]")'
        )


def _padded_by_size(network: nn.Module) -> bool:
    """Whether it has timm's Conv2dSame or a pooling of that kind."""
    return any(type(module).__name__.endswith("Same") for module in network.modules())


def _program(trained: Trained, size: tuple[int, int] | None) -> Any:
    """The network as an ONNX program."""
    image = torch.zeros(1, 3, *(size or TRACED))
    shapes = None if size else ({2: "height", 3: "width"},)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # of torch's exporter about itself
            return torch.onnx.export(
                AtImageSize(trained.network).eval(),
                (image,),
                input_names=[INPUT],
                output_names=[OUTPUT],
                dynamic_shapes=shapes,
                opset_version=OPSET,
                dynamo=True,
                verbose=False,
            )
    except torch.onnx.errors.OnnxExporterError as error:
        first = next(iter(str(error.__cause__ or error).strip().splitlines()), "")
        raise UserError(f"torch cannot export this network as ONNX: {first}; try a fixed --size HEIGHT WIDTH") from None


def largest_difference(trained: Trained, path: Path, sizes: Sequence[tuple[int, int]]) -> float:
    """The largest difference between the logits of torch and of the ONNX file, on random images of `sizes`.

    Divided by the largest logit of the image if that is above 1, since float32 has seven digits. Infinite if the shapes
    differ, or the file cannot read a size.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    generator = np.random.default_rng(0)
    worst = 0.0
    for size in sizes:
        image = trained.normalised(generator.integers(0, 256, (*size, 3), dtype=np.uint8))
        once: dict[str, Any] = {"scales": (1.0,), "flip": False, "merge": "max"}
        expected = label_logits(trained.network, image, trained.network.stride, **once).numpy()
        try:
            found = session.run([OUTPUT], {INPUT: image.numpy()})[0][0]
        except Exception:  # onnxruntime has no common class of its errors
            return float("inf")
        if found.shape != expected.shape:
            return float("inf")
        worst = max(worst, float(np.abs(found - expected).max() / max(1, np.abs(expected).max())))
    return worst
