"""Given saliency maps: checks, messages, and images left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from fault_table import said
from PIL import Image

from wsss_steps.data.manifest import Entry
from wsss_steps.errors import UserError
from wsss_steps.methods.saliency import given

ENTRIES = [Entry(name, "train", "unread", 3, 4, (1,)) for name in ("a", "b", "c", "d", "e")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, entry in enumerate(ENTRIES, start=1):
        Image.fromarray(np.full((3, 4), number, np.uint8)).save(tmp_path / f"{entry.id}.png")
    return tmp_path


def spoil(folder: Path) -> None:
    (folder / "a.png").unlink()
    Image.fromarray(np.ones((4, 3), np.uint8)).save(folder / "b.png")
    Image.fromarray(np.zeros((3, 4), np.uint8)).save(folder / "c.png")
    (folder / "d.png").write_bytes((folder / "d.png").read_bytes()[:40])


def made(
    entries: Sequence[Entry], folder: Path, device: str, **settings: str
) -> tuple[list[str], Iterator[np.ndarray]]:
    """What is left out, and the maps of all entries."""
    left_out, make = given.maker(entries, source=folder, **settings)
    return left_out, (make(entry, {}) for entry in entries)


def test_good_maps_come_as_they_are(folder: Path) -> None:
    left_out, maps = made(ENTRIES, folder, "cpu", bad_maps="stop")
    assert left_out == []
    assert [(values.dtype, values.shape, int(values[0, 0])) for values in maps] == [
        (np.uint8, (3, 4), number) for number in range(1, 6)
    ]


def test_all_bad_maps_are_listed(folder: Path) -> None:
    spoil(folder)
    with pytest.raises(UserError) as caught:
        made(ENTRIES, folder, "cpu", bad_maps="stop")
    message = str(caught.value)
    for words in (
        "set bad_maps: leave_out) (4)",
        "a: missing",
        "b: expected 3 x 4 px (manifest), found 4 x 3",
        "c: zero throughout",
        "d: damaged",
    ):
        assert words in message


def test_bad_maps_are_left_out(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    spoil(folder)
    left_out, maps = made(ENTRIES, folder, "cpu", bad_maps="leave_out")
    assert left_out == ["a", "b", "c", "d"]
    values = list(maps)
    assert [array.shape for array in values] == [(3, 4)] * 5
    assert [int(array.max()) for array in values] == [0, 0, 0, 0, 5]
    assert "4 of 5 images are left out" in caplog.text
    assert "c: zero throughout" in caplog.text


def test_none_good_is_an_error_even_so(folder: Path) -> None:
    with pytest.raises(UserError, match=r"cannot be used \(all of them\) \(5\)"):
        made(ENTRIES, folder / "elsewhere", "cpu", bad_maps="leave_out")


@pytest.mark.parametrize("mode", ["P", "RGB", "1", "LA", "I;16"])
@pytest.mark.parametrize("bad_maps", ["stop", "leave_out"])
def test_another_mode_is_always_an_error(mode: str, bad_maps: str, folder: Path) -> None:
    if mode == "I;16":
        Image.fromarray(np.full((3, 4), 700, np.uint16)).save(folder / "b.png")
    else:
        Image.fromarray(np.full((3, 4), 9, np.uint8)).convert(mode).save(folder / "b.png")
    with pytest.raises(UserError, match=rf"expected saliency maps of 8-bit grey .*\n  b: found mode {mode}"):
        made(ENTRIES, folder, "cpu", bad_maps=bad_maps)


def bright_inside(bright: int, dark: int) -> np.ndarray:
    values = np.full((20, 30), dark, np.uint8)
    values[5:15, 8:22] = bright
    return values


def warnings_of(maps: dict[str, np.ndarray], folder: Path, caplog: pytest.LogCaptureFixture) -> str:
    for name, values in maps.items():
        Image.fromarray(values).save(folder / f"{name}.png")
    entries = [Entry(name, "train", "unread", 20, 30, (1,)) for name in maps]
    left_out, found = made(entries, folder, "cpu", bad_maps="stop")
    assert left_out == []
    for values, expected in zip(found, maps.values(), strict=True):
        np.testing.assert_array_equal(values, expected)
    return caplog.text


def test_constant_and_inverted_maps_are_taken_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    inverted = {name: bright_inside(10, 240) for name in ("a", "c", "d")}
    text = warnings_of(inverted | {"b": np.full((20, 30), 128, np.uint8)}, tmp_path, caplog)
    said("<folder>: 1 of 4 saliency maps have one value throughout, which tells nothing: b", text)
    said(
        "<folder>: 3 of 4 saliency maps are brighter along the border than in the middle: are they inverted?",
        text,
    )


def test_true_maps_bring_no_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Half of them may show an object cut by the border."""
    maps = {"a": bright_inside(240, 10), "b": bright_inside(10, 240)}
    assert warnings_of(maps, tmp_path, caplog) == ""


def test_a_map_of_another_suffix_is_named(folder: Path) -> None:
    (folder / "a.png").rename(folder / "a.PNG")
    with pytest.raises(UserError, match=r"a: missing \(found a\.PNG; expected \.png\)"):
        made(ENTRIES, folder, "cpu", bad_maps="stop")


def test_a_map_that_changes_between_check_and_use(folder: Path) -> None:
    _, maps = made(ENTRIES, folder, "cpu", bad_maps="stop")
    (folder / "a.png").unlink()
    with pytest.raises(UserError, match="saliency map of 'a' changed while it was read: missing"):
        next(maps)


@pytest.mark.data
def test_maps_of_real_photographs(real_data: Path) -> None:
    folder = real_data / "voc_animals" / "saliency"
    if not folder.is_dir():
        pytest.skip(f"no saliency maps in {folder}")
    entries = []
    for path in sorted(folder.glob("*.png"))[:20]:
        with Image.open(path.parent.parent / "JPEGImages" / f"{path.stem}.jpg") as image:
            entries.append(Entry(path.stem, "train", "unread", image.height, image.width, (1,)))
    left_out, maps = made(entries, folder, "cpu", bad_maps="leave_out")
    shares = [(values > 127).mean() for values in maps]
    assert len(left_out) <= 2
    assert 0.05 < np.mean(shares) < 0.6
