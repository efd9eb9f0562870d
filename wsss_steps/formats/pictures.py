"""The only place that opens image files: given formats, regular files, one picture each, read upright."""

from __future__ import annotations

import contextlib
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

# Formats of photographs, whatever the file name says. PostScript is not among them: Pillow runs another program on it.
PHOTOGRAPHS = ("JPEG", "PNG", "BMP", "TIFF", "GIF", "WEBP", "PPM")
LOSSLESS = ("PNG", "GIF", "TIFF")  # formats of label images
LOSSLESS_TIFF = ("raw", "packbits", "tiff_lzw", "tiff_deflate", "tiff_adobe_deflate", "lzma", "zstd")
DAMAGED = (OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError)  # what Pillow raises
UNREADABLE_EXIF = (*DAMAGED, KeyError, IndexError, TypeError, AttributeError)

ORIENTATION = 0x0112  # EXIF tag: where row 0 and column 0 of the stored image lie in the upright one, 1 to 8
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # from the stored image to the upright one; Pillow's turns are counterclockwise
ON_ITS_SIDE = (5, 6, 7, 8)
OTHER_THAN_A_FILE = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISDIR, "a folder"),
)


@contextlib.contextmanager
def opened(path: Path, formats: tuple[str, ...]) -> Iterator[Image.Image]:
    """An image file of one of Pillow's `formats`, not decoded yet.

    Raises one of DAMAGED, with the reason but not the path, for anything but a regular file (opening a named pipe would
    wait for a writer forever), for another format, and for more than one picture. FileNotFoundError if it is missing.
    """
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        found = next((name for test, name in OTHER_THAN_A_FILE if test(mode)), "something else")
        raise ValueError(f"expected a file, found {found}")
    with Image.open(path, formats=formats) as image:
        # MPO is a JPEG with a preview or second view after the photograph, as some cameras write it: not animated
        if image.format != "MPO" and getattr(image, "is_animated", False):
            raise ValueError("expected one picture, found an animation or several pages")
        yield image


@contextlib.contextmanager
def opened_without_loss(path: Path) -> Iterator[Image.Image]:
    """As `opened`, for labels: a ValueError for a lossy format, such as JPEG."""
    with opened(path, PHOTOGRAPHS) as image:
        compression = image.info.get("compression", "raw") if image.format == "TIFF" else "raw"
        if image.format not in LOSSLESS or compression not in LOSSLESS_TIFF:
            found = f"{image.format}" + (f" with compression {compression}" if compression != "raw" else "")
            raise ValueError(f"expected {', '.join(LOSSLESS)} without loss, which keep every label, found {found}")
        yield image


def orientation(image: Image.Image) -> int:
    """The EXIF orientation of an image, 1 to 8; 1 (upright) if there is none that can be read.

    A PNG is decoded for it, since its EXIF may follow the pixels. For a TIFF it is 1, since Pillow turns it itself.
    """
    if image.format == "TIFF":
        return 1
    if image.format == "PNG":
        image.load()  # outside the try block: damaged pixels are an error
    try:
        found = image.getexif().get(ORIENTATION, 1)
    except UNREADABLE_EXIF:
        return 1
    return found if isinstance(found, int) and found in TURNS else 1


def upright(image: Image.Image) -> Image.Image:
    """The decoded image as a viewer shows it: turned as its EXIF orientation says."""
    image.load()
    turn = TURNS.get(orientation(image))
    return image if turn is None else image.transpose(turn)


def upright_size(image: Image.Image) -> tuple[int, int]:
    """Height and width of the upright image in pixels; most formats are not decoded for it."""
    width, height = image.size
    return (width, height) if orientation(image) in ON_ITS_SIDE else (height, width)
