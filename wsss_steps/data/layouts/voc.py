"""PASCAL VOC's layout: lists of ids, `<images>/<id>.jpg`, tags in XML files or a table, masks `<masks>/<id>.png`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wsss_steps.data import sources

READER = "data.voc_reader"


def saliency_maps(root: Path, settings: Mapping[str, Any]) -> dict[str, str]:
    """None: they lie in a folder."""
    return {}


def of_images(root: Path, settings: Mapping[str, Any]) -> sources.Sources:
    """Images and tags of a split."""
    keys = ("list_file", "image_folder", "annotation_folder", "tags_csv", "tagged")
    return sources.of_images(root, **{key: settings[key] for key in keys}, watched=settings.get("watched", ""))


def of_masks(root: Path, settings: Mapping[str, Any]) -> sources.Sources:
    """Label images of a split."""
    return sources.of_masks(root, **{key: settings[key] for key in ("list_file", "mask_folder", "scored_list")})
