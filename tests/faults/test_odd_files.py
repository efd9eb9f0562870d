"""Files named as images that are none, or none that may be read: refused at once."""

from __future__ import annotations

import ast
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from fault_table import said
from PIL import EpsImagePlugin, Image

from wsss_steps.data.images import read_image
from wsss_steps.data.listing import check_image
from wsss_steps.data.manifest import Entry
from wsss_steps.data.saliency_pairs import Pair, find_pairs, read_mask
from wsss_steps.errors import UserError
from wsss_steps.formats.labels import read_labels, voc_palette
from wsss_steps.methods.saliency import given

HEIGHT, WIDTH = 12, 16
GREY = np.arange(HEIGHT * WIDTH, dtype=np.uint8).reshape(HEIGHT, WIDTH)
POSTSCRIPT = (
    b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 16 12\n%%EndComments\n"
    b'%ImageData: 16 12 8 1 0 1 1 "beginimage"\nbeginimage\n%%EOF\n'
)


def read_map(path: Path) -> object:
    entry = Entry(path.stem, "train", "unread", HEIGHT, WIDTH, (1,))
    _, make = given.maker([entry], source=path.parent, bad_maps="stop")
    return make(entry, {})


def read_pair(path: Path) -> Pair:
    """The pair whose mask is `path`."""
    folder = path.parent / "pairs"
    for kind in ("Image", "Mask"):
        (folder / f"X-{kind}").mkdir(parents=True)
    Image.fromarray(GREY).save(folder / "X-Image" / "a.jpg")
    path.rename(folder / "X-Mask" / "a.png")
    return find_pairs(folder)[0]


def check(path: Path) -> object:
    picture = check_image(path)
    if picture.problems:
        raise UserError(picture.problems[0])
    return picture


READERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "image": (read_image, "<image>: not a readable image (<reason>)"),
    "image, checked": (check, "<image>: not a readable image (<reason>)"),
    "mask": (read_labels, "<file>: not a readable label image (<reason>)"),
    "saliency map": (read_map, "a: damaged (<reason>)"),
    "mask of a pair": (read_mask, "<file>: not a readable mask (<reason>)"),
    "pair": (read_pair, "<file>: not a readable mask (<reason>)"),
}


@pytest.fixture(autouse=True)
def five_seconds() -> Iterator[None]:
    """Wakes whoever waits for a named pipe to be written."""

    def wake(*_: object) -> None:
        pytest.fail("still busy after 5 s")

    before = signal.signal(signal.SIGALRM, wake)
    signal.alarm(5)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def refused(reader: str, path: Path, reason: str) -> None:
    read, message = READERS[reader]
    with pytest.raises(UserError) as caught:
        read(path)
    said(message, caught.value)
    said(reason, caught.value)


@pytest.mark.parametrize("reader", READERS)
def test_postscript_starts_no_other_program(reader: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ghostscript(*_: object) -> None:
        raise AssertionError("Ghostscript was started")

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", ghostscript)
    (tmp_path / "a.png").write_bytes(POSTSCRIPT)
    with Image.open(tmp_path / "a.png") as image, pytest.raises(AssertionError):
        image.load()
    refused(reader, tmp_path / "a.png", "cannot identify image file")


@pytest.mark.parametrize("reader", READERS)
def test_a_named_pipe_is_not_waited_for(reader: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    refused(reader, tmp_path / "a.png", "expected a file, found a named pipe")


@pytest.mark.parametrize("reader", READERS)
def test_a_device_is_not_read(reader: str, tmp_path: Path) -> None:
    (tmp_path / "a.png").symlink_to("/dev/zero")
    refused(reader, tmp_path / "a.png", "expected a file, found a device")


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("file_format", ["PNG", "GIF", "TIFF"])
def test_more_than_one_picture_is_refused(file_format: str, reader: str, tmp_path: Path) -> None:
    first, *others = [Image.fromarray(GREY + np.uint8(step)) for step in range(3)]
    first.save(tmp_path / "a.png", format=file_format, save_all=True, append_images=others)
    refused(reader, tmp_path / "a.png", "expected one picture, found an animation or several pages")


def test_an_animated_webp_is_refused(tmp_path: Path) -> None:
    first, *others = [Image.fromarray(np.rot90(GREY, step * 2)).convert("RGB") for step in range(3)]
    first.save(tmp_path / "a.jpg", format="WEBP", save_all=True, append_images=others)
    refused("image", tmp_path / "a.jpg", "expected one picture, found an animation or several pages")


def test_a_photograph_with_a_preview_behind_it_is_taken(tmp_path: Path) -> None:
    """Cameras write such files as .jpg; Pillow calls them MPO."""
    photograph = Image.fromarray(np.stack([GREY] * 3, axis=-1))
    photograph.save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[photograph.resize((8, 6))])
    with Image.open(tmp_path / "a.jpg") as image:
        assert (image.format, image.n_frames) == ("MPO", 2)
    assert read_image(tmp_path / "a.jpg").shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("file_format", ["JPEG", "BMP", "TIFF of JPEG"])
@pytest.mark.parametrize("reader", ["mask", "mask of a pair", "pair"])
def test_label_images_are_never_of_a_format_with_loss(file_format: str, reader: str, tmp_path: Path) -> None:
    options = {"compression": "jpeg"} if "of" in file_format else {}
    Image.fromarray(GREY).save(tmp_path / "a.png", format=file_format.split()[0], **options)
    found = file_format.replace("of JPEG", "with compression jpeg")
    read, _ = READERS[reader]
    with pytest.raises(UserError, match=f"expected PNG, GIF, TIFF without loss, which keep every label, found {found}"):
        read(tmp_path / "a.png")


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_label_images_may_be_tiff_without_loss(compression: str | None, tmp_path: Path) -> None:
    Image.fromarray(GREY).save(tmp_path / "a.png", format="TIFF", compression=compression)
    np.testing.assert_array_equal(read_labels(tmp_path / "a.png"), GREY)


def test_label_images_may_be_gif(tmp_path: Path) -> None:
    image = Image.fromarray(GREY, mode="P")
    image.putpalette(voc_palette())
    image.save(tmp_path / "a.png", format="GIF", optimize=False)
    np.testing.assert_array_equal(read_labels(tmp_path / "a.png"), GREY)


def test_every_image_is_opened_with_named_formats(repository: Path) -> None:
    """Pillow opens every format it knows unless told otherwise, PostScript among them."""
    opened = []
    for path in (repository / "wsss_steps").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == "PIL.Image":
                raise AssertionError(f"{path.name}: import Image of PIL, so that this test finds its calls")
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Image.open"):
                named = {word.arg: ast.unparse(word.value) for word in node.keywords}
                opened.append(path.name)
                assert named.get("formats", "None") != "None", f"{path.name}, line {node.lineno}"
    assert opened, "the test finds the calls"
