"""Typed settings of every room and method: the only place where a default is written. Free of torch.

`config.yaml` gives departures from these defaults; unknown keys are refused. A method's settings are one flat class;
its functions take by name what they need (`methods.arguments`), so a setting that nobody reads is an error of the
tests.
"""

from wsss_steps.settings.base import Backbone, CrfPreset, Device, Settings, known_device
from wsss_steps.settings.masking import MaskingSegmenter, MdcClassifier, SaliencySeeds
from wsss_steps.settings.methods import (
    METHODS,
    BackboneFeatures,
    Cam,
    DinoSuperpixels,
    KeyFeatures,
    NoSuperpixels,
    PlainClassifier,
    PlainSegmenter,
    RgbFeatures,
    SlicSuperpixels,
    SpsrgSegmenter,
    SuperpixelSeeds,
    ThresholdSeeds,
)
from wsss_steps.settings.rooms import (
    Evaluate,
    EvaluateSuperpixels,
    MakeExample,
    MakeSaliencyExample,
    Predict,
    Prepare,
    PretrainKeys,
)
from wsss_steps.settings.saliency import DetectorSaliency, GivenSaliency, UnsupervisedSaliency, missing_source, source

__all__ = [
    "METHODS",
    "Backbone",
    "BackboneFeatures",
    "Cam",
    "CrfPreset",
    "DetectorSaliency",
    "Device",
    "DinoSuperpixels",
    "Evaluate",
    "EvaluateSuperpixels",
    "GivenSaliency",
    "KeyFeatures",
    "MakeExample",
    "MakeSaliencyExample",
    "MaskingSegmenter",
    "MdcClassifier",
    "NoSuperpixels",
    "PlainClassifier",
    "PlainSegmenter",
    "Predict",
    "Prepare",
    "PretrainKeys",
    "RgbFeatures",
    "SaliencySeeds",
    "Settings",
    "SlicSuperpixels",
    "SpsrgSegmenter",
    "SuperpixelSeeds",
    "ThresholdSeeds",
    "UnsupervisedSaliency",
    "known_device",
    "missing_source",
    "source",
]
