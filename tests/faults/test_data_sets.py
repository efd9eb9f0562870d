"""Odd and damaged images, names and tags: `prepare` reports them before any other job, or accepts them."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny_voc
from fault_table import said
from PIL import Image
from tiny_voc import HEIGHT, WIDTH, write_list, write_xml

from wsss_steps import prepare, prepare_masks
from wsss_steps.data.images import read_image
from wsss_steps.data.manifest import Entry, Manifest, read_manifest
from wsss_steps.errors import UserError
from wsss_steps.formats.kinds.seeds import SEEDS
from wsss_steps.formats.labels import write_labels
from wsss_steps.formats.stores import Store, write_store
from wsss_steps.workflow import splits

Spoil = Callable[[Path], object]


def image(root: Path, name: str = "t0", suffix: str = "jpg") -> Path:
    return root / "JPEGImages" / f"{name}.{suffix}"


def as_png(root: Path, picture: Image.Image, **options: object) -> None:
    image(root).unlink()
    picture.save(image(root, suffix="png"), **options)


def header_of(root: Path, height: int, width: int) -> None:
    """A PNG of a few bytes that claims to have this size."""
    as_png(root, Image.new("RGB", (1, 1)))
    content = bytearray(image(root, suffix="png").read_bytes())
    content[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    image(root, suffix="png").write_bytes(content)


def rename(root: Path, new: str) -> None:
    """Rename t0 everywhere."""
    for path in list(root.rglob("t0.*")):
        path.rename(path.with_name(new + path.suffix))
    write_list(root, "train", (new, "t1", "t2"))


def table(root: Path, tags: str) -> None:
    rows = "".join(f"{name},{';'.join(names)}\n" for name, names in tiny_voc.TAGS.items() if name != "t0")
    (root / "tags.csv").write_text(f"id,tags\nt0,{tags}\n{rows}", encoding="utf-8")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 16
    path.write_bytes(content)


REFUSED: dict[str, tuple[Spoil, str]] = {
    "no training images": (
        lambda root: write_list(root, "train", ()),
        "<list>: the list is empty (expected one image id per line)",
    ),
    "cut image": (lambda root: cut(image(root)), "<image>: not a readable image (<reason>)"),
    "empty image": (lambda root: image(root).write_bytes(b""), "<image>: not a readable image (<reason>)"),
    "text": (lambda root: image(root).write_text("text"), "<image>: not a readable image (<reason>)"),
    "PostScript under the name of a photograph": (
        lambda root: image(root).write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 16 12\n"),
        "<image>: not a readable image (<reason>)",
    ),
    "flipped bit in a PNG": (
        lambda root: (as_png(root, Image.new("RGB", (WIDTH, HEIGHT), (9, 99, 200))), flip(image(root, suffix="png"))),
        "<image>: not a readable image (<reason>)",
    ),
    "16 bits": (
        lambda root: as_png(root, Image.fromarray(np.zeros((HEIGHT, WIDTH), np.uint16))),
        "<image>: expected an image of 8 bits per channel, found mode I;16; convert it to 8-bit RGB",
    ),
    "decompression bomb": (
        lambda root: header_of(root, 60_000, 60_000),
        "<image>: not a readable image (Image size (3600000000 pixels) exceeds limit",
    ),
    "12,000 x 9,000": (
        lambda root: header_of(root, 9_000, 12_000),
        "<image>: expected at most 89 megapixels, found 9000 x 12000 (height x width), 108; make it smaller",
    ),
    "mask of the stored image": (
        lambda root: Image.new("RGB", (WIDTH, HEIGHT)).save(image(root), exif=rotation()),
        "<mask>: expected the size of its image, 16 x 12 (height x width), found 12 x 16, the size of the image as it "
        "is stored; its EXIF orientation turns it, so turn the mask as well",
    ),
    "mask of another size": (
        lambda root: write_labels(
            root / "SegmentationClass" / "t0.png", np.ascontiguousarray(tiny_voc.truth_of("t0").T)
        ),
        "<mask>: expected the size of its image, 12 x 16 (height x width), found 16 x 12",
    ),
    "bomb as mask": (
        lambda root: (
            header_of(root, 60_000, 60_000),
            image(root, suffix="png").replace(root / "SegmentationClass" / "t0.png"),
            Image.new("RGB", (WIDTH, HEIGHT)).save(image(root)),
        ),
        "<mask>: not a readable label image (Image size (3600000000 pixels) exceeds limit",
    ),
    "name with ..": (
        lambda root: write_list(root, "train", ("t0", "a..b", "../../secret")),
        "<list>, line 2: id 'a..b' cannot be a file name: it has '..'",
    ),
    "name with a slash": (
        lambda root: write_list(root, "train", ("t0", "a/b")),
        "<list>, line 2: id 'a/b' cannot be a file name: it has the characters ['/']",
    ),
    "tag of no class": (
        lambda root: table(root, "cat;horse"),
        "<table>, line 2, id 't0': unknown classes ['horse']; known classes: cat, dog",
    ),
    "column twice": (
        lambda root: (root / "tags.csv").write_text("id,tags,tags,,\nt0,cat,dog,,\n"),
        "<table>: expected each column once, found ['id', 'tags', 'tags']",
    ),
    "no tag at all": (
        lambda root: write_xml(root / "Annotations" / "t0.xml", ("horse",)),
        "image 't0' has no tag (expected at least one of cat, dog, or allow_untagged: true); found horse",
    ),
    "tag in capitals, in XML": (
        lambda root: write_xml(root / "Annotations" / "t0.xml", ("Cat",)),
        "image 't0' has no tag (expected at least one of cat, dog, or allow_untagged: true); found Cat; "
        "for 'Cat' write 'cat'",
    ),
    "tag in capitals, in a table": (
        lambda root: table(root, "Cat"),
        "<table>, line 2, id 't0': unknown classes ['Cat']; known classes: cat, dog; for 'Cat' write 'cat'",
    ),
    "comma between tags": (
        lambda root: table(root, '"cat,dog"'),
        "<table>, line 2, id 't0': unknown classes ['cat,dog']; known classes: cat, dog; "
        "separate tags by ';' or spaces, not by ','",
    ),
    "JSON as a table": (
        lambda root: (root / "tags.csv").write_text('{"t0": ["cat"], "t1": ["dog"]}'),
        "<table>: expected the columns id, tags and perhaps split, found JSON; write a table as CSV, one image per "
        "line",
    ),
    "suffix in a list": (
        lambda root: write_list(root, "train", ("t0.jpg", "t1", "t2")),
        "<folder>/t0.jpg: no such image (expected .jpg, .jpeg, .png; leave the suffix out of the list)",
    ),
    "masks named .PNG": (
        lambda root: [path.rename(path.with_suffix(".PNG")) for path in (root / "SegmentationClass").iterdir()],
        "<mask>: no such label image, of split train (found t0.PNG; expected the suffix .png)",
    ),
}

TAKEN: dict[str, tuple[Spoil, str]] = {
    "one image": (lambda root: write_list(root, "train", ("t0",)), "train: 1 images"),
    "1 x 1": (
        lambda root: (
            Image.new("RGB", (1, 1)).save(image(root)),
            write_labels(root / "SegmentationClass" / "t0.png", np.ones((1, 1), np.uint8)),
        ),
        "heights 1 to 12 px, widths 1 to 16 px",
    ),
    "grey": (lambda root: Image.new("L", (WIDTH, HEIGHT), 70).save(image(root)), "train: 3 images"),
    "CMYK": (lambda root: Image.new("CMYK", (WIDTH, HEIGHT)).save(image(root)), "train: 3 images"),
    "transparent": (lambda root: as_png(root, Image.new("RGBA", (WIDTH, HEIGHT))), "train: 3 images"),
    "EXIF rotation": (
        lambda root: Image.new("RGB", (HEIGHT, WIDTH)).save(image(root), exif=rotation()),
        "note: 1 images turned upright by their EXIF orientation",
    ),
    "name with spaces": (lambda root: rename(root, "my holiday 1"), "train: 3 images"),
    "name in other letters": (lambda root: rename(root, "été-写真-ß"), "train: 3 images"),
    "object of a class that is not listed": (
        lambda root: write_xml(root / "Annotations" / "t0.xml", ("horse", "cat", "Dog")),
        "note: 2 objects of classes that are not listed, passed over: horse 1, Dog 1; for 'Dog' write 'dog'",
    ),
}


def rotation() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


def run(root: Path, folder: Path) -> Manifest:
    tags = "tags.csv" if (root / "tags.csv").is_file() else None
    mine = tiny_voc.config(root, tags_csv=tags)
    entries: list[Entry] = []
    for split, path in splits.list_files(mine).items():
        manifest, truth = folder / f"{split}.json", folder / f"{split}_truth.json"
        given = splits.images_settings(mine, split)
        prepare.run(root=root, list_file=root / path, manifest=manifest, settings=given)
        masks = splits.masks_settings(mine, split)
        prepare_masks.run(root=root, manifest=manifest, ground_truth=truth, settings=masks)
        entries += read_manifest(manifest).entries
    return Manifest("tiny", tiny_voc.CLASSES, tuple(entries))


@pytest.mark.parametrize("fault", REFUSED)
def test_refused(fault: str, tmp_path: Path) -> None:
    spoil, message = REFUSED[fault]
    root = tiny_voc.make_voc(tmp_path / "voc")
    before = run(root, tmp_path)
    spoil(root)
    with pytest.raises(UserError) as caught:
        run(root, tmp_path)
    said(message, caught.value)
    former = [entry.id for entry in before.entries if entry.split == "train"]
    after = read_manifest(tmp_path / "train.json").split("train")
    assert [entry.id for entry in after] == former, "the manifest is whole"


@pytest.mark.parametrize("case", TAKEN)
def test_taken(case: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    spoil, message = TAKEN[case]
    root = tiny_voc.make_voc(tmp_path / "voc")
    spoil(root)
    with caplog.at_level(logging.INFO):
        found = run(root, tmp_path)
    said(message, caplog.text)
    for entry in found.entries:
        pixels = read_image(Path(entry.image))
        assert pixels.shape == (entry.height, entry.width, 3)
        array = np.zeros((entry.height, entry.width), np.uint8)
        write_store(tmp_path / "s.h5", SEEDS, [(entry.id, {"seeds": array})], stamp="{}")
        with Store(tmp_path / "s.h5", SEEDS) as store:
            assert store.ids() == [entry.id]


def test_all_faults_are_listed_at_once(tmp_path: Path) -> None:
    root = tiny_voc.make_voc(tmp_path / "voc")
    cut(image(root, "t0"))
    image(root, "t1").unlink()
    write_xml(root / "Annotations" / "t2.xml", ())
    with pytest.raises(UserError) as caught:
        run(root, tmp_path)
    assert len(str(caught.value).splitlines()) == 4
    assert not (tmp_path / "train.json").exists()
