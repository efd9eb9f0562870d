"""What the dissertation (Kim, 2022) states about its two setups, and where our configurations differ.

`test_dissertation.py` compares with configs/dissertation_ch2.yaml and configs/dissertation_ch3.yaml. A number in
brackets is a reference from which the dissertation takes a value: [6] DeepLab-v2, [47] PoolNet, [49] the dense
CRF, [74] IRN.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """One value: `says` in the dissertation at `where`; `here` and `reason` if ours differs.

    `says` is in words where the dissertation gives no value of the setting. key: slot.method.setting; those in round
    brackets are computed by the test. recipe: the one that the row applies to, if not all.
    """

    chapter: int
    key: str
    says: Any
    where: str
    here: Any = None
    reason: str = ""
    recipe: str | None = None

    @property
    def departs(self) -> bool:
        """Whether our value differs, which needs a reason."""
        return bool(self.reason)

    @property
    def ours(self) -> Any:
        """The value that the configuration must have."""
        return self.here if self.departs else self.says


MEAN = [0.485, 0.456, 0.406]
JITTER = [0.3, 0.3, 0.3, 0.1]
COLOURS = "brightness, contrast, saturation and hue, at random"
STRENGTHS = "the strengths are not stated; those of AffinityNet's public code"
SET_OF_SCALES = [0.5, 0.75, 1.0, 1.25, 1.5]
READ_AS_SET = "2.4.3 calls 0.5 to 1.5 in steps of 0.25 the scales of the augmentation"
CRF_OF_DEEPLAB = "the parameters are not stated; those of the public code of DeepLab-v2 [6], the network that is used"
OWN_MEAN = "the mean that the initial weights were trained with; images less this mean are 0 where they are erased"


def sgd(chapter: int, method: str, where: str, **values: Any) -> list[Row]:
    """Rows of the optimisation settings that sections 2.4.1 and 3.4.1 share, and the caller's own."""
    common = {
        "learning_rate": 1e-3,
        "head_multiplier": 10.0,
        "momentum": 0.9,
        "weight_decay": 5e-4,
        "batch_size": 20,
        "power": 0.9,
        "flip": True,
    }
    rows = [Row(chapter, f"{method}.{key}", value, where) for key, value in (common | values).items()]
    return [*rows, Row(chapter, f"{method}.jitter", COLOURS, where, JITTER, STRENGTHS)]


CHAPTER_2 = [
    # the classifier, 2.3.1
    *sgd(2, "classifier.mdc", "2.4.1", epochs=50, crop=321, warmup_epochs=0.0),
    Row(2, "classifier.mdc.backbone.net", "vgg16", "2.4.1"),
    Row(2, "classifier.mdc.backbone.weights", "imagenet", "2.4.1"),
    Row(2, "classifier.mdc.backbone.mean", "RGB mean of the training images", "eq. 2.9", MEAN, OWN_MEAN),
    Row(2, "classifier.mdc.scale_set", SET_OF_SCALES, "2.4.3"),
    Row(2, "classifier.mdc.resize_scale", "from 0.5 to 1.5", "2.4.1", None, READ_AS_SET),
    # the text speaks of three blocks, lists eight rates, and D1 of Table 2.7 has eight
    Row(2, "classifier.mdc.dilations", [3, 6, 9, 12, 15, 18, 21, 24], "2.4.1, D1 of Table 2.7"),
    Row(2, "classifier.mdc.widths", [1024, 1024], "2.4.1"),
    Row(2, "classifier.mdc.init", "normal", "2.4.1"),
    Row(2, "classifier.mdc.lambda_cls", 0.1, "2.4.1, eq. 2.3"),
    # the saliency maps, 2.3.2
    Row(2, "cams.cam.scales", [0.5, 0.75, 1.0], "2.4.3, S4 of Table 2.6"),  # S7 (0.5, 1 and 1.5) is as good
    Row(2, "cams.cam.merge", "max", "eq. 2.4"),
    Row(2, "cams.cam.flip", False, "eq. 2.4"),
    Row(2, "cams.cam.resolution", "full", "eq. 2.4"),
    Row(
        chapter=2,
        key="seeds.saliency.saliency",
        says="PoolNet [47]",
        where="2.4.1",
        here="detector",
        reason="a network in the form of PoolNet that the workflow trains itself, not the authors' weights",
    ),
    Row(
        chapter=2,
        key="saliency.detector.(levels of the decoder)",
        says=5,
        where="2.4.1: PoolNet [47]",
        here=4,
        reason="one level for each stage of the backbone; the authors decode at the stride of the stem as well",
    ),
    Row(2, "seeds.saliency.refine", True, "eq. 2.6"),
    Row(2, "seeds.saliency.tau_1", 0.8, "2.4.1, eq. 2.6"),
    Row(2, "seeds.saliency.tau_2", 0.3, "2.4.1, eq. 2.6"),
    Row(2, "seeds.saliency.uncertain", "unlabelled", "eq. 2.6, row 3 of Table 2.5"),
    # the segmentation network, 2.3.3
    *sgd(2, "segmenter.masking", "2.4.1", epochs=30, crop=321, warmup_epochs=0.0),
    Row(2, "segmenter.masking.(highest learning rate)", 1e-3, "2.4.1"),
    Row(2, "segmenter.masking.backbone.net", "vgg16", "2.4.1, Table 2.1", recipe="vgg16"),
    Row(2, "segmenter.masking.backbone.net", "resnet101", "2.4.1, Table 2.2", recipe="resnet101"),
    *(
        Row(
            chapter=2,
            key="segmenter.masking.backbone.weights",
            says="pre-trained on MS-COCO",
            where="2.4.1",
            here=f"{{root}}/weights/{net}_coco.pth",
            reason="no such weights can be downloaded by name, so that the user gives a file",
            recipe=net,
        )
        for net in ("vgg16", "resnet101")
    ),
    Row(2, "segmenter.masking.backbone.supervision", "MS-COCO", "2.4.1"),
    Row(2, "segmenter.masking.backbone.mean", "RGB mean of the training images", "eq. 2.9", MEAN, OWN_MEAN),
    Row(2, "segmenter.masking.frozen_batch_norm", "all", "2.4.1"),  # of ResNet-101; VGG16 has none
    Row(2, "segmenter.masking.head", "v2", "2.4.1: DeepLab-ASPP [6]"),
    Row(2, "segmenter.masking.output_stride", 8, "2.4.1: DeepLab-ASPP [6]"),
    Row(2, "segmenter.masking.aspp_rates", [6, 12, 18, 24], "2.4.1: DeepLab-ASPP [6]"),
    Row(2, "segmenter.masking.train_scales", [1.0, 0.75, 0.5], "2.4.1"),
    Row(2, "segmenter.masking.scale_set", SET_OF_SCALES, "2.4.3"),
    Row(2, "segmenter.masking.resize_scale", "from 0.5 to 1.5", "2.4.1", None, READ_AS_SET),
    Row(2, "segmenter.masking.lambda_seg", 2.0, "2.4.1, eq. 2.12"),
    Row(2, "segmenter.masking.paths", 2, "A6 of Table 2.3", recipe="vgg16"),
    Row(2, "segmenter.masking.paths", 3, "B5 of Table 2.3", recipe="resnet101"),
    Row(2, "predict.scales", [1.0, 0.75, 0.5], "2.4.1"),
    Row(2, "predict.crf", "default parameters [49]", "2.4.1", "deeplab", CRF_OF_DEEPLAB),
]

IRN = "3.4.2: the same classification network as [74]"
CHAPTER_3 = [
    # the classifier, 3.3.2
    Row(3, "classifier.plain.backbone.net", "resnet50", "3.4.1"),
    Row(3, "classifier.plain.backbone.weights", "imagenet", "3.4.1"),
    Row(3, "classifier.plain.output_stride", 16, IRN),
    Row(3, "classifier.plain.frozen_stages", 2, IRN),
    Row(3, "classifier.plain.frozen_batch_norm", "statistics", IRN),
    Row(3, "classifier.plain.dilated", False, IRN),
    Row(3, "classifier.plain.resize_long", [320, 640], IRN),
    Row(3, "classifier.plain.resize_scale", None, IRN),
    Row(3, "classifier.plain.scale_set", None, IRN),
    Row(3, "classifier.plain.crop", 512, IRN),
    Row(3, "classifier.plain.flip", True, IRN),
    Row(3, "classifier.plain.jitter", [0.0, 0.0, 0.0, 0.0], IRN),
    Row(3, "classifier.plain.epochs", 5, IRN),
    Row(3, "classifier.plain.batch_size", 16, IRN),
    Row(3, "classifier.plain.learning_rate", 0.1, IRN),
    Row(3, "classifier.plain.head_multiplier", 10.0, IRN),
    Row(3, "classifier.plain.momentum", 0.9, IRN),
    Row(3, "classifier.plain.weight_decay", 1e-4, IRN),
    Row(3, "classifier.plain.power", 0.9, IRN),
    Row(3, "classifier.plain.warmup_epochs", 0.0, IRN),
    # the superpixels, 3.3.1
    Row(3, "features.keys.vit", "vit_base_patch8_224", "3.4.1"),
    Row(3, "features.keys.weights", "dino", "3.4.1"),
    Row(3, "features.keys.centre", False, "Table 3.1"),
    Row(3, "superpixels.dino.features", "keys", "3.3.1, 3.4.1"),
    Row(3, "superpixels.dino.tau", 0.3, "3.4.1"),
    Row(3, "superpixels.dino.order", "lowest", "3.3.1, Table 3.1"),
    Row(
        chapter=3,
        key="superpixels.dino.crf",
        says="CRF [49] on the superpixels",
        where="3.4.1",
        here="superpixel",
        reason="the parameters are not stated; those of the public code that goes with the chapter",
    ),
    Row(3, "evaluate_superpixels.boundary_tolerance", 2.0, "eqs. 3.10, 3.11"),
    Row(3, "evaluate_superpixels.boundary", "opencv", "the text to Table 3.5: contours by OpenCV"),
    # the seeds, 3.3.2
    Row(3, "seeds.superpixel.alpha", 0.5, "3.4.1, eq. 3.4"),
    # the segmentation network, 3.3.3
    *sgd(3, "segmenter.spsrg", "3.4.1", epochs=15, crop=448, warmup_epochs=3.0, warmup_from=1e-6),
    Row(
        chapter=3,
        key="segmenter.spsrg.(highest learning rate)",
        says=1e-3,
        where="3.4.1",
        here=8.18e-4,
        reason="the warm-up is multiplied into the polynomial, so that the curve has no jump: 0.001 (1 - 3/15)^0.9",
    ),
    Row(3, "segmenter.spsrg.backbone.net", "resnet101", "3.4.1"),
    Row(3, "segmenter.spsrg.backbone.weights", "imagenet", "3.4.1"),
    Row(3, "segmenter.spsrg.frozen_batch_norm", "all", "3.4.1"),
    Row(3, "segmenter.spsrg.head", "v2", "3.4.1: DeepLab-ASPP [6]"),
    Row(3, "segmenter.spsrg.output_stride", 8, "3.4.1: DeepLab-ASPP [6]"),
    Row(3, "segmenter.spsrg.aspp_rates", [6, 12, 18, 24], "3.4.1: DeepLab-ASPP [6]"),
    Row(3, "segmenter.spsrg.train_scales", [1.0, 0.75, 0.5], "3.4.1"),
    Row(3, "segmenter.spsrg.scale_set", [0.5, 1.0, 1.5], "3.4.1"),
    Row(3, "segmenter.spsrg.resize_scale", None, "3.4.1"),
    Row(3, "segmenter.spsrg.beta_bg", 0.7, "3.4.1, Table 3.8"),
    Row(3, "segmenter.spsrg.beta_fg", 0.7, "3.4.1, Table 3.8"),
    Row(3, "predict.scales", [1.0, 0.75, 0.5], "3.4.1"),
    Row(3, "predict.crf", "CRF [49] on the softmax output", "3.4.1", "deeplab", CRF_OF_DEEPLAB),
]

ROWS = [*CHAPTER_2, *CHAPTER_3]

# Settings that the dissertation does not mention, by chapter and choice: they keep their defaults.
MACHINE = ["seed", "compute_precision", "channels_last"]
INPUT = ["backbone.mean", "backbone.std", "backbone.options", "backbone.supervision"]
V3PLUS = ["low_level_width", "decoder_width"]  # of a head that it does not have
EVALUATE = ["pred_ignore", "absent", "thresholds", "bootstrap", "seed"]
NOT_SAID: dict[int, dict[str, list[str]]] = {
    2: {
        "classifier.mdc": [
            *MACHINE,
            *INPUT[1:],
            *["output_stride", "dilated", "frozen_stages", "frozen_batch_norm", "resize_long"],
            *["warmup_from", "init_std", "detach_target"],
        ],
        # the dissertation does not say how PoolNet was trained
        "saliency.detector": [
            *MACHINE,
            *INPUT,
            *["backbone.net", "backbone.weights", "output_stride", "dilated", "frozen_stages", "frozen_batch_norm"],
            *["resize_long", "resize_scale", "scale_set", "crop", "flip", "jitter", "epochs", "batch_size"],
            *["learning_rate", "head_multiplier", "momentum", "weight_decay", "power", "warmup_epochs", "warmup_from"],
            *["pairs", "weights", "decoder_width"],
        ],
        "seeds.saliency": ["binarise"],
        "segmenter.masking": [
            *MACHINE,
            *["backbone.std", "backbone.options", "dilated", "frozen_stages", "resize_long", "warmup_from"],
            *V3PLUS,
        ],
        "predict": ["flip", "merge", "crf_labels"],
        "evaluate": EVALUATE,
    },
    3: {
        "classifier.plain": [*MACHINE, *INPUT, "warmup_from", "legacy_irn_momentum"],
        "cams.cam": ["scales", "flip", "merge", "resolution"],  # eq. 3.3 is for one image; these are IRN's
        "features.keys": ["input_mode", "image_scale"],
        "seeds.superpixel": ["bg_conflict"],
        "segmenter.spsrg": [
            *["dilated", *MACHINE, *INPUT, "frozen_stages", "resize_long", "restrict_to_present"],
            *V3PLUS,
        ],
        "predict": ["flip", "merge", "crf_labels"],
        "evaluate": EVALUATE,
        "evaluate_superpixels": ["void"],
    },
}
