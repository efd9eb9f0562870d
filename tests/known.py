"""Names that error messages list, from the registry: an added method must break no test."""

from __future__ import annotations

from wsss_steps.settings.registry import METHODS


def methods_of(slot: str) -> str:
    """The methods of a slot as messages list them."""
    return ", ".join(sorted({"none", *(str(cls.model_fields["method"].default) for cls in METHODS[slot])}))
