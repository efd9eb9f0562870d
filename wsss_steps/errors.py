"""The exception whose message is written for the user, and the message when memory runs out. Free of torch."""

import re


class UserError(ValueError):
    """Something the user can fix: the message says what was expected, what was found and what exists."""


def all_wrong(headline: str, problems: list[str], most: int = 50) -> None:
    """Raise one UserError that lists every problem, or return if there is none."""
    if problems:
        more = [f"  ... and {len(problems) - most} more"] if len(problems) > most else []
        raise UserError(
            "\n".join([f"{headline} ({len(problems)}):", *(f"  {line}" for line in problems[:most]), *more])
        )


# Parts of the message of a RuntimeError when memory runs out: from torch's CPU allocator on Linux and Windows, from
# CUDA and its libraries, and from C++.
NO_MEMORY = ("can't allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED", "bad_alloc")
AMOUNT = re.compile(r"(?:tried|unable) to allocate ([\d.]+) (\w+)", re.IGNORECASE)


def out_of_memory(error: Exception) -> str | None:
    """Which memory ran out, and how much was requested last, in words; None if `error` is something else.

    On a GPU the error is a `torch.OutOfMemoryError`, or a RuntimeError known by its message; on a CPU it is such a
    RuntimeError or a MemoryError (NumPy's is one). A worker process that is killed (see `processes`) is taken for it.
    """
    text, kind = str(error), type(error).__name__
    if kind == "BrokenProcessPool":
        return "a worker process was killed, at this image or one near it in the list, probably out of memory"
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
