"""`cls_labels.npy`: the tags of all images as many public repositories pass them on, a pickled dict of vectors.

A pickle that asks for anything but arrays is refused before anything has run (`unpickling`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsss_steps.errors import UserError
from wsss_steps.formats.unpickling import content_of


def read_label_vectors(path: Path) -> dict[str, NDArray[np.bool_]]:
    """Image id -> which classes it shows (C,), from a `.npy` file with a dict of vectors of 0 and 1.

    Ids that are numbers, as IRN's 2007000032, become VOC's, 2007_000032. A UserError for a missing or damaged file,
    another content, and a pickle that asks for anything but arrays.
    """
    try:
        content = content_of(path.read_bytes())
    except FileNotFoundError:
        raise UserError(f"{path}: no such table of tags") from None
    except UserError as error:
        raise UserError(f"{path}: expected a dict of arrays, found {error}") from None
    except Exception as error:  # a damaged pickle may bring about anything
        raise UserError(
            f"{path}: expected a NumPy file with a dict of arrays ({type(error).__name__}: {error})"
        ) from None
    if not isinstance(content, dict) or not content:
        raise UserError(f"{path}: expected a dict of arrays, image id -> (C,), found {type(content).__name__}")
    return {_image_id(name): _vector(path, name, value) for name, value in content.items()}


def _image_id(name: Any) -> str:
    """An image id as it stands in lists."""
    text = str(name)
    return f"{text[:4]}_{text[4:]}" if isinstance(name, int | np.integer) and len(text) == 10 else text


def _vector(path: Path, name: Any, value: Any) -> NDArray[np.bool_]:
    """One vector, if it is one of 0 and 1."""
    vector = np.asarray(value)
    if vector.dtype == object or vector.ndim != 1 or not np.isin(vector, (0, 1)).all():
        raise UserError(f"{path}: '{name}': expected a vector of 0 and 1, found {str(value)[:80]}")
    return vector.astype(bool)
