"""The command estimate: costs by hand, slices of every layout, plans as Snakemake words them, and a whole one."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest
import snakemake_runs as runs
import tiny_archives
import tiny_voc
import yaml
from photo_folders import make_folder, table_of_all

from wsss_steps import measuring
from wsss_steps.__main__ import main
from wsss_steps.commands.estimate import _count, _positive
from wsss_steps.errors import UserError
from wsss_steps.estimating import cuts, plans, reports, scaling, session, slices, stand_ins
from wsss_steps.estimating.estimates import Measured, bytes_of, estimate
from wsss_steps.estimating.plans import Job
from wsss_steps.estimating.sizes import Sizes
from wsss_steps.workflow import configuration
from wsss_steps.workflow.config import Config


def loop(
    seconds: list[float],
    sizes: list[int] | None = None,
    *,
    what: str = "images",
    threads: float = 1.0,
    later: float = 0.0,
) -> measuring.Loop:
    """A loop whose items take so many seconds, on so many threads."""
    cpu = [second * threads for second in seconds]
    return measuring.Loop(what, seconds, cpu, sizes or [1] * len(seconds), later)


def spent(*loops: measuring.Loop, seconds: float = 30.0, cpu: float = 30.0) -> scaling.Spent:
    return scaling.Spent(seconds, cpu, 500.0, loops)


# ---- costs


def test_a_loop_over_images_costs_its_mean_item_and_the_start_once() -> None:
    # 10 s to start, 20 images of 1 s; 100 times as many
    cost = scaling.scaled(spent(loop([1.0] * 20)), scaling.Size(100.0))
    assert [cost.seconds, cost.cpu_seconds] == pytest.approx([10 + 2000, 10 + 2000])
    assert (cost.memory_mb, cost.spread, cost.grows) == (500.0, scaling.LEAST, False)
    assert scaling.start_of(spent(loop([1.0] * 20))) == (10.0, 10.0)


def test_cpu_time_keeps_the_share_of_threads() -> None:
    # the loop takes 20 s, and 40 CPU seconds on two threads
    cost = scaling.scaled(spent(loop([1.0] * 20, threads=2.0), cpu=50.0), scaling.Size(10.0))
    assert [cost.seconds, cost.cpu_seconds] == pytest.approx([10 + 200, 10 + 400])


def test_the_first_item_is_left_out_of_the_mean() -> None:
    assert scaling.per_item(loop([9.0, 1.0, 2.0, 3.0]))[0] == 2.0


def test_a_training_costs_its_images_whatever_the_batches() -> None:
    # steps of 8, 8 and 4 images; 0.5 s an image but in the first step; 400 images, 50 epochs
    steps = loop([10.0, 4.0, 2.0], [8, 8, 4], what=scaling.STEPS)
    cost = scaling.scaled(spent(steps, seconds=26.0, cpu=26.0), scaling.Size(20.0, seen=20_000, batch=8))
    assert cost.seconds == pytest.approx(10 + 0.5 * 20_000)
    assert not cost.grows
    assert scaling.scaled(spent(steps), scaling.Size(20.0, seen=1, batch=16)).grows


def test_steps_count_by_their_median() -> None:
    # 1 s an image, but in the first batch of each size
    assert scaling.per_item(loop([30.0, 8.0, 20.0, 8.0, 8.0, 4.0], [8, 8, 4, 8, 8, 4], what=scaling.STEPS))[0] == 1.0


def test_two_standard_errors_by_hand() -> None:
    # 1, 2 and 3 s after the first item: mean 2, deviation 1, error 1 / sqrt 3
    each, share = scaling.per_item(loop([7.0, 1.0, 2.0, 3.0]))
    assert [each, share] == pytest.approx([2.0, 1 / 3**0.5])
    assert scaling.per_item(loop([2.0, 4.0])) == (3.0, scaling.OF_FEW)


def test_other_programs_make_seconds_longer_and_not_cpu_seconds() -> None:
    # 1 CPU second each; in half of the images another program had the core for 4 s
    disturbed = measuring.Loop("images", [1.0, 5.0] * 10, [1.0] * 20, [1] * 20)
    cost = scaling.scaled(spent(disturbed, seconds=70.0), scaling.Size(10.0))
    assert [cost.seconds, cost.cpu_seconds] == pytest.approx([10 + 200, 10 + 200])


def test_of_a_busy_machine_seconds_are_at_most_cpu_seconds() -> None:
    disturbed = loop([5.0] * 20, threads=0.2)  # 1 CPU second each
    cost = scaling.scaled(spent(disturbed, seconds=160.0, cpu=30.0), scaling.Size(10.0), busy=True)
    assert cost.seconds == pytest.approx(10 + scaling.OF_A_START + 200)


def test_calls_of_worker_processes_are_shared_out() -> None:
    # of 1 s an image, 0.8 s are a dense CRF: with 2 threads 0.4 s of it, with 8 the other 0.2 s take longest
    crf = loop([1.0] * 20, later=16.0)
    taken = [
        scaling.scaled(spent(crf, seconds=20.0, cpu=20.0), scaling.Size(10.0), threads=threads) for threads in (1, 2, 8)
    ]
    assert [cost.seconds for cost in taken] == pytest.approx([160, 80, 40])
    assert [cost.cpu_seconds for cost in taken] == pytest.approx([200] * 3)


def test_a_step_without_a_loop_is_a_lower_bound() -> None:
    cost = scaling.scaled(spent(), scaling.Size(1000.0))
    assert (cost.seconds, cost.grows) == (30.0, True)


def test_jobs_wait_for_cores_gpus_and_each_other() -> None:
    jobs = {"a": (10.0, 1, False), "b": (10.0, 1, False), "c": (5.0, 2, False)}
    assert scaling.wall(jobs, {}, 2, 0) == 15.0
    assert scaling.wall(jobs, {"b": {"a"}}, 2, 0) == 25.0
    assert scaling.wall({name: (10.0, 1, True) for name in "abcd"}, {}, 8, 2) == 20.0
    assert scaling.wall({"wide": (10.0, 16, True)}, {}, 2, 0) == 10.0
    with pytest.raises(ValueError, match="each other: \\['a', 'b'\\]"):
        scaling.wall(jobs, {"a": {"b"}, "b": {"a"}, "c": set()}, 2, 0)


# ---- what a job notes


def test_a_job_notes_its_loops(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(measuring, "_loops", [])
    batches = [{"images": [1, 2, 3]}, {"images": [4]}]
    assert list(measuring.watched(batches, "training steps", 2)) == batches
    assert measuring.later(str, 5) == "5"
    measuring._write(tmp_path / "a.log.spent.json", 0.0)
    found = scaling.read_spent(tmp_path / "a.log", tmp_path / "none.tsv")
    assert found is not None
    assert found.loops[0].sizes == [3, 1]
    assert len(found.loops[0].seconds) == 2
    assert found.loops[0].later > 0
    assert found.memory_mb > 1
    assert scaling.read_spent(tmp_path / "b.log", tmp_path / "none.tsv") is None


def test_a_slow_training_ends_with_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    # 4 epochs of 3 steps, slow from the first on: one epoch, so that its history has a row
    monkeypatch.setattr(measuring, "_loops", [])
    monkeypatch.setattr(measuring, "ENOUGH", -1.0)
    monkeypatch.setenv(measuring.VARIABLE, "4")
    assert list(measuring.watched(range(12), measuring.TRAINING, 12)) == [0, 1, 2]
    assert list(measuring.watched(range(12), "images", 12)) == list(range(12))


def test_snakemakes_own_measure_counts_where_it_is_larger(tmp_path: Path) -> None:
    content = {"seconds": 3.0, "cpu_seconds": 2.0, "memory_mb": 100.0, "loops": []}
    (tmp_path / "a.log.spent.json").write_text(json.dumps(content))
    table = tmp_path / "a.tsv"
    table.write_text("s\th:m:s\tmax_rss\n4.5\t0:00:04\t250.0\n")
    assert scaling.read_spent(tmp_path / "a.log", table) == scaling.Spent(4.5, 2.0, 250.0)
    table.write_text("s\th:m:s\tmax_rss\n0.5\t0:00:00\t-\n")
    assert scaling.read_spent(tmp_path / "a.log", table) == scaling.Spent(3.0, 2.0, 100.0)


# ---- slices


def test_images_are_taken_at_even_distances() -> None:
    assert cuts.spread(list(range(10)), 4) == [0, 2, 5, 7]
    assert cuts.spread([1, 2], 20) == [1, 2]


def sliced(content: dict[str, Any], tmp_path: Path, images: int = 1) -> tuple[Config, cuts.Cut]:
    """The configuration of the slice, loaded, and the cut."""
    config = configuration.load(content)
    cut = cuts.cut(config, images, tmp_path / "slice")
    return configuration.load(slices.derived(content, config, cut, "slice", 2)), cut


RECIPE = {"recipes": {"cam": {}}, "backbones": {"resnet50": {"net": "resnet50"}, "resnet101": {"net": "resnet101"}}}


def test_a_slice_of_drawn_scenes(tmp_path: Path) -> None:
    config, cut = sliced({**runs.DRAWN, **RECIPE}, tmp_path, 3)
    assert config.draw is not None
    assert (config.draw.train, config.draw.val) == (3, 3)
    assert (cut.full, cut.taken) == ({"train": 10, "val": 4, "scored": 10}, {"train": 3, "val": 3, "scored": 3})


def test_a_slice_of_lists(tmp_path: Path) -> None:
    root = tiny_voc.make_voc(tmp_path / "voc")
    content = {"dataset": "voc", "root": str(root), "classes": tiny_voc.CLASSES, **RECIPE}
    config, cut = sliced(content, tmp_path)
    ids = tiny_voc.SPLITS["train"]
    assert cut.full["train"] == len(ids)
    assert Path(config.train_list).read_text().split() == [ids[0]]
    assert Path(config.splits["val"]).read_text().split() == [tiny_voc.SPLITS["val"][0]]


def test_a_slice_of_scored_images(tmp_path: Path) -> None:
    root = tiny_voc.make_voc(tmp_path / "voc")
    tiny_voc.write_list(root, "scored", tiny_voc.SPLITS["train"][1:])
    scored = {"scored_list": "ImageSets/Segmentation/scored.txt"}
    content = {"dataset": "voc", "root": str(root), "classes": tiny_voc.CLASSES, **scored, **RECIPE}
    config, cut = sliced(content, tmp_path)
    assert cut.full["scored"] == len(tiny_voc.SPLITS["train"]) - 1
    assert Path(str(config.scored_list)).read_text().split() == [tiny_voc.SPLITS["train"][1]]


def test_a_slice_of_voc_as_its_archives_unpack(tmp_path: Path) -> None:
    root = tiny_archives.make_voc(tmp_path)
    convert = {"format": "voc2012", "published_counts": False}
    content = {"dataset": "voc", "root": str(root), "convert": convert, "classes": tiny_archives.CLASSES, **RECIPE}
    config, cut = sliced(content, tmp_path, 2)
    assert (cut.full, cut.taken["train"]) == ({"train": 4, "val": 1, "scored": 4}, 2)
    assert config.convert is not None
    assert Path(config.root).parent == tmp_path / "slice"
    assert (Path(config.root) / "JPEGImages").is_symlink()


def test_a_slice_of_coco_counts_images_with_a_tag(tmp_path: Path) -> None:
    root = tiny_archives.make_coco(tmp_path / "coco")
    convert = {"format": "coco2014", "published_counts": False}
    content = {"dataset": "coco", "root": str(root), "convert": convert, "classes": ["person", "cat"], **RECIPE}
    config, cut = sliced(content, tmp_path, 1)
    # of the four training images one has a person and a cat, the others have none but a crowd, a brush or nothing
    assert cut.full == {"train": 1, "val": 2, "scored": 1}
    names = json.loads((Path(config.root) / "annotations/instances_train2014.json").read_text())["images"]
    assert [one["id"] for one in names] == [9]
    (root / "annotations/instances_val2014.json").write_text("{}")
    with pytest.raises(UserError, match="no readable annotations of COCO"):
        cuts.cut(configuration.load(content), 1, tmp_path / "other")


def test_a_slice_of_a_plain_folder(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "images")
    table_of_all(folder / "tags.csv")
    config, cut = sliced({"dataset": "own", "images": str(folder), "max_side": 64, **RECIPE}, tmp_path)
    photographs = [path for path in Path(str(config.images)).rglob("*") if path.is_symlink()]
    assert len(photographs) == sum(count for name, count in cut.taken.items() if name != "scored")
    assert set(config.classes) == set(configuration.load({"dataset": "own", "images": str(folder), **RECIPE}).classes)


def test_choices_lose_what_does_not_change_the_cost_of_an_image() -> None:
    assert slices.shortened("classifier", "plain~crop=64~epochs=30~seed=2") == "plain~crop=64"
    assert slices.shortened("segmenter", "plain~epochs=3+spsrg~seed=1") == "plain+spsrg"
    assert slices.shortened("seeds", "saliency~saliency=(detector~epochs=3)~tau_1=0.5") == (
        "saliency~saliency=detector~tau_1=0.5"
    )
    assert slices.shortened("cams", "cam+random_walk~seeds=(irn~foreground=0.4)") == (
        "cam+random_walk~seeds=(irn~foreground=0.4)"
    )
    assert slices.shortened("segmenter", "none") == "none"


def test_jobs_of_other_random_seeds_are_one_of_the_slice(tmp_path: Path) -> None:
    recipes = {"short": {"segmenter": "plain~epochs=3"}, "long": {"segmenter": "plain"}}
    content = {**runs.DRAWN, **RECIPE, "recipes": recipes, "random_seeds": [0, 1], "shards": 4}
    config, _ = sliced(content, tmp_path)
    assert len(config.runs) == 1
    assert (config.shards, config.random_seeds, config.segmenter["plain"]["epochs"]) == (1, (), 2)  # type: ignore[attr-defined]
    names = slices.Names(config)
    assert names.of("plain~seed=1/cam/none/threshold/plain~epochs=3~seed=1") == "plain/cam/none/threshold/plain"
    assert names.of("plain~seed=1/scores/val") == "plain/scores/val"
    assert names.of("splits/val") == "splits/val"
    assert names.of("features/keys~centre=true") == "features/keys~centre=true"


# ---- what is missing


def test_random_weights_and_drawn_pairs_stand_in(tmp_path: Path) -> None:
    content: dict[str, Any] = {
        "dataset": "mine",
        "root": str(tmp_path),
        "classes": ["cat"],
        "recipes": {"a": {"superpixels": "dino", "seeds": "saliency"}, "b": {"seeds": "saliency_class"}},
        "backbones": {"own": {"net": "resnet50", "weights": "{root}/none.pth"}},
        "seeds": {"saliency_class": {"saliency": "given"}},
    }
    found = stand_ins.stand_in(content, tmp_path / "slice")
    weights = {name: one["weights"] for name, one in found.content["backbones"].items()}
    assert weights == dict.fromkeys(("own", "resnet50", "resnet101", "vgg16"), "none")
    assert found.vit == ("vit_base_patch8_224", tmp_path / "slice/random_keys.safetensors")
    assert (found.pairs, found.content["saliency"]["detector"]["pairs"]) == (stand_ins.DUTS, "drawn")
    assert found.maps == tmp_path / "slice/maps"
    missing = [note.partition(",")[0] for note in found.notes if note.startswith("missing")]
    names = (tmp_path / "none.pth", tmp_path / "DUTS-TR", tmp_path / "saliency")
    assert missing == [f"missing: {name}" for name in names]
    assert "backbones" in content
    assert content["backbones"]["own"]["weights"] == "{root}/none.pth"


def test_only_what_recipes_lead_to_can_be_missing(tmp_path: Path) -> None:
    given = {"seeds": {"ficklenet": {"saliency": "given"}}, "recipes": {"a": {"seeds": "ficklenet~theta=0.2"}}}
    (tmp_path / "saliency").mkdir()
    content = {"dataset": "mine", "root": str(tmp_path), "classes": ["cat"], **given}
    assert stand_ins.stand_in(content, tmp_path).notes == []
    detector = {"recipes": {"a": {"seeds": "ficklenet~saliency=(detector~epochs=2)"}}}
    assert "DUTS-TR" in stand_ins.stand_in(content | detector, tmp_path).notes[0]


def test_what_is_there_needs_nothing(tmp_path: Path) -> None:
    found = stand_ins.stand_in({**runs.DRAWN, "recipes": {"a": {}}}, tmp_path)
    assert (found.notes, found.vit, found.maps, found.pairs) == ([], None, None, None)


# ---- plans

WORDS = """\
rule prepare:
    input: results/x/scenes
    output: results/x/splits/val/manifest.json
    log: logs/x/splits/val/prepare.log
    jobid: 2
    benchmark: logs/x/benchmarks/splits/val/prepare.tsv
    resources: tmpdir=/tmp
rule predict:
    input: results/x/splits/val/shards/001-of-004.json, results/x/plain/cam/none/threshold/plain/segmenter.safetensors
    output: results/x/raw, results/x/crf
    log: logs/x/plain/cam/none/threshold/plain/predict/val.shards/001-of-004.log
    benchmark: logs/x/benchmarks/plain/cam/none/threshold/plain/predict/val.shards/001-of-004.tsv
    threads: 2
    resources: tmpdir=/tmp, gpu=1, device=auto
localrule all:
    input: results/x/summary.csv
""".splitlines()


def test_jobs_are_read_off_a_dry_run() -> None:
    prepare, predict = plans.jobs_in(WORDS)
    assert (prepare.step, prepare.of, prepare.threads, prepare.gpu) == ("prepare", "splits/val", 1, False)
    assert prepare.outputs == ("results/x/splits/val/manifest.json",)
    assert predict.key == ("predict", "plain/cam/none/threshold/plain/val")
    assert (len(predict.inputs), len(predict.outputs), predict.threads, predict.gpu) == (2, 2, 2, True)


def job(step: str, of: str, number: int = 0, *, needs: str = "", threads: int = 1, gpu: bool = False) -> Job:
    made = f"{step}/{of}/{number}"
    return Job(step, of, (needs,) if needs else (), (made,), "log", "tsv", threads, gpu)


def rows_of(found: reports.Estimate) -> dict[str, reports.Row]:
    return {row.step: row for row in found.rows}


def test_an_estimate_of_stored_numbers(tmp_path: Path) -> None:
    """Two random seeds and two shards, from numbers as a slice of 5 images left them."""
    content = {
        **runs.DRAWN,
        **RECIPE,
        "random_seeds": [0, 1],
        "shards": 2,
        "draw": {"train": 50, "val": 20, "size": 64},
    }
    config = configuration.load(content)
    of_slice, cut = sliced(content, tmp_path, 5)
    epochs, batch = 5, 16  # the defaults of the classifier
    steps = loop([3.0, 2.0, 2.0, 2.0], [2, 2, 2, 2], what=scaling.STEPS)
    maps = loop([1.0] * 5, what="cams")
    slow = {
        ("train_classifier", "plain"): Measured(scaling.Spent(13.0, 13.0, 900.0, (steps,)), 1000),
        ("make_cams", "plain/cam"): Measured(scaling.Spent(10.0, 10.0, 700.0, (maps,)), 500),
    }
    plan = [
        *(job("train_classifier", name, gpu=True) for name in ("plain", "plain~seed=1")),
        *(
            job("make_cams", f"{name}/cam", number, needs=f"train_classifier/{name}/0")
            for name in ("plain", "plain~seed=1")
            for number in range(2)
        ),
        job("join_stores", "plain/cam"),
    ]
    found = estimate(
        plan, slow, slices.Names(of_slice), Sizes(config, cut, None), cores=2, gpus=0, keeps_features=False
    )
    rows = rows_of(found)
    trained = 4.0 + 50 * epochs * 1.0  # a second an image
    assert rows["train_classifier"].seconds == pytest.approx(2 * trained)
    assert rows["train_classifier"].disk_bytes == 2 * 1000
    assert "larger batches" in rows["train_classifier"].note  # of 16 images, where the slice had 2
    assert batch > max(steps.sizes)
    each = 50 * 1.0 + 2 * 5.0  # every shard starts a process of its own
    assert (rows["make_cams"].jobs, rows["make_cams"].seconds) == (4, pytest.approx(2 * each))
    assert rows["make_cams"].disk_bytes == 2 * 500 * 10
    assert rows["join_stores"].seconds is None
    assert found.wall_seconds == pytest.approx(trained + each)  # both trainings at once, then two shards at a time
    assert found.total("cpu_seconds") == pytest.approx(2 * trained + 2 * each)


def test_evaluation_counts_the_scored_images(tmp_path: Path) -> None:
    config, cut = sliced({**runs.DRAWN, **RECIPE}, tmp_path, 5)
    scored = cuts.Cut({}, {"train": 100, "val": 8, "scored": 20}, {"train": 5, "val": 4, "scored": 5})
    sizes = Sizes(config, scored, None)
    assert sizes.of(job("evaluate", "plain/cam/evaluation/cams/train")).ratio == 4
    assert sizes.of(job("evaluate", "plain/x/evaluation/segmentation/val")).ratio == 2
    assert sizes.of(job("make_cams", "plain/cam")).ratio == 20
    assert sizes.of(job("make_example", "")).ratio == 12
    assert cut.full["val"] == 4


# ---- the table


def test_times_and_bytes_are_spelled_for_people() -> None:
    assert [reports.spell_time(one) for one in (0.2, 40, 600, 12_345, 540_000)] == [
        "< 1 s", "40 s", "10 min", "3.4 h", "150 h",
    ]  # fmt: skip
    assert [reports.spell_bytes(one) for one in (12, 3_400, 48e9, 1.5e12)] == ["12 B", "3.4 KB", "48 GB", "1.5 TB"]


def test_the_table_has_totals_and_names_what_was_not_measured(tmp_path: Path) -> None:
    rows = [
        reports.Row("predict", "val", 1, 7200.0, 3600.0, 0.25, 1000.0, 2e9, 3600.0),
        reports.Row("make_cams", "plain/cam", 2, 3600.0, 1800.0, 0.1, 2000.0, 1e9, None, "at least"),
        reports.Row("train_refiner", "x", 1, note="could not be measured: see the notes"),
    ]
    found = reports.Estimate(reports.in_order(rows), 2, 5400.0, 1e9, ["weights are missing"])
    text = "\n".join(reports.lines(found))
    assert [row.step for row in found.rows] == ["make_cams", "train_refiner", "predict"]
    assert "could not be measured" in text
    assert "Disk: 2.0 GB at the end; 1.0 GB more until" in text
    assert "Note: weights are missing" in text
    assert found.off_by() == pytest.approx((0.25 * 2 + 0.1) / 3)
    assert [row.step for row in found.unmeasured] == ["train_refiner"]
    for name in ("a.csv", "a.json"):
        reports.write(tmp_path / name, found)
    assert json.loads((tmp_path / "a.json").read_text())["rows"][0]["memory_mb"] == 2000.0
    assert (tmp_path / "a.csv").read_text().splitlines()[1].startswith("make_cams,plain/cam,2,3600.0")


def test_bytes_of_folders(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/c").write_bytes(b"12345")
    assert (bytes_of(tmp_path), bytes_of(tmp_path / "a/b/c")) == (5, 5)


# ---- the command


def test_arguments_that_are_none() -> None:
    for function, text in ((_positive, "0"), (_count, "-1")):
        with pytest.raises(argparse.ArgumentTypeError, match=f"found {text}"):
            function(text)


def test_an_output_of_another_kind_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["estimate", "--configfile", "config.yaml", "--out", "table.txt"])
    assert "expected a file .csv or .json" in capsys.readouterr().err


def test_a_configuration_that_is_wrong_is_told_as_by_a_run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("wrong.yaml").write_text(yaml.safe_dump({**runs.DRAWN, "recipes": {"a": {"cams": "nothing"}}}))
    with pytest.raises(SystemExit):
        main(["estimate", "--configfile", "wrong.yaml", "--plan"])
    assert "unknown cams method 'nothing'" in capsys.readouterr().err
    assert not list(Path("results").iterdir())


@pytest.mark.workflow
def test_a_whole_estimate_of_drawn_scenes(repository: Path, tmp_path: Path) -> None:
    tables = {
        "classifier": {"plain": runs.QUICK_CLASSIFIER | {"epochs": 40}},
        "segmenter": {"plain": runs.QUICK | {"train_scales": [1.0], "epochs": 40}},
    }
    content = {**runs.DRAWN, "recipes": {"cam": runs.CAM_RECIPE}, **tables, "random_seeds": [0, 1]}
    project = runs.project_in(tmp_path, repository, content)
    text = runs.python(
        project, "-m", "wsss_steps", "estimate", "--configfile", "test.yaml", "--images", "4", "--out", "table.json"
    )
    assert "The run: 10 of train, 4 of val images" in text
    found = json.loads((project / "table.json").read_text())
    rows = {row["step"]: row for row in found["rows"]}
    assert {"train_classifier", "make_cams", "train_segmenter", "predict", "evaluate"} <= rows.keys()
    assert rows["train_classifier"]["jobs"] == 2
    assert not [row for row in found["rows"] if row["seconds"] is None]
    # 40 epochs of 10 images cost more than the 2 of 4 that were measured, and the weights stay as large
    assert rows["train_classifier"]["cpu_seconds"] > rows["make_seeds"]["cpu_seconds"]
    assert rows["make_cams"]["disk_bytes"] > 0
    assert not list((project / "results").glob("estimate-*"))
    assert not list((project / "logs").glob("estimate-*"))


@pytest.mark.workflow
def test_a_step_that_fails_is_named(repository: Path, tmp_path: Path) -> None:
    """A network that cannot be built is found when it is trained; what is behind it is named as not measured."""
    stride = {"output_stride": 32}
    tables = {"classifier": {"plain": runs.QUICK_CLASSIFIER | stride}, "segmenter": {"plain": runs.QUICK}}
    content = {**runs.DRAWN, "recipes": {"cam": runs.CAM_RECIPE}, **tables}
    project = runs.project_in(tmp_path, repository, content)
    with pytest.raises(Exception, match="returned non-zero exit status 1") as failed:
        runs.python(project, "-m", "wsss_steps", "estimate", "--configfile", "test.yaml", "--images", "4")
    text = failed.value.stdout  # type: ignore[attr-defined]
    assert "train_classifier plain failed: backbone small has no output stride 32" in text
    assert "jobs behind it were not measured" in text


@pytest.mark.workflow
def test_the_plan_of_coco_reads_no_image(repository: Path, tmp_path: Path) -> None:
    content = yaml.safe_load((repository / "configs/coco2014.yaml").read_text())
    root = tiny_archives.make_coco(tmp_path / "coco")
    content["convert"]["published_counts"] = False
    (tmp_path / "project").mkdir()
    project = runs.project_in(tmp_path / "project", repository, content | {"root": str(root)})
    for path in root.rglob("*.jpg"):
        path.write_bytes(b"")
    text = runs.python(project, "-m", "wsss_steps", "estimate", "--configfile", "test.yaml", "--plan")
    assert "The run: 2 of train, 2 of val images" in text
    assert session.LOG not in text
