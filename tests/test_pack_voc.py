"""The archive for the test server of PASCAL VOC: names, sizes, mode and values."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
import tiny_archives
from PIL import Image

from wsss_steps.__main__ import main
from wsss_steps.formats.labels import voc_palette, write_labels

IDS = ("2008_000006", "2008_000011", "2012_004330")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "VOC2012"
    tiny_archives.write_ids(root / "ImageSets/Segmentation/test.txt", IDS)
    (tmp_path / "maps").mkdir()
    for number, one in enumerate(IDS):
        tiny_archives.write_image(root / "JPEGImages" / f"{one}.jpg", number, (4 + number, 7))
        write_labels(tmp_path / "maps" / f"{one}.png", np.full((4 + number, 7), 10 * number, np.uint8))
    return root


def pack(root: Path, *more: str) -> Path:
    out = root.parent / "out.tgz"
    main(["pack_voc", str(root.parent / "maps"), "--root", str(root), "--out", str(out), *more])
    return out


def refused(root: Path, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit):
        pack(root)
    assert not (root.parent / "out.tgz").exists()
    return capsys.readouterr().err


def test_the_archive_is_as_the_server_expects_it(root: Path) -> None:
    with tarfile.open(pack(root)) as archive:
        names = archive.getnames()
        assert names == [f"results/VOC2012/Segmentation/comp6_test_cls/{one}.png" for one in IDS]
        for number, name in enumerate(names):
            file = archive.extractfile(name)
            assert file is not None
            image = Image.open(io.BytesIO(file.read()))
            assert (image.format, image.mode, image.size) == ("PNG", "P", (7, 4 + number))
            assert (np.array(image) == 10 * number).all()
            assert image.getpalette()[: 3 * 21] == voc_palette()[: 3 * 21]


def test_the_other_competition(root: Path) -> None:
    with tarfile.open(pack(root, "--competition", "comp5")) as archive:
        assert archive.getnames()[0] == f"results/VOC2012/Segmentation/comp5_test_cls/{IDS[0]}.png"


def test_the_same_maps_give_the_same_bytes(root: Path) -> None:
    first = pack(root).read_bytes()
    (root.parent / "maps" / f"{IDS[0]}.png").touch()
    assert pack(root).read_bytes() == first


def test_everything_wrong_is_said_at_once(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    maps = root.parent / "maps"
    write_labels(maps / f"{IDS[0]}.png", np.full((7, 4), 21, np.uint8))
    write_labels(maps / f"{IDS[1]}.png", np.full((5, 7), 255, np.uint8))
    (maps / f"{IDS[2]}.png").unlink()
    write_labels(maps / "2008_000002.png", np.zeros((4, 7), np.uint8))
    said = refused(root, capsys)
    assert "(5):" in said
    assert f"{IDS[0]}: expected the size of its image, 4 x 7 (height x width), found 7 x 4" in said
    assert f"{IDS[0]}: expected values 0..20, of every pixel, found [21]" in said
    assert f"{IDS[1]}: expected values 0..20, of every pixel, found [255]" in said
    assert f"{IDS[2]}.png: no such label image" in said
    assert "2008_000002.png: of no image in the list" in said


def test_a_map_of_another_mode(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("RGB", (7, 4)).save(root.parent / "maps" / f"{IDS[0]}.png")
    assert "expected an indexed (P) or grey (L) 8-bit label image, found mode RGB" in refused(root, capsys)


def test_what_is_not_there(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "JPEGImages" / f"{IDS[0]}.jpg").unlink()
    assert f"{IDS[0]}.jpg: no such image" in refused(root, capsys)
    (root / "ImageSets/Segmentation/test.txt").unlink()
    assert "test.txt: no such file" in refused(root, capsys)
