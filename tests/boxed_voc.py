"""Boxes for the annotations of the tiny data set (`tiny_voc`)."""

from __future__ import annotations

from pathlib import Path

from tiny_voc import HEIGHT, WIDTH

SIDES = ("xmin", "ymin", "xmax", "ymax")


def object_xml(name: str, box: tuple[object, ...] | None, more: str = "") -> str:
    """An `object` with a box (xmin, ymin, xmax, ymax) as VOC counts: from 1, the last pixel included."""
    sides = "" if box is None else "".join(f"<{side}>{v}</{side}>" for side, v in zip(SIDES, box, strict=True))
    bounds = "" if box is None else f"<bndbox>{sides}</bndbox>"
    return f"<object><name>{name}</name>{more}{bounds}</object>"


def write_xml(root: Path, image_id: str, *objects: str, size: tuple[int, int] = (HEIGHT, WIDTH)) -> Path:
    """Write an annotation of these objects below `root`; returns its path."""
    path = root / "Annotations" / f"{image_id}.xml"
    given = f"<size><width>{size[1]}</width><height>{size[0]}</height><depth>3</depth></size>"
    path.write_text(f"<annotation>{given}{''.join(objects)}</annotation>", encoding="utf-8")
    return path


def write_boxes(root: Path) -> Path:
    """One box per tag of the training images: the right half; of t2 the cat above the dog. Returns `root`."""
    write_xml(root, "t0", object_xml("cat", (9, 1, 16, 12)))
    write_xml(root, "t1", object_xml("dog", (9, 1, 16, 12)))
    write_xml(root, "t2", object_xml("cat", (9, 1, 16, 6)), object_xml("dog", (9, 7, 16, 12)))
    return root
