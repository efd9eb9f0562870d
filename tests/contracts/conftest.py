"""The contracts run over every method that exists; a suite names its slot in `SLOT`, or its slots in `SLOTS`."""

from __future__ import annotations

import pytest
from contracts import cases, world
from contracts.world import World


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "method" in metafunc.fixturenames:
        slots = getattr(metafunc.module, "SLOTS", None) or [metafunc.module.SLOT]
        every = [method for slot in slots for method in cases.found(slot)]
        chosen = filter(getattr(metafunc.module, "covers", lambda _: True), every)
        metafunc.parametrize("method", list(chosen), ids=lambda method: f"{method.slot}-{method.name}")


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Coloured rectangles."""
    return world.drawn_world(tmp_path_factory.mktemp("contracts") / "drawn")


@pytest.fixture(scope="session")
def rough(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Spots, and networks with random weights."""
    return world.rough_world(tmp_path_factory.mktemp("contracts") / "rough")


@pytest.fixture(scope="session")
def mirror(drawn: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The rectangles' mirror images."""
    return world.mirrored(drawn, tmp_path_factory.mktemp("contracts") / "mirror")


@pytest.fixture(scope="session")
def lone(drawn: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The first image, in a data set of its own."""
    return world.alone(drawn, drawn.entries[0], tmp_path_factory.mktemp("contracts") / "lone")


@pytest.fixture
def worlds(drawn: World, rough: World, mirror: World, lone: World) -> dict[str, World]:
    """All of them, by name."""
    return {"drawn": drawn, "rough": rough, "mirror": mirror, "lone": lone}
