"""The one place that opens image files: only of named formats, only regular files, one picture each, read upright."""

from __future__ import annotations

import contextlib
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

# What a photograph may be, whatever its name says. Not among them: PostScript, which Pillow gives to another program
# to run.
PHOTOGRAPHS = ("JPEG", "PNG", "BMP", "TIFF", "GIF", "WEBP", "PPM")
LOSSLESS = ("PNG", "GIF", "TIFF")  # what a label image may be: its numbers come back as they were written
LOSSLESS_TIFF = ("raw", "packbits", "tiff_lzw", "tiff_deflate", "tiff_adobe_deflate", "lzma", "zstd")
DAMAGED = (OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError)  # what Pillow raises
UNREADABLE_EXIF = (*DAMAGED, KeyError, IndexError, TypeError, AttributeError)

ORIENTATION = 0x0112  # tag of EXIF: where row 0 and column 0 of the stored image lie in the upright one, 1 to 8
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

    One of DAMAGED, with the reason and without the path, for anything but a regular file (to open a named pipe would
    wait for a writer for ever), for another format, and for more than one picture. FileNotFoundError if it is missing.
    """
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        found = next((name for test, name in OTHER_THAN_A_FILE if test(mode)), "something else")
        raise ValueError(f"expected a file, found {found}")
    with Image.open(path, formats=formats) as image:
        # MPO is a JPEG with a preview or a second view behind the photograph, as some cameras write it: not animated
        if image.format != "MPO" and getattr(image, "is_animated", False):
            raise ValueError("expected one picture, found an animation or several pages")
        yield image


@contextlib.contextmanager
def opened_without_loss(path: Path) -> Iterator[Image.Image]:
    """As `opened`, for labels: a ValueError for a format, such as JPEG, whose numbers are not those once written."""
    with opened(path, PHOTOGRAPHS) as image:
        compression = image.info.get("compression", "raw") if image.format == "TIFF" else "raw"
        if image.format not in LOSSLESS or compression not in LOSSLESS_TIFF:
            found = f"{image.format}" + (f" with compression {compression}" if compression != "raw" else "")
            raise ValueError(f"expected {', '.join(LOSSLESS)} without loss, which keep every label, found {found}")
        yield image


def orientation(image: Image.Image) -> int:
    """The orientation that EXIF gives an image, 1 to 8; 1, upright, where it says nothing that can be read.

    The pixels of a PNG are decoded for it, since its EXIF may follow them. Of a TIFF it is 1: Pillow turns it itself.
    """
    if image.format == "TIFF":
        return 1
    if image.format == "PNG":
        image.load()  # apart from the next lines: damage among the pixels is an error
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
