"""Typed settings of every room and method: the only place where a default is written. Free of torch.

`config.yaml` gives departures from these defaults; unknown keys are refused. A method's settings are one flat class;
its functions take by name what they need (`methods.arguments`), so a setting that nobody reads is an error of the
tests.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Rgb = tuple[float, float, float]
CrfPreset = Literal["none", "deeplab", "probability", "label", "superpixel", "mctformer", "seam", "toco", "puzzle"]

IMAGENET_MEAN: Rgb = (0.485, 0.456, 0.406)
IMAGENET_STD: Rgb = (0.229, 0.224, 0.225)


class Settings(BaseModel):
    """Frozen, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)
    needs_superpixels: ClassVar[bool] = False


class Backbone(Settings):
    """A named entry of the table `backbones`: a convolutional network, its initial weights and the input it expects."""

    net: str = Field(description="small, resnet50, resnet101, vgg16 (torchvision), or timm:<name>")
    weights: str = Field(
        "none", description="none (random), imagenet (download by torchvision or timm), or a .safetensors or .pth file"
    )
    mean: Rgb = Field(IMAGENET_MEAN, description="subtracted from RGB / 255")
    std: Rgb = Field(IMAGENET_STD, description="RGB / 255 - mean is divided by it")
    options: dict[str, int | float | str | bool] = Field({}, description="further arguments of timm.create_model")


class Augmentation(Settings):
    """Random changes of a training image."""

    resize_long: tuple[Count, Count] | None = Field(
        None, description="length of the long side drawn from this range, px"
    )
    resize_scale: tuple[Positive, Positive] | None = Field(None, description="scale drawn from this range")
    crop: Count = Field(
        448, description="side of the random square crop, px; smaller images are padded with the mean colour"
    )
    flip: bool = Field(True, description="mirror half of the images left to right")
    jitter: tuple[float, float, float, float] = Field(
        (0.0, 0.0, 0.0, 0.0), description="brightness, contrast, saturation, hue"
    )


class Optimisation(Settings):
    """Stochastic gradient descent with a polynomial schedule."""

    epochs: Count = Field(15, description="passes over the training images")
    batch_size: Count = Field(20, description="images in one step")
    learning_rate: Positive = Field(1e-3, description="of the backbone, at the start of the schedule")
    head_multiplier: Positive = Field(10.0, description="learning rate of new layers over that of the backbone")
    momentum: Fraction = Field(0.9, description="of the gradient descent")
    weight_decay: float = Field(5e-4, ge=0, description="pull of the weights to zero")
    power: Positive = Field(0.9, description="exponent of the polynomial schedule")
    warmup_epochs: float = Field(0.0, ge=0, description="epochs of linear warm-up, multiplied into the schedule")
    warmup_from: Positive = Field(1e-6, description="learning rate at the start of the warm-up")
    seed: int = Field(0, description="of weights, sampling and augmentation")


class Network(Settings):
    """A backbone and what of it is trained."""

    backbone: str | Backbone = Field(
        "resnet50", description="small, resnet50, resnet101, vgg16, or a name in `backbones`"
    )
    output_stride: Literal[4, 8, 16, 32] = Field(16, description="image px per position of the last feature map")
    frozen_stages: int = Field(
        0, ge=0, description="stages kept as loaded, counted from the input; the stem is part of the first"
    )
    frozen_batch_norm: bool = Field(
        True, description="keep the statistics and weights of batch normalisation as loaded"
    )


class PlainClassifier(Network, Augmentation, Optimisation):
    """Multi-label classifier, eq. 3.2, as in IRN."""

    method: Literal["plain"] = "plain"
    frozen_stages: int = Field(2, ge=0)
    resize_long: tuple[Count, Count] | None = (320, 640)
    crop: Count = 512
    epochs: Count = 5
    batch_size: Count = 16
    learning_rate: Positive = 0.1
    weight_decay: float = Field(1e-4, ge=0)
    legacy_irn_momentum: bool = Field(
        False, description="replicate public IRN code, which passes the weight decay as the momentum"
    )


class Cam(Settings):
    """Multi-scale and flip class activation maps of the present classes."""

    method: Literal["cam"] = "cam"
    scales: tuple[Positive, ...] = Field(
        (1.0, 0.5, 1.5, 2.0), min_length=1, description="sizes at which the image is read"
    )
    flip: bool = Field(True, description="read the mirrored image too")
    resolution: Literal["full", "strided"] = Field("full", description="image size, or ((H-1)//4+1, (W-1)//4+1)")


class KeyFeatures(Settings):
    """Keys of the last block of a vision transformer trained with DINO."""

    method: Literal["keys"] = "keys"
    vit: str = Field(
        "vit_base_patch8_224",
        description="vit_base_patch8_224, vit_small_patch8_224, the same with patch16, or own (its file tells)",
    )
    weights: str = Field(
        "dino", description="dino (download), pretrain_keys (trained on this data set), or a .safetensors or .pth file"
    )
    input_mode: Literal["pad", "resize"] = Field(
        "pad", description="zero padding to whole patches, or bicubic resize to them"
    )
    image_scale: Positive = Field(1.0, description="factor on the image size before the network reads it")
    centre: bool = Field(
        False, description="take the image's mean key off, which no attention sees; the dissertation does not"
    )

    @model_validator(mode="after")
    def _own_weights_of_own_network(self) -> KeyFeatures:
        if self.weights == "pretrain_keys" and self.vit != "own":
            raise ValueError(f"weights: pretrain_keys makes a network of its own: expected vit: own, found {self.vit}")
        return self


class BackboneFeatures(Settings):
    """Last feature map of a convolutional network."""

    method: Literal["backbone"] = "backbone"
    backbone: str | Backbone = Field(
        "resnet50", description="small, resnet50, resnet101, vgg16, or a name in `backbones`"
    )
    output_stride: Literal[4, 8, 16, 32] = Field(16, description="image px per position of the feature map")
    image_scale: Positive = Field(1.0, description="factor on the image size before the network reads it")
    centre: bool = Field(
        True, description="take the image's mean vector off, so that cosines after a ReLU can be negative"
    )


class RgbFeatures(Settings):
    """Mean colour of square cells."""

    method: Literal["rgb"] = "rgb"
    cell: Count = Field(8, description="side of a cell, px")


class DinoSuperpixels(Settings):
    """Superpixels discovered from features, Table 3.1."""

    method: Literal["dino"] = "dino"
    features: Literal["keys", "backbone", "rgb"] = Field("keys", description="what patches are compared by")
    tau: float = Field(0.3, gt=-1, description="cosine similarity with the seed patch above which a patch joins")
    order: Literal["lowest", "highest"] = Field("lowest", description="degree of the patch that is the next seed")
    crf: CrfPreset = Field("none", description="dense CRF on the superpixels as labels")


class SlicSuperpixels(Settings):
    """SLIC of scikit-image in CIELAB."""

    method: Literal["slic"] = "slic"
    count: Count = Field(30, description="superpixels asked for")
    compactness: Positive = Field(10.0, description="weight of nearness against likeness of colour")


class NoSuperpixels(Settings):
    """For recipes without superpixels."""

    method: Literal["none"] = "none"


class ThresholdSeeds(Settings):
    """Seeds from two thresholds on the maps, eqs. 1.12 and 1.13."""

    method: Literal["threshold"] = "threshold"
    foreground: Fraction = Field(0.30, description="tau_2: a pixel above it takes its strongest class")
    background: Fraction = Field(0.05, description="tau_3: a pixel below it is background")

    @model_validator(mode="after")
    def _ordered(self) -> ThresholdSeeds:
        if self.background > self.foreground:
            raise ValueError(
                f"background threshold {self.background} must not exceed foreground threshold {self.foreground}"
            )
        return self


class SuperpixelSeeds(Settings):
    """Seeds from one threshold and the superpixel least like any class, eqs. 3.3 to 3.5."""

    needs_superpixels: ClassVar[bool] = True
    method: Literal["superpixel"] = "superpixel"
    alpha: Fraction = Field(0.5, description="a pixel above it takes its strongest class")
    bg_conflict: Literal["override", "keep_fg"] = Field(
        "override", description="whether the background superpixel overrides class seeds"
    )


class DeepLab(Network, Augmentation, Optimisation):
    """What every trained DeepLab-v2 has in common."""

    backbone: str | Backbone = "resnet101"
    output_stride: Literal[4, 8, 16, 32] = 8
    aspp_rates: tuple[Count, ...] = Field(
        (6, 12, 18, 24), min_length=1, description="dilations of the parallel convolutions of the head"
    )
    train_scales: tuple[Positive, ...] = Field(
        (1.0, 0.75, 0.5), min_length=1, description="sizes at which the loss is summed"
    )
    resize_scale: tuple[Positive, Positive] | None = (0.5, 1.5)
    jitter: tuple[float, float, float, float] = (0.3, 0.3, 0.3, 0.1)
    warmup_epochs: float = Field(3.0, ge=0)


class PlainSegmenter(DeepLab):
    """DeepLab-v2 trained with cross-entropy on seeds."""

    method: Literal["plain"] = "plain"
    balanced: bool = Field(
        False, description="mean over background pixels plus mean over class pixels, instead of over all"
    )


class SpsrgSegmenter(DeepLab):
    """DeepLab-v2 with superpixel-guided seeded region growing, eqs. 3.6 to 3.8."""

    needs_superpixels: ClassVar[bool] = True
    method: Literal["spsrg"] = "spsrg"
    beta_bg: Fraction = Field(0.7, description="mean probability above which a superpixel becomes background")
    beta_fg: Fraction = Field(0.7, description="mean probability above which a superpixel becomes its class")
    restrict_to_present: bool = Field(True, description="only tagged classes and background can grow")


class MakeExample(Settings):
    """The embedded data set."""

    train: Count = Field(400, description="training images")
    val: Count = Field(100, description="validation images")
    size: int = Field(128, ge=64, description="nominal side of an image, px")
    seed: int = Field(0, description="of everything that is drawn")


class Prepare(Settings):
    """A data set in PASCAL VOC layout, below its root folder. All paths are relative to the root."""

    dataset: str = Field(pattern=r"^\w[\w.-]*$", description="name of the data set, and of the folder of its results")
    classes: tuple[str, ...] = Field(
        min_length=1, max_length=254, description="names of the classes 1..C, in this order"
    )
    mask_classes: tuple[str, ...] = Field(
        (), max_length=254, description="names of the values 1..K in label images; empty: as `classes`"
    )
    other_classes: Literal["background", "ignore"] = Field(
        "background", description="what values of unlisted classes become"
    )
    train_list: str = Field("ImageSets/Segmentation/train.txt", description="ids of the training images, one a line")
    val_list: str = Field("ImageSets/Segmentation/val.txt", description="ids of the validation images, one a line")
    image_folder: str = Field("JPEGImages", description="images, <id>.jpg")
    mask_folder: str | None = Field(
        "SegmentationClass", description="label images, for evaluation alone; null if there are none"
    )
    annotation_folder: str = Field("Annotations", description="VOC XML files, whose objects give an image its tags")
    tags_csv: str | None = Field(
        None, description="table with columns id, tags and perhaps split, instead of the XML files"
    )
    allow_untagged: bool = Field(False, description="whether an image may show no class at all")

    @model_validator(mode="after")
    def _named_once(self) -> Prepare:
        for field in ("classes", "mask_classes"):
            names = getattr(self, field)
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice or "background" in names or "" in names:
                raise ValueError(
                    f"{field}: expected each class once, without 'background', found {twice or list(names)}"
                )
        unknown = sorted(set(self.classes) - set(self.mask_classes or self.classes))
        if unknown:
            raise ValueError(f"classes {unknown} are not among mask_classes {list(self.mask_classes)}")
        return self


class PretrainKeys(Settings):
    """Self-supervised DINO training of a small vision transformer on the data set's own images."""

    patch: Count = Field(8, description="side of a patch, px")
    width: Count = Field(96, description="length of a token; a multiple of heads")
    depth: Count = Field(4, description="blocks")
    heads: Count = Field(3, description="of the attention")
    stem: Literal["patch", "convolution"] = Field(
        "convolution", description="how an image becomes patches: a linear map of each, or a few convolutions"
    )
    epochs: Count = Field(10, description="passes over the images")
    batch_size: Count = Field(16, ge=2, description="images per step")
    window: tuple[Fraction, Fraction] = Field(
        (0.5, 1.0), description="share of an image that all its views in a step are taken from"
    )
    global_crop: Count = Field(96, description="side of the two views that the teacher sees, px; a multiple of patch")
    global_area: tuple[Fraction, Fraction] = Field((0.4, 1.0), description="share of the window in a global view")
    local_crop: Count = Field(48, description="side of the small views, px; a multiple of patch")
    local_area: tuple[Fraction, Fraction] = Field((0.1, 0.4), description="share of the window in a small view")
    local_crops: int = Field(2, ge=0, description="number of small views")
    jitter: tuple[float, float, float, float] = Field(
        (0.4, 0.4, 0.4, 0.25), description="brightness, contrast, saturation, hue of the views"
    )
    grey: Fraction = Field(0.2, description="share of the views without colour")
    blurred: Fraction = Field(0.0, description="share of the global views that are blurred; half as many small ones")
    prototypes: Count = Field(128, description="outputs of the projection heads")
    patch_weight: float = Field(1.0, ge=0, description="of the loss between patches; 0 is DINO as published")
    learning_rate: Positive = Field(2e-3, description="at its highest, of AdamW")
    warmup: Fraction = Field(0.05, lt=1, description="share of the training in which the learning rate rises")
    weight_decay: float = Field(0.04, ge=0, description="at the start; it grows to 0.4")
    teacher_momentum: Fraction = Field(0.98, description="at the start; it grows to 1")
    student_temperature: Positive = Field(0.1, description="by which the student's scores are divided")
    teacher_temperature: Positive = Field(0.03, description="by which the teacher's scores are divided")
    mean: Rgb = Field(IMAGENET_MEAN, description="subtracted from RGB / 255")
    std: Rgb = Field(IMAGENET_STD, description="RGB / 255 - mean is divided by it")
    seed: int = Field(0, description="of weights, order and views")


class Predict(Settings):
    """Multi-scale scores and the dense CRF."""

    scales: tuple[Positive, ...] = Field((1.0, 0.75, 0.5), min_length=1, description="sizes at which the image is read")
    flip: bool = Field(False, description="read the mirrored image too")
    merge: Literal["max", "mean"] = Field("max", description="of the logits over the scales")
    crf: CrfPreset = Field("deeplab", description="preset of the dense CRF on the scores")


class Evaluate(Settings):
    """Mean intersection over union and its companions."""

    pred_ignore: Literal["count_as_wrong", "exclude"] = Field(
        "count_as_wrong", description="pixels predicted unlabelled"
    )
    absent: Literal["nan_skip", "zero"] = Field("nan_skip", description="classes in neither truth nor prediction")
    thresholds: tuple[Fraction, ...] = Field(
        tuple(round(0.05 * step, 2) for step in range(1, 17)),
        min_length=1,
        description="background thresholds tried on the class activation maps",
    )
    bootstrap: int = Field(1000, ge=0, description="resamplings for the 95 % interval")
    seed: int = Field(0, description="of the resamplings")


class EvaluateSuperpixels(Settings):
    """Undersegmentation error, achievable accuracy, boundary recall and precision of superpixels."""

    boundary_tolerance: Positive = Field(
        2.0, description="a boundary pixel is found if one of the other map lies nearer than this, px"
    )
    void: Literal["nearest", "exclude"] = Field(
        "nearest",
        description="boundaries at void: give void the nearest class, or leave out what is near void (in VOC: all)",
    )


METHODS: dict[str, tuple[type[Settings], ...]] = {
    "classifier": (PlainClassifier,),
    "cams": (Cam,),
    "features": (KeyFeatures, BackboneFeatures, RgbFeatures),
    "superpixels": (DinoSuperpixels, SlicSuperpixels, NoSuperpixels),
    "seeds": (ThresholdSeeds, SuperpixelSeeds),
    "segmenter": (PlainSegmenter, SpsrgSegmenter),
}
