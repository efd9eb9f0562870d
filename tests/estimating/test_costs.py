"""What a job of a slice cost, and what its like will cost in the run, worked by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from estimating.cases import loop, spent

from wsss_steps import measuring
from wsss_steps.estimating import scaling


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
