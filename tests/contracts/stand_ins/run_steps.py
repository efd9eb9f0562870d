"""Run the steps of methods that were added on two drawn images; the arguments are a folder and each `<slot>/<name>`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from contracts import cases, world

from wsss_steps.formats.kinds import find
from wsss_steps.formats.stores import Store

folder, *methods = sys.argv[1:]
pictures = {name: (world.colours(world.DRAWN[name]), tuple(world.DRAWN[name])) for name in ("one", "two")}
drawn = world.make_world(Path(folder), pictures, Path(folder, "no classifier"))
for slot, name in (method.split("/") for method in methods):
    (method,) = (one for one in cases.found(slot) if one.name == name)
    run = importlib.import_module(f"wsss_steps.{cases.STEPS[slot]}").run
    output = Path(folder, f"{slot}.h5")
    run(manifest=drawn.manifest, output=output, settings=method.settings())
    with Store(output, find(slot)) as store:
        print(f"{slot}:", *(found for found in store.ids() if next(iter(store[found].values())).any()))
