"""Array shapes in signatures are checked in tests only; tests on real photographs are skipped if there are none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import browser
import pytest
from jaxtyping import install_import_hook

# Before torch is imported: networks of a few pixels gain nothing from threads, and threads that spin while waiting
# slow the tests down many times if anything else is running.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

install_import_hook(["wsss_steps.ops", "wsss_steps.nets"], "beartype.beartype")

REPOSITORY = Path(__file__).resolve().parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest first, so that of two workers none is left alone with them at the end."""
    long = {item.path for item in items if item.get_closest_marker("workflow")}
    items.sort(key=lambda item: (item.path.name != "test_slurm.py", item.path not in long))


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real photographs: $WSSS_DATA, or ../shared/data beside the repository."""
    folder = Path(os.environ.get("WSSS_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (folder / "voc_animals").is_dir():
        pytest.skip(f"no real photographs in {folder} (set WSSS_DATA to a folder with voc_animals/)")
    return folder


@pytest.fixture(scope="session")
def running_browser() -> Iterator[Any]:
    with browser.browsing() as found:
        yield found


@pytest.fixture
def browser_page(running_browser: Any) -> Iterator[Any]:
    """Opens HTML files: `browser_page(path, "#scores", width=390)`; there must be no error in any at the end."""
    window = browser.Window(running_browser)
    yield window.open
    for context in running_browser.contexts:
        context.close()
    assert window.errors == []
