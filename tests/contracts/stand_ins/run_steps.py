"""Run the step of a method that was added on two drawn images; the arguments are a folder, a slot and a name."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from contracts import cases, world

from wsss_steps.formats.kinds import find
from wsss_steps.formats.stores import Store

folder, slot, name = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
pictures = {name: (world.colours(world.DRAWN[name]), tuple(world.DRAWN[name])) for name in ("one", "two")}
drawn = world.make_world(folder, pictures, folder / "no classifier")
(method,) = (one for one in cases.found(slot) if one.name == name)
run = importlib.import_module(f"wsss_steps.{cases.STEPS[slot]}").run
run(manifest=drawn.manifest, output=folder / "x.h5", settings=method.settings())
with Store(folder / "x.h5", find(slot)) as store:
    print(*store.ids(), *(int(array.max() > 0) for array in store["one"].values()))
