"""Show any artifact, in numbers or as a picture, or every artifact of an image side by side."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from wsss_steps.errors import UserError

MOST = 6  # images of an artifact that are drawn if none are named


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Artifacts or an image id, images, and the picture."""
    parser.add_argument(
        "what",
        nargs="+",
        metavar="FILE|ID",
        help="artifacts (a file, or a folder of label maps), whose numbers are printed; or the id of an image",
    )
    parser.add_argument("--image", nargs="+", default=[], metavar="ID", help="of these images only")
    parser.add_argument(
        "--out",
        nargs="?",
        type=Path,
        const=Path(),
        metavar="PNG",
        help="draw instead, several artifacts side by side; without a name, into a PNG named after the artifact",
    )
    parser.add_argument("--most", type=int, default=MOST, metavar="N", help=f"draw at most N images (default: {MOST})")
    parser.add_argument(
        "--results", type=Path, metavar="FOLDER", help="the results/<name> of the images, if it cannot be told"
    )


def run(options: argparse.Namespace) -> None:
    """Print or draw."""
    paths = [Path(word) for word in options.what]
    if len(paths) == 1 and _is_id(options.what[0]):
        _draw_image(options.what[0], options.results, options.out)
    elif options.out is None:
        for path in paths:
            _print(path, options)
    else:
        _draw(paths, options)


def _is_id(word: str) -> bool:
    """Whether a word is the id of an image and no path: ids have no slash, and a file of that name has precedence."""
    return not Path(word).exists() and "/" not in word and Path(word).suffix not in _suffixes()


def _suffixes() -> set[str]:
    from wsss_steps.report.artifacts.identify import SUFFIXES

    return {*SUFFIXES, ".h5", ".json", ".png"}


def _draw_image(image_id: str, results: Path | None, out: Path | None) -> None:
    from wsss_steps.report.artifacts import drawn
    from wsss_steps.report.artifacts.surroundings import with_image

    of = with_image(image_id, results)
    output = _named(out, image_id)
    count = drawn.everything(of, image_id, output)
    print(f"{count} artifacts of image {image_id} in {of.root}, drawn into {output}")


def _draw(paths: list[Path], options: argparse.Namespace) -> None:
    from wsss_steps.report.artifacts import drawn
    from wsss_steps.report.artifacts.surroundings import Surroundings, around

    of = Surroundings(options.results) if options.results else around(paths[0])
    stem = paths[0].parent.name if paths[0].suffix == ".json" else paths[0].stem
    output = _named(options.out, "_".join(dict.fromkeys(path.stem for path in paths)) or stem)
    ids = drawn.images(paths, of, options.image, options.most, output)
    print(f"{', '.join(ids)}, drawn into {output}")


def _named(out: Path | None, stem: str) -> Path:
    """Where to draw: as asked, else a PNG of that name in the current folder."""
    output = Path(f"{stem}.png") if out in (None, Path()) else Path(out or "")
    if output.suffix.lower() != ".png":
        raise UserError(f"--out {output}: expected a name that ends in .png")
    return output


def _print(path: Path, options: argparse.Namespace) -> None:
    print("\n".join(list(_lines(path, options))))  # a list, so that an error is all that is printed


def _lines(path: Path, options: argparse.Namespace) -> Iterator[str]:
    # imported here, so that the other commands start without pandas
    from wsss_steps.report.artifacts import files, identify, sources, statistics
    from wsss_steps.report.artifacts.surroundings import Surroundings, around

    kind = identify.identify(path)
    if not sources.holds_images(kind):
        if options.image:
            raise UserError(f"{path}: a {kind} holds nothing for single images; leave out --image")
        yield from files.described(path, kind)
        return
    of = Surroundings(options.results) if options.results else around(path)
    yield f"{path}: {kind}"
    yield from statistics.made(path)
    with sources.opened(path, of) as source:
        yield from statistics.of_images(source, options.image)
