from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fault_table import said
from tiny_voc import make_voc, prepare_words

from wsss_steps.cli import existing, main, parser_of, step_of
from wsss_steps.errors import UserError, all_wrong
from wsss_steps.formats.files import write_json
from wsss_steps.formats.stamps import read_stamp
from wsss_steps.training import devices

DEVICE = "ERROR device: expected auto, cpu, cuda or cuda:N with the number of a GPU, found "
calls: list[dict[str, Any]] = []


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    """Clears earlier calls, and restores the root logger, which `main` sets up for itself."""
    calls.clear()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def step(
    *,
    input_map: Path,
    extra: Path | None = None,
    parts: list[Path],
    settings: dict[str, Any],
    device: str = "cpu",
    stamp: str = "",
) -> None:
    calls.append(locals())


def simple(*, source: Path, settings: dict[str, Any], stamp: str = "") -> None:
    error = settings.get("error")
    if error:
        raise {"user": UserError, "file": OSError, "bug": KeyError}[error]("what went wrong")
    calls.append(locals())


def test_options_come_from_the_signature() -> None:
    words = ["--input-map", "a", "--parts", "b", "c", "--settings", '{"x":[1,2]}', "--device", "cpu"]
    options = vars(parser_of(step).parse_args(words))
    assert options["input_map"] == Path("a")
    assert options["extra"] is None
    assert options["parts"] == [Path("b"), Path("c")]
    assert options["settings"] == {"x": [1, 2]}
    assert "device" not in vars(parser_of(simple).parse_args(["--source", "a", "--settings", "{}"]))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--settings {}", "the following arguments are required: --source"),
        ("--source a", "the following arguments are required: --settings"),
        ("--source a --settings {", "argument --settings: invalid"),
        ("--source a --settings {} --sauce b", "unrecognized arguments: --sauce b"),
    ],
)
def test_wrong_words_end_with_usage(words: str, message: str, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(simple, words.split())
    assert message in capsys.readouterr().err


def test_a_list_may_be_empty() -> None:
    main(step, ["--input-map", "a", "--parts", "--settings", "{}", "--device", "cpu"])
    assert calls[0]["parts"] == []


def test_the_stamp_tells_what_was_used(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    words = ["--input-map", f"{tmp_path}/a", "--parts", f"{tmp_path}/b", f"{tmp_path}/missing"]
    main(step, [*words, "--settings", '{"x": 1}', "--code", "c0de", "--device", "auto"])
    stamp = json.loads(calls[0]["stamp"])
    assert (stamp["step"], stamp["settings"], stamp["code"]) == (step.__module__, {"x": 1}, "c0de")
    assert stamp["device"] in ("cpu", "cuda")
    assert sorted(stamp["inputs"]) == ["input_map", "parts[0]"]  # what does not exist yet is not an input
    assert stamp["inputs"]["input_map"]["sha256"].startswith("ca978112ca1bbdca")  # SHA-256 of "a"


def test_existing_paths_only(tmp_path: Path) -> None:
    options = {"a": tmp_path, "b": tmp_path / "no", "c": [tmp_path / "no", tmp_path], "d": None, "settings": {}}
    assert existing(options) == {"a": tmp_path, "c[1]": tmp_path}


def test_the_stamp_has_the_device_that_was_leased_and_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "leased", lambda _: contextlib.nullcontext("cuda:3"))
    main(step, ["--input-map", "a", "--parts", "--settings", "{}", "--device", "cuda", "--code", "c0de"])
    stamp = json.loads(calls[0]["stamp"])
    assert (calls[0]["device"], stamp["device"], stamp["code"]) == ("cuda:3", "cuda:3", "c0de")


def test_what_a_step_writes_is_no_input_though_a_former_one_be_there(tmp_path: Path) -> None:
    written = dict.fromkeys(("output", "output_raw", "output_growth", "history", "score"), tmp_path)
    assert existing({"manifest": tmp_path, "root": tmp_path, **written}) == {"manifest": tmp_path}


@pytest.mark.parametrize(("error", "shown"), [("user", "ERROR what went wrong"), ("file", "ERROR what went wrong")])
def test_errors_of_the_user_are_shown_alone(error: str, shown: str, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit, match="1"):
        main(simple, ["--source", "a", "--settings", json.dumps({"error": error})])
    printed = capsys.readouterr().err
    assert shown in printed
    assert "Traceback" not in printed


def test_other_errors_are_shown_with_a_traceback(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    log = tmp_path / "logs" / "step.log"
    with pytest.raises(SystemExit, match="1"):
        main(simple, ["--source", "a", "--settings", '{"error": "bug"}', "--log", str(log)])
    for text in (capsys.readouterr().err, log.read_text()):
        assert "unexpected error: please report it with this log" in text
        assert "Traceback" in text


def test_an_unknown_device_is_refused(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit, match="1"):
        main(step, ["--input-map", "a", "--parts", "--settings", "{}", "--device", "tpu"])
    assert DEVICE + "'tpu'" in capsys.readouterr().err


def test_a_device_that_is_a_command_is_refused(capsys: pytest.CaptureFixture) -> None:
    """Snakemake's --set-resources accepts any text."""
    with pytest.raises(SystemExit, match="1"):
        main(step, ["--input-map", "a", "--parts", "--settings", "{}", "--device", "cpu; touch x"])
    said(DEVICE + "'cpu; touch x'", capsys.readouterr().err)
    assert not calls


def test_a_step_from_the_command_line(tmp_path: Path, repository: Path) -> None:
    root = make_voc(tmp_path / "voc")
    words = [*prepare_words(root, tmp_path / "m.json"), "--log", str(tmp_path / "log")]
    command = [sys.executable, "-m", "wsss_steps.prepare", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=repository)
    assert done.returncode == 0, done.stderr
    assert "images of train: 3 of 3" in (tmp_path / "log").read_text()  # progress
    (root / "JPEGImages" / "t0.jpg").unlink()
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=repository)
    assert done.returncode == 1
    assert "t0: no such image" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_step_that_calls_itself_main_has_its_name_in_the_stamp(tmp_path: Path, repository: Path) -> None:
    (tmp_path / "toy.py").write_text(
        "from pathlib import Path\n"
        "from wsss_steps.cli import main\n"
        "def run(*, output: Path, settings: dict, stamp: str = '') -> None:\n"
        "    output.write_text(stamp)\n"
        "main(run)\n"
    )
    words = ["--output", str(tmp_path / "stamp.json"), "--settings", "{}"]
    environment = {**os.environ, "PYTHONPATH": str(repository)}
    subprocess.run([sys.executable, "-m", "toy", *words], check=True, cwd=tmp_path, env=environment)
    assert json.loads((tmp_path / "stamp.json").read_text())["step"] == "toy"


def test_the_name_of_a_step_that_was_imported() -> None:
    from wsss_steps import prepare

    assert step_of(prepare.run) == "wsss_steps.prepare"


def test_all_wrong_lists_many_problems_and_counts_the_rest() -> None:
    all_wrong("headline", [])
    with pytest.raises(UserError) as caught:
        all_wrong("headline", [f"row {number}" for number in range(53)])
    lines = str(caught.value).splitlines()
    assert lines[0] == "headline (53):"
    assert lines[50:] == ["  row 49", "  ... and 3 more"]


def test_an_older_process_does_not_replace_what_a_newer_one_made(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """An orphaned job with other settings ends after the job that replaced it."""
    output = tmp_path / "seeds.json"

    def make(*, output: Path, settings: dict[str, Any], stamp: str = "") -> None:
        if settings.get("lost"):
            newer = json.loads(stamp) | {"settings": settings["newer"]}
            later = tmp_path / "later.json"
            later.write_text(json.dumps({"provenance": newer}))
            later.replace(output)
            os.utime(output, (time.time() + 1, time.time() + 1))
        write_json(output, {"provenance": json.loads(stamp)})

    def run(**given: Any) -> None:
        main(make, ["--output", str(output), "--settings", json.dumps(given)])

    run(alpha=1)
    run(alpha=2)
    assert read_stamp(output)["settings"] == {"alpha": 2}, "what is older than this process is replaced"
    with pytest.raises(SystemExit):
        run(lost=True, newer={"alpha": 3})
    assert "was made by another process since this one began, of other settings" in capsys.readouterr().err
    assert read_stamp(output)["settings"] == {"alpha": 3}
    assert [path.name for path in tmp_path.iterdir()] == ["seeds.json"], "and nothing half-written is left"


def test_equal_processes_may_replace_each_other(tmp_path: Path) -> None:
    output = tmp_path / "a.json"

    def make(*, output: Path, settings: dict[str, Any], stamp: str = "") -> None:
        for _ in range(2):
            write_json(output, {"provenance": json.loads(stamp)})
            os.utime(output, (time.time() + 5, time.time() + 5))

    main(make, ["--output", str(output), "--settings", "{}"])
    assert output.exists()
