"""A plain folder of photographs, with a table of tags or a folder per class."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wsss_steps.data import sources
from wsss_steps.data.photo_folder import Photo, read_folder

READER = "data.photo_reader"


def _photos(root: Path, settings: Mapping[str, Any]) -> dict[str, Photo]:
    return read_folder(root, settings["tags"], settings["classes"], []).split(settings["split"])


def of_images(root: Path, settings: Mapping[str, Any]) -> sources.Sources:
    """The photographs of a split, and what the table says of them; a row that moves to another line changes nothing."""
    photos = _photos(root, settings)
    content = [[image_id, photo.path, sorted(photo.names), photo.saliency] for image_id, photo in photos.items()]
    files = [f"{root.as_posix()}/{photo.path}" for photo in photos.values()]
    return sources.of_files(content, [*files, *(photo.saliency for photo in photos.values() if photo.saliency)])


def saliency_maps(root: Path, settings: Mapping[str, Any]) -> dict[str, str]:
    """The saliency maps that the table names."""
    return {image_id: photo.saliency for image_id, photo in _photos(root, settings).items() if photo.saliency}


def of_masks(root: Path, settings: Mapping[str, Any]) -> sources.Sources:
    """The label images of a split."""
    masks = {image_id: photo.mask for image_id, photo in _photos(root, settings).items() if photo.mask}
    return sources.of_files(list(masks.items()), list(masks.values()))
