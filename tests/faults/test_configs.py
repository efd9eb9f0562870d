"""Config files that say something else than was meant: refused before the first job, with the place."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import snakemake_runs as runs
import yaml
from fault_table import said

from wsss_steps import configuration, preflight
from wsss_steps.errors import UserError

BASE = "dataset: tiny\ndraw: {}\nclasses: [cat, dog]\nrecipes: {cam: {}}\n"
LAUGHS = "a0: &a0 ha\n" + "".join(f"a{step}: &a{step} [*a{step - 1}, *a{step - 1}]\n" for step in range(1, 41))
DEEP = "<file>: expected at most 50 levels of keys and lists in each other, found more"
TEXTS = {
    "key twice": (
        BASE + "classifier: {}\nseeds: {}\nclassifier: {plain: {epochs: 3}}\n",
        "<file>, line 7: key 'classifier' stands already in line 5; expected each key once",
    ),
    "key twice, inside": (
        BASE + "classifier:\n  plain:\n    epochs: 3\n    crop: 64\n    epochs: 5\n",
        "<file>, line 9: key 'epochs' stands already in line 7; expected each key once",
    ),
    "key twice, JSON": (
        '{"a": {"b": [{"c": 1, "c": 2}]}}',
        "<file>: key 'a.b.c' stands twice; expected each key once",
    ),
    "no YAML": (BASE + "  x: [1, 2\n", "<file>: neither YAML nor JSON: line 5, column <number>: <reason>"),
    "tab": (
        BASE + "\tx: 1\n",
        "<file>: neither YAML nor JSON: line 5, column 1: found character '\\t' that cannot start any token",
    ),
    "text": ("just text", "<file>: expected keys with values (`dataset: mine`), found 'just text'"),
    "aliases of aliases": (
        BASE + LAUGHS,
        "<file>: expected at most 1,000,000 characters, found more, counting what an alias (`*name`) stands for each "
        "time that it is used; use fewer aliases",
    ),
    "aliases of a long text": (
        BASE + f"a0: &a0 {'x' * 10_000}\na: [{', '.join(['*a0'] * 200)}]\n",
        "<file>: expected at most 1,000,000 characters, found more",
    ),
    "aliases as a key": (BASE + LAUGHS + "? *a40\n: 1\n", "<file>: expected at most 1,000,000 characters, found more"),
    "alias of what it is part of": (
        BASE + "loop: &l [1, *l]\n",
        "<file>, line 5: expected values that end, found an alias (`*name`) inside what it refers to",
    ),
    "alias of what it is part of, far off": (
        BASE + "loop: &l {a: {b: [{c: *l}]}}\n",
        "<file>, line 5: expected values that end, found an alias (`*name`) inside what it refers to",
    ),
    "deep": (BASE + "a: " + "[" * 60 + "]" * 60 + "\n", DEEP),
    "deep by aliases": (
        BASE + "a0: &a0 1\n" + "".join(f"a{step}: &a{step} [*a{step - 1}]\n" for step in range(1, 3000)),
        DEEP,
    ),
    "deeper than YAML can be read": (BASE + "a: " + "[" * 100_000, DEEP),
    "deeper than YAML can be read, in lines": ("- " * 20_000 + "1", DEEP),
    "deep, JSON": ('{"a": ' * 60 + "1" + "}" * 60, DEEP),
    "deeper than JSON can be read": ('{"a": ' * 100_000, DEEP),
    "empty": ("", "<file>: expected keys with values (`dataset: mine`), found ''"),
}
VALUES = {
    "text for a whole number": (
        "epochs: 1e1",
        "epochs: Input should be a valid integer, unable to parse string as an integer (found '1e1'); "
        "write a whole number in digits, without an exponent or quotes",
    ),
    "infinite": ("learning_rate: .inf", "learning_rate: Input should be a finite number (found inf)"),
    "not a number": ("learning_rate: .nan", "learning_rate: Input should be a finite number (found nan)"),
    "word": ("epochs: many", "epochs: Input should be a valid integer, unable to parse string as an integer"),
}


@pytest.mark.parametrize("fault", TEXTS)
def test_what_is_said_of_a_config_file(fault: str, tmp_path: Path) -> None:
    text, message = TEXTS[fault]
    (tmp_path / "my.yaml").write_text(text)
    with pytest.raises(UserError) as caught:
        preflight.check([tmp_path / "my.yaml"], [])
    said(message, caught.value)


def test_anchors_merges_and_the_files_of_the_project_are_well(tmp_path: Path, repository: Path) -> None:
    (tmp_path / "my.yaml").write_text("a: &a {x: 1}\nb: {<<: *a, x: 2}\nc: [*a, *a]\n")
    (tmp_path / "my.json").write_text('{"a": 1,\n\t"b": {"a": 2}}')
    ours = [repository / "config.yaml", *(repository / "configs").rglob("*.yaml")]
    preflight.check([tmp_path / "my.yaml", tmp_path / "my.json", *ours], [tmp_path, tmp_path / "not" / "yet"])


@pytest.mark.parametrize("fault", VALUES)
def test_what_is_said_of_a_value(fault: str) -> None:
    text, message = VALUES[fault]
    with pytest.raises(UserError) as caught:
        configuration.load(yaml.safe_load(BASE + f"classifier: {{plain: {{{text}}}}}\n"))
    said(message, caught.value)


def test_1e_3_is_a_number_wherever_one_is_meant() -> None:
    """YAML 1.1 reads it as text."""
    mine = "backbones: {mine: {net: 'timm:x', options: {drop_rate: 1e-3, pad_type: same, n: 3, in_22k: true}}}"
    config = configuration.load(yaml.safe_load(f"{BASE}{mine}\nclassifier: {{plain: {{learning_rate: 1e-3}}}}\n"))
    assert configuration.resolve(config, "classifier", "plain").settings["learning_rate"] == 0.001
    assert configuration.resolve(config, "classifier", "plain~learning_rate=2e-3").settings["learning_rate"] == 0.002
    options = config.backbones["mine"].options
    assert options == {"drop_rate": 0.001, "pad_type": "same", "n": 3, "in_22k": True}
    assert type(options["in_22k"]) is bool


def test_yaml_words_that_are_no_text() -> None:
    with pytest.raises(UserError) as caught:
        configuration.load(yaml.safe_load(BASE.replace("cat", "no")))
    said("YAML reads yes, no, on and off as truth values: put the word in quotes", caught.value)


def test_a_place_for_results_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("")
    with pytest.raises(UserError) as caught:
        preflight.check([], [tmp_path / "results" / "deeper"])
    said("<folder>: expected a folder for results, found that <file> is none", caught.value)


@pytest.fixture
def house(tmp_path: Path, repository: Path) -> Path:
    runs.copy_of_project(repository, tmp_path)
    return tmp_path


def dry_run(house: Path, text: str) -> subprocess.CompletedProcess[str]:
    (house / "test.yaml").write_text(text)
    return runs.snakemake(house, "--dry-run", "--quiet")


@pytest.mark.workflow
def test_snakemake_refuses_a_key_that_stands_twice(house: Path) -> None:
    text, message = TEXTS["key twice"]
    done = dry_run(house, text)
    said(message, done.stdout)
    assert done.returncode == 1
    assert not (house / "results").exists()


@pytest.mark.workflow
def test_aliases_are_refused_before_the_values_are_looked_at(house: Path) -> None:
    started = time.monotonic()
    done = dry_run(house, BASE + LAUGHS + "compare_superpixels: *a40\n")  # 2 to the power of 40 texts, if written out
    said(TEXTS["aliases of aliases"][1], done.stdout)
    assert done.returncode == 1
    assert time.monotonic() - started < 60


@pytest.mark.workflow
def test_snakemake_refuses_what_is_no_yaml_and_preflight_says_where(house: Path) -> None:
    done = dry_run(house, TEXTS["no YAML"][0])
    assert done.returncode == 1
    said("Config file is not valid JSON or YAML.", done.stdout)
    line = [sys.executable, "-m", "wsss_steps.preflight", "test.yaml"]
    said(TEXTS["no YAML"][1], subprocess.run(line, cwd=house, capture_output=True, text=True).stderr)


@pytest.fixture
def read_only(house: Path) -> Iterator[Path]:
    """`results` lies on a disk that cannot be written, if this user may mount one."""
    (house / "results").mkdir()
    mount = shutil.which("mount")
    done = mount and subprocess.run([mount, "-t", "tmpfs", "-o", "ro", "tmpfs", house / "results"], capture_output=True)
    if done and done.returncode == 0:
        yield house
        subprocess.run(["umount", house / "results"], check=True)
    elif os.geteuid() == 0:
        pytest.skip("root ignores the modes of files, and may not mount a read-only disk here")
    else:
        (house / "results").chmod(0o555)
        yield house
        (house / "results").chmod(0o755)


@pytest.mark.workflow
def test_snakemake_refuses_a_read_only_folder_before_the_first_job(read_only: Path) -> None:
    done = dry_run(read_only, BASE)
    said("results: cannot be written: results is read-only for this user", done.stdout)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout
