"""Where the jobs of shards write and read, if the images are dealt out to several (`shards`). Free of torch."""

from __future__ import annotations

from collections.abc import Mapping

from wsss_steps.workflow.config import Config


def shard_names(config: Config) -> list[str]:
    """Names of the shards; none if the images are not shared out."""
    return [f"{number:03d}-of-{config.shards:03d}" for number in range(config.shards)] if config.shards > 1 else []


def in_shards(config: Config, path: str) -> str:
    """Where a step that works image by image writes or reads `path`: there, or in a file or folder per shard.

    A store a/cams.h5 is then an index of the stores a/cams.shards/{shard}.h5 (rules/shards.smk).
    """
    stem, dot, suffix = path.rpartition(".")
    stem, suffix = (stem, dot + suffix) if suffix in ("h5", "log", "tsv") else (path, "")
    return f"{stem}.shards/{{shard}}{suffix}" if config.shards > 1 else path


def all_shards(config: Config, path: str) -> list[str]:
    """What the jobs of all shards write in place of `path`."""
    return [in_shards(config, path).format(shard=shard) for shard in shard_names(config)]


def shards_of_store(config: Config, wildcards: Mapping[str, str]) -> list[str]:
    """The stores that an index links to."""
    return all_shards(config, f"<results>/{wildcards['stage_of_images']}.h5")


def shards_of_label_maps(config: Config, wildcards: Mapping[str, str]) -> list[str]:
    """The folders whose label maps go into one."""
    return all_shards(config, f"<results>/{wildcards['lineage']}/{wildcards['folder']}")
