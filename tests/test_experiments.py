"""Experiments in the configuration: lists of values, random seeds, runs of some recipes alone, and what they train."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wsss_steps.errors import UserError
from wsss_steps.formats.files import write_text
from wsss_steps.report import tables
from wsss_steps.workflow import configuration, sharing, stages, targets, trainings
from wsss_steps.workflow.config import Config
from wsss_steps.workflow.declarations import about_row

DETECTOR = "saliency~saliency=(detector~pairs=drawn)"


def load(recipes: dict[str, Any] | None = None, **changes: Any) -> Config:
    base = {"dataset": "x", "draw": {}, "classes": ["a"], "recipes": recipes or {"a": {}}}
    return configuration.load(base | changes)


def lineages(config: Config) -> dict[str, str]:
    return {name: recipe.lineage() for name, recipe in config.recipes.items()}


# ---- lists of values


def test_a_list_stands_for_a_recipe_with_each_value() -> None:
    config = load({"a": {}, "sp": {"superpixels": "slic", "seeds": "superpixel~alpha=[0.30,0.4,0.5]"}})
    assert lineages(config) == {
        "a": "plain/cam/none/threshold/plain",
        "sp~alpha=0.3": "plain/cam/slic/superpixel~alpha=0.3/plain",
        "sp~alpha=0.4": "plain/cam/slic/superpixel~alpha=0.4/plain",
        "sp~alpha=0.5": "plain/cam/slic/superpixel/plain",  # as configured
    }


def test_lists_multiply_out_over_all_slots_the_first_slowest() -> None:
    config = load({"a": {"cams": "cam~flip=[true,false]~merge=max", "seeds": "threshold~foreground=[0.2,0.4]"}})
    assert list(config.recipes) == [f"a~flip={flip}~foreground={at}" for flip in ("true", "false") for at in (0.2, 0.4)]
    assert config.recipes["a~flip=false~foreground=0.2"].lineage() == (
        "plain/cam~flip=false~merge=max/none/threshold~foreground=0.2/plain"
    )


@pytest.mark.parametrize(
    ("slot", "text", "names"),
    [
        ("cams", "cam~scales=[1.0,0.5]", ["a"]),  # the setting is a list: one value
        ("cams", "cam~scales=[[1.0],[1.0,0.5]]", ["a~scales=[1]", "a~scales=[1,0.5]"]),
        ("classifier", "mdc~dilations=[]", ["a"]),
        ("classifier", "mdc~dilations=[[],[2]]", ["a~dilations=[]", "a~dilations=[2]"]),
        ("segmenter", "plain~resize_scale=[null,[0.5,1.5]]", ["a~resize_scale=null", "a~resize_scale=[0.5,1.5]"]),
        ("segmenter", "plain~resize_scale=[0.5,1.5]", ["a"]),
        ("segmenter", "plain~learning_rate=[1e-3,0.01]", ["a~learning_rate=0.001", "a~learning_rate=0.01"]),
        ("segmenter", "plain~backbone=[small,resnet50]", ["a~backbone=small", "a~backbone=resnet50"]),
        ("segmenter", "plain~epochs=[3]", ["a~epochs=3"]),
        ("superpixels", "dino~features=[rgb,keys]", ["a~features=rgb", "a~features=keys"]),
        (
            "superpixels",
            "dino~features=[(rgb~cell=4),keys]",
            ["a~features=(rgb~cell=4)", "a~features=keys"],
        ),
        (
            "superpixels",
            "dino~features=(keys~centre=[true,false])",
            ["a~features.centre=true", "a~features.centre=false"],
        ),
        (
            "seeds",
            "saliency~saliency=(unsupervised~features=(rgb~cell=[4,8])~tau=0.1)",
            ["a~saliency.features.cell=4", "a~saliency.features.cell=8"],
        ),
    ],
)
def test_what_is_several_values(slot: str, text: str, names: list[str]) -> None:
    assert list(load({"a": {slot: text}}).recipes) == names


def test_a_key_of_two_slots_has_its_slot_in_front() -> None:
    config = load({"a": {"classifier": "plain~epochs=[3,4]", "segmenter": "plain~epochs=[3,4]~power=[1,2]"}})
    assert len(config.recipes) == 8
    assert config.recipes["a~classifier.epochs=3~power=2~segmenter.epochs=4"].lineage() == (
        "plain~epochs=3/cam/none/threshold/plain~epochs=4~power=2"
    )


def test_each_link_of_a_chain_is_multiplied() -> None:
    recipe = {"cams": "cam+pamr~iterations=[3,4]", "superpixels": "slic"}
    found = load({"a": recipe | {"segmenter": "spsrg~epochs=[1,2]+plain~epochs=[3,4]"}}).recipes
    assert len(found) == 8
    assert found["a~iterations=3~plain.epochs=4~spsrg.epochs=1"].lineage() == (
        "plain/cam+pamr~iterations=3/slic/threshold/spsrg~epochs=1+plain~epochs=4"
    )


@pytest.mark.parametrize(
    ("recipes", "words"),
    [
        ({"a": {"seeds": "threshold~foreground=[]"}}, r"recipes.a: seeds .*foreground: .* \(found \[\]\)"),
        ({"a": {"seeds": "threshold~foreground=[0.3,2]"}}, r"foreground: .* \(found \[0.3, 2\]\)"),
        ({"a": {"seeds": "threshold~foreground=[0.3,0.01]"}}, "recipes.a~foreground=0.01: .* must not exceed"),
        ({"a": {"seeds": "threshold~foregroun=[0.3,0.4]"}}, "foregroun: unknown key; known keys"),
        ({"a": {"seeds": "treshold~foreground=[0.3,0.4]"}}, "unknown seeds method 'treshold'"),
        ({"a": {"seeds": "threshold~foreground=[0.3"}}, "expected a value of 'foreground' in YAML"),
        ({"a": {"seeds": "threshold~foreground=[0.3,0.30]"}}, r"expected one recipe 'a~foreground=0.3', found 2"),
        (
            {"a": {"seeds": "threshold~foreground=[0.3,0.4]"}, "a~foreground=0.4": {}},
            "expected one recipe 'a~foreground=0.4', found 2",
        ),
    ],
)
def test_what_is_said_of_wrong_lists(recipes: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        load(recipes)


# ---- random seeds


def test_without_random_seeds_a_run_is_a_recipe_as_configured() -> None:
    config = load({"a": {}, "b": {"segmenter": "plain~seed=3"}})
    assert [(run.name, run.random_seed, run.recipe) for run in config.runs] == [
        (name, None, recipe) for name, recipe in config.recipes.items()
    ]
    rows = stages.rows(config)
    assert {row.random_seed for row in rows} == {None}
    assert about_row(config, rows[0])["random_seed"] is None


def test_every_recipe_is_run_with_every_seed() -> None:
    config = load({"a": {}, "b": {"seeds": DETECTOR}}, random_seeds=[0, 1])
    assert [(run.name, run.random_seed, run.recipe.lineage()) for run in config.runs] == [
        ("a", 0, "plain/cam/none/threshold/plain"),  # shared with a run without random seeds
        ("a", 1, "plain~seed=1/cam/none/threshold/plain~seed=1"),
        ("b", 0, f"plain/cam/none/{DETECTOR}/plain"),
        ("b", 1, "plain~seed=1/cam/none/saliency~saliency=(detector~pairs=drawn~seed=1)/plain~seed=1"),
    ]
    row = next(row for row in stages.rows(config) if row.random_seed == 1 and row.stage == "seeds")
    assert row.score == "plain~seed=1/cam/none/threshold/evaluation/seeds/train.json"
    assert row.confusions == "plain~seed=1/cam/none/threshold/evaluation/seeds/train.h5"
    assert about_row(config, row)["random_seed"] == 1


def test_a_seed_in_a_choice_is_kept_also_where_it_is_the_configured_one() -> None:
    recipes = {
        "a": {"classifier": "plain~seed=0"},
        "b": {"segmenter": "plain~seed=7", "seeds": "saliency~saliency=(detector~pairs=drawn~seed=0)"},
    }
    runs = {(run.name, run.random_seed): run.recipe for run in load(recipes, random_seeds=[0, 1, 2]).runs}
    assert {runs["a", seed].classifier for seed in (0, 1, 2)} == {"plain"}
    assert [runs["a", seed].segmenter for seed in (0, 1, 2)] == ["plain", "plain~seed=1", "plain~seed=2"]
    assert {runs["b", seed].segmenter for seed in (0, 1, 2)} == {"plain~seed=7"}
    assert {runs["b", seed].seeds for seed in (0, 1, 2)} == {DETECTOR}


def test_a_configured_seed_is_none_of_a_choice() -> None:
    config = load(random_seeds=[0, 7], classifier={"plain": {"seed": 7}})
    assert [run.recipe.classifier for run in config.runs] == ["plain~seed=0", "plain"]


def test_a_configured_choice_within_a_choice_has_the_seed() -> None:
    config = load(
        {"a": {"seeds": "saliency"}}, random_seeds=[1], seeds={"saliency": {"saliency": "detector~pairs=drawn"}}
    )
    assert config.runs[0].recipe.seeds == "saliency~saliency=(detector~pairs=drawn~seed=1)"


def test_ground_truth_and_none_have_no_seed() -> None:
    recipe = {"seeds": "saliency~saliency=ground_truth"}
    (run,) = load({"a": recipe}, random_seeds=[1]).runs
    assert (run.recipe.seeds, run.recipe.superpixels) == ("saliency~saliency=ground_truth", "none")


def test_each_link_of_a_chain_has_the_seed() -> None:
    recipe = {"cams": "cam+pamr", "superpixels": "slic", "segmenter": "spsrg+plain~seed=3~epochs=2+plain~seed=0"}
    (run,) = load({"a": recipe}, random_seeds=[1]).runs
    assert run.recipe.lineage() == ("plain~seed=1/cam+pamr/slic/threshold/spsrg~seed=1+plain~epochs=2~seed=3+plain")


def test_a_seed_that_makes_a_name_too_long_is_refused() -> None:
    text = "+".join(["plain~learning_rate=0.01"] * 10)
    assert len(load({"a": {"segmenter": text}}).recipes["a"].segmenter) == 249
    with pytest.raises(UserError, match="expected a file name of at most 255 bytes"):
        load({"a": {"segmenter": text}}, random_seeds=[1])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"random_seeds": [0, 1, 0, 1, 2]}, "random_seeds: expected each once, found 0, 1 more than once"),
        ({"random_seeds": [-1]}, "random_seeds.0: .*greater than or equal to 0"),
        ({"only": "b"}, "only: unknown recipe 'b'; known recipes: a"),
        ({"only": ["a", "c/d"]}, "only: unknown recipe 'c/d'"),
    ],
)
def test_what_is_said_of_wrong_seeds_and_names(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        load(**changes)


# ---- some recipes alone

SWEEP = {
    "cam": {},
    "sp": {"superpixels": "slic", "seeds": "superpixel~alpha=[0.3,0.4]"},
    "b": {"cams": "cam~flip=false"},
}


@pytest.mark.parametrize(
    ("only", "names", "folder"),
    [
        ((), ["cam", "sp~alpha=0.3", "sp~alpha=0.4", "b"], "results/x"),
        ("sp", ["sp~alpha=0.3", "sp~alpha=0.4"], "results/x/tables/sp"),
        ("sp~alpha=0.4", ["sp~alpha=0.4"], "results/x/tables/sp~alpha=0.4"),
        (["b", "cam"], ["cam", "b"], "results/x/tables/b+cam"),
    ],
)
def test_only_some_recipes_are_run_with_tables_of_their_own(only: Any, names: list[str], folder: str) -> None:
    config = load(SWEEP, only=only, compare_superpixels=["slic"])
    assert [run.name for run in config.runs] == names
    assert list(dict.fromkeys(row.name for row in stages.rows(config))) == names
    assert config.tables_folder == folder
    assert ("<tables>/superpixels.csv" in targets.targets(config)) == (not only)
    made = [path for path in targets.targets(config) if path.endswith("/pseudo_labels")]
    assert made == [f"<results>/{run.recipe.lineage()}/pseudo_labels" for run in config.runs]


def test_tables_of_some_recipes_lie_below_those_of_the_file() -> None:
    assert load(only="a", tables="b").tables_folder == "results/x/tables/b/a"


# ---- targets


def test_the_gallery_shows_the_first_random_seed() -> None:
    config = load(SWEEP, random_seeds=[1, 0])
    paths = targets.sources_of_gallery(config)
    assert all("plain~seed=1/" in path for path in paths if "/superpixels/" not in path)
    assert len([path for path in paths if path.endswith("pseudo_labels")]) == 4


def test_targets_cover_every_random_seed() -> None:
    saliency = targets.saliency_of_summary(load({"a": {"seeds": DETECTOR}}, random_seeds=[0, 1]))
    assert [path.split("/")[-2] for path in saliency] == ["detector~pairs=drawn", "detector~pairs=drawn~seed=1"]
    config = load(random_seeds=[0, 1])
    assert {"<tables>/tables.md", "<results>/plain~seed=1/evaluation/tags/val.json"} <= set(targets.targets(config))
    assert targets.confusions_of_rows(config) == [
        path.replace(".json", ".h5") for path in targets.scores_of_summary(config)
    ]
    assert len(set(targets.confusions_of_rows(config))) == 10
    assert "<tables>/tables.md" not in targets.targets(load(mask_folder=None, random_seeds=[0, 1]))


def test_what_is_printed_names_the_random_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    row = dict.fromkeys(tables.MEANS, "") | {"recipe": "a", "miou": "0.5", "left_out": "0; 2"}
    for name, columns in (("means", tables.MEANS), ("summary", tables.COLUMNS)):
        text = f"{','.join(columns)}\n{','.join(row.get(column, '') for column in columns)}\n"
        write_text(tmp_path / f"results/x/{name}.csv", text)
    place = "results/x/plain~seed=1/cam/none/threshold/plain~seed=1/pseudo_labels/"
    (tmp_path / place).mkdir(parents=True)
    lines = targets.printed(load(random_seeds=[0, 1])).splitlines()
    assert "Table: results/x/means.csv" in lines
    assert "Table: results/x/summary.csv" not in lines
    assert "Training images left out without a saliency map: 0; 2 (recipes: a)" in lines
    assert f"Pseudo-labels of recipe a, random seed 1: {place}" in lines


# ---- what is trained, what is recorded


def test_trainings_are_counted_once_for_what_runs_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = load({"a": {}, "b": {"seeds": "threshold~foreground=[0.2,0.4]"}}, random_seeds=[0, 1])
    used, distinct = trainings.trainings(config)
    assert (used, len(distinct)) == (12, 8)  # two classifiers, six segmenters
    made = tmp_path / "results/x/plain/classifier.safetensors"
    made.parent.mkdir(parents=True)
    made.touch()
    assert trainings.planned(config) == (
        "Trainings of 6 run(s) (3 recipe(s) x 2 random seed(s)): 12 networks, 4 of them shared; "
        "8 are distinct: 1 exist already, 7 are new"
    )
    assert trainings.planned(load()).startswith(
        "Trainings of 1 run(s): 2 networks, 0 of them shared; 2 are distinct: 1 "
    )


def test_the_network_of_a_refiner_is_a_training() -> None:
    found = trainings.trainings(load(recipes={"a": {"cams": "cam+pamr+random_walk~epochs=3+crf"}}))[1]
    assert [path for path in found if "refiner" in path] == ["plain/cam+pamr+random_walk~epochs=3/refiner.safetensors"]


def test_detectors_and_keys_are_trainings_too() -> None:
    keys = {"keys": {"vit": "own", "weights": "pretrain_keys"}}
    recipes = {"a": {"seeds": DETECTOR, "superpixels": "dino"}, "b": {"seeds": "saliency~saliency=unsupervised"}}
    config = load(recipes, features=keys)
    found = trainings.trainings(config)[1]
    assert found == [
        "plain/classifier.safetensors",
        f"plain/cam/dino/{DETECTOR}/plain/segmenter.safetensors",
        "saliency/detector~pairs=drawn/detector.safetensors",
        "features/vit.safetensors",
        "plain/cam/none/saliency~saliency=unsupervised/plain/segmenter.safetensors",
    ]


def test_keys_that_two_choices_of_a_recipe_take_are_one_training() -> None:
    recipe = {"superpixels": "dino", "seeds": "saliency~saliency=unsupervised"}
    config = load({"a": recipe}, features={"keys": {"vit": "own", "weights": "pretrain_keys"}})
    assert trainings.trainings(config)[0] == 3


def test_each_link_of_a_chain_is_a_training() -> None:
    config = load({"a": {"cams": "cam+pamr", "superpixels": "slic", "segmenter": "spsrg+plain"}})
    lineage = "plain/cam+pamr/slic/threshold"
    assert trainings.trainings(config) == (
        3,
        [
            "plain/classifier.safetensors",
            f"{lineage}/spsrg/segmenter.safetensors",
            f"{lineage}/spsrg+plain/segmenter.safetensors",
        ],
    )
    assert {"cams cam", "refiner pamr", "segmenter spsrg", "segmenter plain"} <= sharing.record_of(config, [])[
        "settings"
    ].keys()


def test_the_record_has_every_recipe_and_seed_whatever_only_says() -> None:
    whole, restricted = (load(SWEEP, random_seeds=[0, 1], only=only) for only in ((), "cam"))
    found = sharing.record_of(whole, [])
    assert found == sharing.record_of(restricted, [])
    assert {"classifier plain~seed=1", "seeds superpixel~alpha=0.3", "cams cam~flip=false"} <= found["settings"].keys()


def test_a_run_of_some_recipes_keeps_away_from_the_tables_of_another_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.yaml", "b.yaml"):
        Path(name).touch()
    sharing.record(load(tables="a"), [Path("a.yaml")])
    with pytest.raises(UserError, match="its tables are those of a.yaml"):
        sharing.check(load(only="a"), [Path("b.yaml")])
    with pytest.raises(UserError, match="its tables are those of a.yaml"):
        sharing.check(load(only="a", tables="a"), [Path("b.yaml")])
    sharing.check(load(only="a", tables="b"), [Path("b.yaml")])
