"""The text of the rules: nothing in the configuration runs as a command, and no output is a user's file."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from snakemake.resources import Resource

from wsss_steps.settings.base import Settings
from wsss_steps.settings.registry import METHODS

RULES = Path(__file__).resolve().parent.parent / "rules"
RULE = re.compile(r"^ *(?:rule|checkpoint) (\w+):\n(.*?)(?=^ *(?:rule|checkpoint) |\Z)", re.MULTILINE | re.DOTALL)
DIRECTIVE = re.compile(r"^ *(\w+):(.*?)(?=^ *\w+:\s|\Z)", re.MULTILINE | re.DOTALL)
TEXT = re.compile(r'f?"([^"]*)"')
SEES_GROUND_TRUTH = {
    *("prepare_masks", "evaluate", "evaluate_superpixels", "ground_truth_saliency", "draw_gallery", "draw_pictures"),
}


def directives() -> dict[str, dict[str, str]]:
    """The text of every directive of every rule."""
    return {
        name: {key: text for key, text in DIRECTIVE.findall(body)}
        for path in sorted(RULES.glob("*.smk"))
        for name, body in RULE.findall(path.read_text(encoding="utf-8"))
    }


RULES_BY_NAME = directives()


def test_all_rules_are_found() -> None:
    assert len(RULES_BY_NAME) >= 25
    assert all({"output", "shell", "params", "log"} <= found.keys() for found in RULES_BY_NAME.values())


@pytest.mark.parametrize("name", RULES_BY_NAME)
def test_every_interpolation_in_a_command_is_quoted(name: str) -> None:
    """`device: 'cpu; touch x'` once ran `touch x`."""
    command = " ".join(TEXT.findall(RULES_BY_NAME[name]["shell"])).replace("{{", "").replace("}}", "")
    found = re.findall(r"{[^{}]*}", command)
    assert found
    assert [part for part in found if not part.endswith(":q}")] == []


@pytest.mark.parametrize("name", RULES_BY_NAME)
def test_every_output_lies_below_the_results(name: str) -> None:
    """Snakemake deletes a job's outputs before it runs: a user's folder among them would be lost."""
    written = TEXT.findall(RULES_BY_NAME[name]["output"])
    assert written
    assert [path for path in written if not path.startswith(("<results>/", "<tables>/"))] == []
    assert "CONFIG" not in RULES_BY_NAME[name]["output"]


@pytest.mark.parametrize("name", RULES_BY_NAME)
def test_the_ground_truth_reaches_evaluation_only(name: str) -> None:
    given = RULES_BY_NAME[name].get("input", "")
    sees = "ground_truth.json" in given or "ground_truths=" in given  # of one split, or of all
    assert sees == (name in SEES_GROUND_TRUTH - {"prepare_masks"})


@pytest.mark.parametrize("name", RULES_BY_NAME)
def test_the_boxes_reach_their_evaluation_only(name: str) -> None:
    assert ("boxes.json" in RULES_BY_NAME[name].get("input", "")) == (name == "evaluate_boxes")


@pytest.mark.parametrize("name", RULES_BY_NAME)
def test_a_rule_runs_the_step_of_its_name_and_knows_its_code(name: str) -> None:
    """Except three rules that share a step."""
    step = {"make_pseudo_labels": "predict", "join_stores": "join_shards", "join_label_maps": "join_shards"}.get(
        name, name
    )
    assert re.search(
        rf"wsss_steps(\.training\.launch {{resources.processes:q}} |\.){step} ",
        " ".join(TEXT.findall(RULES_BY_NAME[name]["shell"])),
    )
    code = re.search(r"code=(\w+)(\(\"(\w+)\")?", RULES_BY_NAME[name]["params"])
    assert code
    assert code[3] == step


def test_every_rule_that_wants_a_gpu_asks_a_cluster_for_one() -> None:
    """Without a row in the profile it would ask for a GPU on the partition without any."""
    profile = yaml.safe_load((RULES.parent / "profiles" / "slurm" / "config.yaml").read_text(encoding="utf-8"))
    rows = profile["set-resources"]
    resources = {name: found.get("resources", "") for name, found in RULES_BY_NAME.items()}
    by_method = {name for name, text in resources.items() if "gpu=planned(planning.gpus" in text}
    wants = {name for name, text in resources.items() if "gpu=" in text} - by_method
    asks = {name for name, row in rows.items() if row.get("slurm_partition") == "gpu"}
    assert wants == asks
    assert by_method == {"make_superpixels"}
    assert "gpu" not in rows["make_superpixels"], "the rule knows which method wants one"


@pytest.mark.parametrize("cls", METHODS["superpixels"])
def test_superpixels_by_a_network_are_made_where_the_gpus_are(cls: type[Settings]) -> None:
    """As Snakemake reads the profile, in which a partition may depend on the wildcards."""
    profile = yaml.safe_load((RULES.parent / "profiles" / "slurm" / "config.yaml").read_text(encoding="utf-8"))
    row = profile["default-resources"] | profile["set-resources"]["make_superpixels"]
    wildcards = SimpleNamespace(superpixels=cls.model_fields["method"].default)
    about: dict[str, Any] = {"wildcards": wildcards, "input": [], "attempt": 1, "async_run": None}
    found = Resource.cli_evaluator("slurm_partition", row["slurm_partition"], **about)
    assert found == ("gpu" if cls.on_device else "cpu")
