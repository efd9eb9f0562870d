"""Known data sets as their archives unpack: `archives/<format>.py` reads one, and nothing else registers it.

Each has CLASSES, the names of the values 1..K of its label images, FIXED, the keys of `Prepare` that it decides, and
these functions, whose keyword arguments are settings (`workflow/conversion.py`); paths are relative to the folder
`root` of the data set or absolute:

- `problems(root)`: what is missing of it, found without opening images;
- `places(root)`: where its images and lists lie, as settings of `Prepare`;
- `listed(root)`: the image ids of a split as far as lists tell, None if all images of the split's folder may be of it;
- `sources_of_tags(root)`, `sources_of_masks(root)`: the files that tags and label images are made of;
- `read_tags(root)`: ids and tags of a split, and notes;
- `label_images(root, ids)`: for each id a call that makes its label image, to be made in any process;
- `description()`: what the label images are, beside a score.
"""

from __future__ import annotations

import importlib
from types import ModuleType

Tags = dict[str, tuple[str, ...]]  # image id -> names of its classes


def load(name: str) -> ModuleType:
    """The module that reads a format."""
    return importlib.import_module(f"{__name__}.{name}")
