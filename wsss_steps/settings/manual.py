"""What docs/settings.md says beside the settings themselves: how to write them, and what those that matter most do.

Which way a number moves a result is checked in `tests/test_effects.py` for methods that are pure functions of their
input; the rest follows from the formulas of docs/methods.md and what docs/results.md reports.
"""

from __future__ import annotations

from typing import NamedTuple


class Effect(NamedTuple):
    """What one sees when a setting is larger (or true) and smaller (or false)."""

    place: str
    """The section of the manual, such as `seeds.threshold`, or the name of a block that methods share."""
    key: str
    larger: str
    smaller: str


TRAININGS = "trainings"

INTRODUCTION = """\
# Settings

Made by `python -m wsss_steps settings`; a test keeps it true.

Only what differs from a default needs to be written: in the table of a step, in that of a method, or behind the name
of the method in one recipe.

```yaml
predict: {flip: true}                            # a step
seeds: {threshold: {foreground: 0.4}}            # a method, wherever a recipe names it
recipes:
  a: {seeds: threshold}                          # 0.4
  b: {seeds: threshold~foreground=0.2}           # 0.2, in this recipe alone
  c: {seeds: "threshold~foreground=[0.2,0.3]"}   # two recipes
```

A key that does not exist and a value that is not allowed are refused before the first job, all that are wrong at once.
"px" are pixels of the image, unless something else is said; activations lie between 0 and 1.
"""
CHOICES = """
`none` is a choice in every slot that nothing else in the recipe needs, and `segmenter: own` the network of a classifier
that segments. Some settings are choices themselves, with overrides in brackets: `dino~features=(keys~centre=true)`.
"""
PREAMBLE = """\
What one sees in maps, seeds and label maps: rules of thumb. What was measured, and on what, is in
[results.md](results.md).
"""
EFFECTS = (
    Effect(
        "cams.cam",
        "scales",
        "finer maps that keep to parts of an object, such as the head",
        "coarse blobs over the whole object and some of what surrounds it; small objects merge",
    ),
    Effect(
        "seeds.threshold",
        "foreground",
        "class seeds shrink to the surest parts: fewer wrong pixels, more without a label",
        "class seeds spill over the outline onto the background",
    ),
    Effect(
        "seeds.threshold",
        "background",
        "background seeds come close to the objects, and at last cover faint parts such as legs and tails",
        "little background is labelled: the network learns objects that are too large",
    ),
    Effect(
        "seeds.superpixel",
        "alpha",
        "class seeds shrink, as with `foreground` of `threshold`",
        "class seeds spill over",
    ),
    Effect(
        "seeds.crf",
        "background_power",
        "the background gets weaker: objects grow, and fill the image if it is far too large",
        "objects shrink to the peak of their maps; small and faint ones vanish",
    ),
    Effect(
        "seeds.saliency",
        "tau_1",
        "only what the saliency map shows is an object, and what it missed is lost",
        "parts that saliency missed come in, and with them what the maps cover beside the object",
    ),
    Effect(
        "seeds.saliency",
        "tau_2",
        "more of what is salient is doubted: things of no class go, and so do faint parts of objects",
        "everything salient gets a class, whatever it is",
    ),
    Effect(
        "superpixels.dino",
        "tau",
        "many small superpixels: an object is in pieces",
        "few large ones, in which an object and its surroundings are one",
    ),
    Effect(
        "refiner.pamr",
        "iterations",
        "maps creep further along like colours: they fill objects, and leak where the background has their colour",
        "maps stay blobs that ignore edges",
    ),
    Effect(
        "refiner.random_walk",
        "log_t",
        "maps spread further, over whole regions, and lose their peaks",
        "maps stay what they were",
    ),
    Effect(
        "segmenter.spsrg",
        "beta_fg",
        "classes grow over few superpixels: objects keep the gaps of their seeds",
        "whole superpixels join early: objects fill up, and take in superpixels beside them",
    ),
    Effect(
        "segmenter.spsrg",
        "beta_bg",
        "background grows late: much stays without a label, and objects come out large",
        "background swallows parts of objects, small objects whole",
    ),
    Effect(
        "segmenter.masking",
        "lambda_seg",
        "the foreground spreads around objects; far too large, and the training diverges",
        "outlines are those of the saliency maps, and a wrong class stays wrong",
    ),
    Effect(
        "segmenter.plain",
        "balanced",
        "the classes count as much as the background: small objects stay, outlines are a little wide",
        "the background, most of the pixels, decides: objects are tight, small ones vanish",
    ),
    Effect(
        TRAININGS,
        "epochs",
        "networks copy the errors of their labels, and a classifier's maps shrink to what tells classes apart",
        "pale maps without contrast; rare classes are missing",
    ),
    Effect(
        TRAININGS,
        "learning_rate",
        "one class or the background everywhere, and a loss that jumps or is not finite",
        "the loss hardly falls: maps and labels look as after too few epochs",
    ),
    Effect(
        TRAININGS,
        "output_stride",
        "blobs: thin parts and small objects are lost (and training is faster)",
        "finer outlines (at a multiple of time and memory)",
    ),
    Effect(
        TRAININGS,
        "crop",
        "objects are seen whole, with what surrounds them",
        "a crop often misses the tagged object, and the classifier lights up on what goes with it: grass, rails, water",
    ),
    Effect(
        "predict",
        "scales",
        "thin and small things appear; large objects get holes",
        "large objects are whole and smooth; small ones vanish",
    ),
    Effect(
        "predict",
        "crf",
        "with a preset: outlines follow edges of colour; thin parts, and objects coloured as the ground, may vanish",
        "`none`: smooth outlines of the network's grid, a little beside the edges",
    ),
)
