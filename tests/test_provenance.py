"""An edited comment changes no digest, an edited formula changes the digests of what imports it, and no other."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from wsss_steps.provenance.digests import code_digest, file_digest, parsed, sources
from wsss_steps.provenance.stamp import stamp


def digests(root: Path) -> dict[str, str]:
    """Digests of some steps as a fresh process computes them in a copy of the package."""
    script = (
        "import json; from wsss_steps.provenance.digests import code_digest as d; print(json.dumps({"
        "'threshold': d('make_seeds', ['methods.seeds.threshold']),"
        "'superpixel': d('make_seeds', ['methods.seeds.superpixel']),"
        "'prepare': d('prepare')}))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


@pytest.fixture
def copy(tmp_path: Path, repository: Path) -> Path:
    shutil.copytree(repository / "wsss_steps", tmp_path / "wsss_steps", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    if old not in text:
        raise ValueError(f"{path}: no '{old}'")
    path.write_text(text.replace(old, new, 1))


def test_comment_and_docstring_change_nothing(copy: Path) -> None:
    before = digests(copy)
    path = copy / "wsss_steps" / "ops" / "seeds.py"
    path.write_text(path.read_text().replace('"""', '"""Reworded. ', 1) + "\n# a remark\n")
    assert digests(copy) == before


def test_formula_changes_what_depends_on_it(copy: Path) -> None:
    before = digests(copy)
    path = copy / "wsss_steps" / "ops" / "seeds.py"
    path.write_text(path.read_text() + "\nNEW_CONSTANT = 1\n")
    after = digests(copy)
    assert after["threshold"] != before["threshold"]
    assert after["superpixel"] != before["superpixel"]
    assert after["prepare"] == before["prepare"]


def test_method_changes_its_own_choice_only(copy: Path) -> None:
    before = digests(copy)
    path = copy / "wsss_steps" / "methods" / "seeds" / "superpixel.py"
    path.write_text(path.read_text() + "\nNEW_CONSTANT = 1\n")
    after = digests(copy)
    assert after["superpixel"] != before["superpixel"]
    assert after["threshold"] == before["threshold"]


def test_sources_follow_imports() -> None:
    found = sources(["wsss_steps.methods.seeds.threshold"])
    assert "wsss_steps.ops.seeds" in found
    assert "wsss_steps.methods.seeds.superpixel" not in found
    assert "wsss_steps.cli" not in found


def test_unknown_module() -> None:
    with pytest.raises(ValueError, match="no module 'wsss_steps.no_such_step'"):
        code_digest("no_such_step")


def test_file_digest(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    assert file_digest(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    before = file_digest(tmp_path)
    (tmp_path / "b").write_bytes(b"")
    with_empty = file_digest(tmp_path)
    (tmp_path / "b").write_bytes(b"x")
    assert len({before, with_empty, file_digest(tmp_path)}) == 3


def test_stamp_is_sorted_and_names_its_inputs(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    text = stamp(
        "wsss_steps.prepare", settings={"b": 1, "a": 2}, code="c0de", device="cpu", inputs={"root": tmp_path / "a"}
    )
    content = json.loads(text)
    assert content["step"] == "prepare"
    assert content["settings"] == {"a": 2, "b": 1}
    assert content["inputs"]["root"]["sha256"].startswith("ba7816bf")
    assert content["versions"]["python"]
    assert text == json.dumps(content, sort_keys=True)


MESSAGES = '''
LIMIT = 3
"""Words below a constant."""


def check(value, log):
    """Words."""
    if value < 0:
        raise ValueError(f"expected 0 or more, found {value}")
    log.info("%s is fine", value)
    return value
'''


def digest_of(folder: Path, text: str) -> str:
    path = folder / f"{len(list(folder.iterdir()))}.py"
    path.write_text(text)
    return parsed(path)[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Words.", "Other words."),
        ("Words below", "Other words below"),
        ('f"expected 0 or more, found {value}"', '"no: " + str(value)'),
        ('"%s is fine", value', '"fine"'),
    ],
)
def test_what_is_said_decides_nothing(old: str, new: str, tmp_path: Path) -> None:
    assert digest_of(tmp_path, MESSAGES) == digest_of(tmp_path, MESSAGES.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("value < 0", "value <= 0"),
        ("ValueError", "TypeError"),
        ('"%s is fine", value', '"%s is fine", value := 0'),
        ("log.info(", "value.info("),
        ("return value", "return 2 * value"),
    ],
)
def test_what_is_done_decides(old: str, new: str, tmp_path: Path) -> None:
    assert digest_of(tmp_path, MESSAGES) != digest_of(tmp_path, MESSAGES.replace(old, new))


def test_a_package_is_a_source_of_its_modules() -> None:
    """Importing a module runs the `__init__.py` of its package first."""
    assert "wsss_steps.nets.backbones" in sources(["wsss_steps.nets.backbones.timm"])
    assert "wsss_steps.ops.losses" in sources(["wsss_steps.ops.losses.tags"])
