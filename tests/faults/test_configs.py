"""Config files that do not say what was meant: refused before the first job, with the place."""

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

from wsss_steps.errors import UserError
from wsss_steps.workflow import choices, configuration, preflight

BASE = "dataset: tiny\ndraw: {}\nclasses: [cat, dog]\nrecipes: {cam: {}}\n"
LAUGHS = "a0: &a0 ha\n" + "".join(f"a{step}: &a{step} [*a{step - 1}, *a{step - 1}]\n" for step in range(1, 41))
DEEP = "<file>: expected at most 50 levels of keys and lists in each other, found more"
TEXTS = {
    "key twice": (
        BASE + "classifier: {}\nseeds: {}\nclassifier: {plain: {epochs: 3}}\n",
        "<file>, line 7: key 'classifier' is already in line 5; expected each key once",
    ),
    "key twice, inside": (
        BASE + "classifier:\n  plain:\n    epochs: 3\n    crop: 64\n    epochs: 5\n",
        "<file>, line 9: key 'epochs' is already in line 7; expected each key once",
    ),
    "key twice, JSON": (
        '{"a": {"b": [{"c": 1, "c": 2}]}}',
        "<file>: duplicate key 'a.b.c'",
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
MORE = "<key>: Input should be less than or equal to <number> (found <value>)"
LESS = "<key>: Input should be greater than or equal to <number> (found <value>)"
RANGE = "<key>: expected a range, its lower end first, found <range>"
BOUNDS = {
    "evaluate: {seed: -1}": (LESS, "evaluate.seed"),
    "evaluate: {seed: 1180591620717411303424}": (MORE, "evaluate.seed"),
    "pretrain_keys: {seed: 1180591620717411303424}": (MORE, "pretrain_keys.seed"),
    "draw: {seed: 1180591620717411303424}": (MORE, "draw.seed"),
    "draw: {seed: -1}": (LESS, "draw.seed"),
    "draw_saliency: {seed: 4294967296}": (MORE, "draw_saliency.seed"),
    "classifier: {plain: {seed: -1}}": (LESS, "seed"),
    "evaluate: {bootstrap: 1000000000000}": (MORE, "evaluate.bootstrap"),
    "classifier: {plain: {learning_rate: 1e300}}": (MORE, "learning_rate"),
    "pretrain_keys: {learning_rate: 1e300}": (MORE, "pretrain_keys.learning_rate"),
    "segmenter: {plain: {epochs: 100001}}": (MORE, "epochs"),
    "segmenter: {plain: {batch_size: 65537}}": (MORE, "batch_size"),
    "segmenter: {plain: {jitter: [0, 0, 0, 0.6]}}": (MORE, "jitter.3"),
    "pretrain_keys: {jitter: [0, 0, 0, 0.6]}": (MORE, "pretrain_keys.jitter.3"),
    "segmenter: {plain: {jitter: [-1, 0, 0, 0]}}": (LESS, "jitter.0"),
    "segmenter: {plain: {crop: 15}}": (LESS, "crop"),
    "segmenter: {plain: {crop: 1000000}}": (MORE, "crop"),
    "segmenter: {masking: {train_scales: [1, 100]}}": (MORE, "train_scales.1"),
    "classifier: {mdc: {widths: [1, 1000000]}}": (MORE, "widths.1"),
    "cams: {cam: {scales: [0.001]}}": (LESS, "scales.0"),
    "predict: {scales: [1, 50]}": (MORE, "predict.scales.1"),
    "features: {keys: {image_scale: 30}}": (MORE, "image_scale"),
    "segmenter: {plain: {resize_scale: [2, 0.5]}}": (RANGE, "resize_scale"),
    "classifier: {plain: {resize_long: [640, 320]}}": (RANGE, "resize_long"),
    "classifier: {mdc: {resize_scale: [2, 0.5]}}": (RANGE, "resize_scale"),
    "saliency: {detector: {resize_long: [640, 320]}}": (RANGE, "resize_long"),
    "pretrain_keys: {window: [1.0, 0.3]}": (RANGE, "pretrain_keys.window"),
    "pretrain_keys: {global_area: [1.0, 0.3]}": (RANGE, "pretrain_keys.global_area"),
    "pretrain_keys: {local_area: [1.0, 0.3]}": (RANGE, "pretrain_keys.local_area"),
}
DEVICE = "device: expected auto, cpu, cuda or cuda:N with the number of a GPU, found <device>"
LONG = "threshold~foreground=0." + "3" * 233  # 256 bytes
SPECIAL = "expected none of { } < > and no control characters, found <characters> in <text>"
MEANT = {
    "classes: [cat, ' dog']": "classes: expected names without spaces around them, found [' dog']",
    "classes: [cat, Cat]": "classes: expected classes that differ in more than case, found ['cat', 'Cat']",
    "compare_superpixels: [none]": "compare_superpixels: expected superpixels that can be measured, found 'none'",
    "root: ''": "root: expected a path, found ''",
    "train_list: ' '": "train_list: expected a path, found ' '",
    f"root: {'r' * 256}": "<key>: expected a file name of at most 255 bytes, found 256: <name>",
    f"root: {'r/' * 2048}": "<key>: expected a path of less than 4096 bytes, found <number>: <path>",
    "root: 'a{b}'": SPECIAL,
    "image_folder: '<results>'": SPECIAL,
    "saliency: {given: {folder: '{rot}/saliency'}}": SPECIAL,
    "backbones: {b: {net: small, weights: 'a{b}'}}\nclassifier: {plain: {backbone: b}}": SPECIAL,
    "recipes: {a: {seeds: 'threshold~foreground={}'}}": SPECIAL,
    f"recipes: {{a: {{seeds: {LONG}}}}}": "<key>: expected a file name of at most 255 bytes, found 256: <name>",
    f"dataset: {'d' * 256}": "<key>: expected a file name of at most 255 bytes, found 256: <name>",
    "recipes: {a: {seeds: 'threshold~foreground=[0.3'}}": "choice 'threshold~foreground=[0.3': expected a value of "
    "'foreground' in YAML, found '[0.3'",
    "recipes: {a: {seeds: 'threshold~foreground=!!timestamp x'}}": "expected a value of 'foreground' in YAML",
    "recipes: {a/b: {}}": "recipes: expected a file name, without '/', found 'a/b'",
    "recipes: {'..': {}}": "recipes: expected a file name without a dot before it or spaces around it, found '..'",
    "recipes: {'': {}}": "recipes: expected a file name without a dot before it or spaces around it, found ''",
    "pretrain_keys: {heads: 5, patch: 24}": "pretrain_keys: width: expected a multiple of heads (5), found 96; "
    "global_crop: expected a multiple of patch (24), found 64; local_crop: expected a multiple of patch (24), found 32",
    "features: {keys: {vit: vit_huge}}": "vit: Input should be 'vit_base_patch8_224', <others> (found 'vit_huge')",
    "device: 'cpu; touch x'": DEVICE,
    'device: "cuda:0\\n"': DEVICE,
    "device: cuda:1\ngpus_per_training: 2": "device: expected auto or cuda for gpus_per_training 2, found cuda:1",
}


@pytest.mark.parametrize("fault", TEXTS)
def test_what_is_said_of_a_config_file(fault: str, tmp_path: Path) -> None:
    text, message = TEXTS[fault]
    (tmp_path / "my.yaml").write_text(text)
    with pytest.raises(UserError) as caught:
        preflight.check([tmp_path / "my.yaml"], [])
    said(message, caught.value)


def test_all_duplicate_keys_are_told_at_once_also_beside_a_merge(tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text("a: &a {x: 1}\nb:\n  <<: *a\n  y: 2\n  y: 3\na: 2\n")
    found = [line.partition(", ")[2].partition(";")[0] for line in preflight.repeated(tmp_path / "my.yaml")]
    assert found == ["line 5: key 'y' is already in line 4", "line 6: key 'a' is already in line 1"]


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


def refused(fault: str) -> str:
    given = yaml.safe_load(fault)
    without = {"draw": None} if "root" in given else {}
    with pytest.raises(UserError) as caught:
        configuration.load(yaml.safe_load(BASE) | without | given)
    return str(caught.value)


@pytest.mark.parametrize("fault", BOUNDS)
def test_numbers_that_are_out_of_range(fault: str) -> None:
    """Before the first job: a seed of -1 once caused a traceback after all trainings."""
    message, key = BOUNDS[fault]
    found = refused(fault)
    said(message, found)
    assert f"{key}: " in found


@pytest.mark.parametrize("fault", MEANT)
def test_what_cannot_be_meant(fault: str) -> None:
    said(MEANT[fault], refused(fault))


def test_a_place_too_deep_for_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The five choices fit into folder names, but their path is too long below this working directory."""
    deep = tmp_path.joinpath(*["d" * 200] * ((3900 - len(str(tmp_path))) // 201))
    monkeypatch.setattr(Path, "absolute", lambda path: deep / path)
    found = refused("threads: 1")
    said(
        "recipes.<name>: expected a path of less than 4096 bytes, found <number>, 320 of them for what is written",
        found,
    )


def test_what_lies_at_the_bounds_is_taken() -> None:
    """The smallest and the largest values, ranges of one value, and names of any script."""
    config = configuration.load(
        yaml.safe_load(BASE.replace("cat, dog", "chat noir, Käfer"))
        | {
            "device": "cuda:12",
            "recipes": {"größer als 0.3": {"seeds": "threshold~foreground=0." + "3" * 232}},
            "evaluate": {"seed": 2**32 - 1, "bootstrap": 100_000},
            "classifier": {"plain": {"crop": 16, "learning_rate": 1e3, "resize_scale": [1, 1], "seed": 0}},
            "cams": {"cam": {"scales": [0.05, 8]}},
            "segmenter": {"plain": {"crop": 8192, "jitter": [1, 1, 1, 0.5]}},
        }
    )
    assert choices.resolve(config, "classifier", "plain").settings["resize_scale"] == [1, 1]


def test_1e_3_is_a_number_wherever_one_is_meant() -> None:
    """YAML 1.1 reads it as text."""
    mine = "backbones: {mine: {net: 'timm:x', options: {drop_rate: 1e-3, pad_type: same, n: 3, in_22k: true}}}"
    config = configuration.load(yaml.safe_load(f"{BASE}{mine}\nclassifier: {{plain: {{learning_rate: 1e-3}}}}\n"))
    assert choices.resolve(config, "classifier", "plain").settings["learning_rate"] == 0.001
    assert choices.resolve(config, "classifier", "plain~learning_rate=2e-3").settings["learning_rate"] == 0.002
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
def project(tmp_path: Path, repository: Path) -> Path:
    runs.copy_of_project(repository, tmp_path)
    return tmp_path


def dry_run(project: Path, text: str) -> subprocess.CompletedProcess[str]:
    (project / "test.yaml").write_text(text)
    return runs.snakemake(project, "--dry-run", "--quiet")


@pytest.mark.workflow
def test_snakemake_refuses_a_key_that_stands_twice(project: Path) -> None:
    text, message = TEXTS["key twice"]
    done = dry_run(project, text)
    said(message, done.stdout)
    assert done.returncode == 1
    assert not (project / "results").exists()


@pytest.mark.workflow
def test_aliases_are_refused_before_the_values_are_looked_at(project: Path) -> None:
    started = time.monotonic()
    done = dry_run(project, BASE + LAUGHS + "compare_superpixels: *a40\n")  # 2 ** 40 strings, if expanded
    said(TEXTS["aliases of aliases"][1], done.stdout)
    assert done.returncode == 1
    assert time.monotonic() - started < 60


@pytest.mark.workflow
def test_snakemake_refuses_what_is_no_yaml_and_preflight_says_where(project: Path) -> None:
    done = dry_run(project, TEXTS["no YAML"][0])
    assert done.returncode == 1
    said("Config file is not valid JSON or YAML.", done.stdout)
    line = [sys.executable, "-m", "wsss_steps", "check", "test.yaml"]
    said(TEXTS["no YAML"][1], subprocess.run(line, cwd=project, capture_output=True, text=True).stderr)


@pytest.fixture
def read_only(project: Path) -> Iterator[Path]:
    """`results` lies on a read-only disk, if this user may mount one."""
    (project / "results").mkdir()
    mount = shutil.which("mount")
    done = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", "ro", "tmpfs", project / "results"], capture_output=True
    )
    if done and done.returncode == 0:
        yield project
        subprocess.run(["umount", project / "results"], check=True)
    elif os.geteuid() == 0:
        pytest.skip("root ignores the modes of files, and may not mount a read-only disk here")
    else:
        (project / "results").chmod(0o555)
        yield project
        (project / "results").chmod(0o755)


@pytest.mark.workflow
def test_snakemake_refuses_a_read_only_folder_before_the_first_job(read_only: Path) -> None:
    done = dry_run(read_only, BASE)
    said("results: cannot be written: results is read-only for this user", done.stdout)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout
