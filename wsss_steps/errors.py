"""The one exception that is written for the user, and what is said when memory runs out. Free of torch."""

import re


class UserError(ValueError):
    """Something the user can mend: the message says what was expected, what was found and what exists."""


def all_wrong(headline: str, problems: list[str], most: int = 50) -> None:
    """Raise one UserError that lists every problem, or return if there is none."""
    if problems:
        more = [f"  ... and {len(problems) - most} more"] if len(problems) > most else []
        raise UserError(
            "\n".join([f"{headline} ({len(problems)}):", *(f"  {line}" for line in problems[:most]), *more])
        )


# What the texts of plain RuntimeErrors hold when memory runs out: of torch's allocator for CPUs on Linux and Windows,
# of CUDA and its libraries, and of C++.
NO_MEMORY = ("can't allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED", "bad_alloc")
AMOUNT = re.compile(r"(?:tried|unable) to allocate ([\d.]+) (\w+)", re.IGNORECASE)


def out_of_memory(error: Exception) -> str | None:
    """Which memory ran out, and how much was asked for at last, in words; None if `error` is of another kind.

    A GPU's is a `torch.OutOfMemoryError` or told by the text of a RuntimeError; a CPU's is told by such a text or is a
    MemoryError, of which NumPy's is one.
    """
    text, kind = str(error), type(error).__name__
    told = isinstance(error, RuntimeError) and (kind == "OutOfMemoryError" or any(part in text for part in NO_MEMORY))
    if not (told or isinstance(error, MemoryError)):
        return None
    gpu = kind == "OutOfMemoryError" or any(part in text for part in ("CUDA", "CUBLAS", "CUDNN"))
    found = AMOUNT.search(text)
    return ("out of GPU memory" if gpu else "out of memory") + (
        f" (asked for {_amount(*found.groups())})" if found else ""
    )


def _amount(number: str, unit: str) -> str:
    return f"{float(number) / 1e9:.1f} GB" if unit == "bytes" else f"{float(number):g} {unit}"
