"""Settings of the methods that make saliency maps."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from wsss_steps.settings.base import (
    Augmentation,
    BatchSize,
    Count,
    Crop,
    FeaturesChoice,
    LearningRate,
    Network,
    Optimisation,
    Settings,
    Sides,
    Width,
)
from wsss_steps.settings.crf import CrfPreset

COLUMN = "column"  # in place of a folder: what the table of a plain folder names


class GivenSaliency(Settings):
    """Saliency maps of your own, one 8-bit grey PNG per training image."""

    method: Literal["given"] = "given"
    folder: str = Field(
        "{root}/saliency",
        description="folder of `<id>.png`, 0 not salient to 255 salient; `column`: the maps that the table of a plain "
        "folder names, of the shape of their image in any size",
    )
    bad_maps: Literal["stop", "leave_out"] = Field(
        "stop", description="what to do about maps that are missing, damaged, of another size or all zero"
    )


class DetectorSaliency(Network, Augmentation, Optimisation):
    """A detector in the form of PoolNet, trained on pairs of an image and a mask."""

    method: Literal["detector"] = "detector"
    pairs: str = Field(
        "{root}/DUTS-TR",
        description="folder with `<name>-Image/*.jpg` and `<name>-Mask/*.png`, or drawn (draw_saliency)",
    )
    weights: str = Field("train", description="train (on `pairs`), or a .safetensors file that train_saliency made")
    decoder_width: Width = Field(256, description="most channels of a level of the decoder")
    resize_long: Sides | None = (320, 384)
    crop: Crop = 384
    epochs: Count = 24
    batch_size: BatchSize = 8
    learning_rate: LearningRate = 5e-3


class UnsupervisedSaliency(Settings):
    """What stands out among the patches by their features, from no label: TokenCut or LOST; maps of 0 and 255."""

    needs: ClassVar[tuple[str, ...]] = ("features",)
    method: Literal["unsupervised"] = "unsupervised"
    features: FeaturesChoice = Field("keys", description="choice of features that patches are compared by")
    algorithm: Literal["tokencut", "lost"] = Field(
        "tokencut", description="normalised cut of the graph of patches, or expansion of the least like patch"
    )
    tau: float = Field(0.2, ge=-1, lt=1, description="TokenCut: patches of a cosine above it are linked")
    least_similar: Count = Field(100, description="LOST: patches of lowest degree that may help the seed")
    connected: bool = Field(True, description="keep only the connected part that holds the seed, as the papers do")
    crf: CrfPreset = Field("none", description="dense CRF on the map as two labels, to bring patches to pixels")


class U2NetSaliency(Settings):
    """U²-Net, trained by its authors on photographs with saliency masks (DUTS) of objects of any kind."""

    method: Literal["u2net"] = "u2net"
    weights: str = Field(
        "u2net", description="u2net, u2netp (the small one), or a .pth, .onnx or .safetensors file of either"
    )
    side: Annotated[int, Field(ge=32, le=4096)] = Field(
        320, description="px: the network sees the image as a square of this side, whatever its shape"
    )


def source(settings: Mapping[str, Any]) -> tuple[str, str]:
    """What saliency maps are made from and where that lies, as (kind, place), from all settings of their choice.

    Kinds: maps (place: a folder), weights (a file), pairs (a folder, or `drawn`), features (the name of a choice, or
    nothing, if a method looks at the images alone). The settings tell, not the method's name, so that one can be added.
    """
    if "folder" in settings:
        return "maps", settings["folder"]
    if "pairs" not in settings and "weights" in settings:
        return "weights", settings["weights"]
    if "pairs" not in settings:
        return "features", settings.get("features", "")
    trained = settings["weights"] == "train"
    return ("pairs", settings["pairs"]) if trained else ("weights", settings["weights"])


def missing_source(settings: Mapping[str, Any]) -> str | None:
    """What to say of a file or folder of the user's that saliency maps are made from and that does not exist."""
    kind, place = source(settings)
    if kind == "features" or place in ("drawn", COLUMN) or Path(place).exists():
        return None
    return f"no such {'file' if kind == 'weights' else 'folder'} of {kind}: {place}"
