"""A file that HDF5 can write and close even if the disk is full."""

from __future__ import annotations

import io
from pathlib import Path
from types import TracebackType
from typing import Any


class PatientFile(io.FileIO):
    """A file that remembers the first disk error instead of raising it.

    HDF5 still writes while it closes a file, and an error there causes hundreds of messages or a crash. So after the
    first error writes are silently dropped; `check`, also called at the end of a `with` block, raises the error.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "w+")
        self.fault: OSError | None = None

    def write(self, content: Any, /) -> int:
        """Write all of `content`; after an error, nothing."""
        view = memoryview(content).cast("B")
        done = 0
        try:
            while self.fault is None and done < len(view):
                done += super().write(view[done:])
        except OSError as error:
            self.fault = error
        return len(view)

    def truncate(self, size: int | None = None, /) -> int:
        """Change the length of the file; after an error, do nothing."""
        try:
            return super().truncate(size) if self.fault is None else size or 0
        except OSError as error:
            self.fault = error
            return size or 0

    def check(self) -> None:
        """Raise the first error, if there was one."""
        if self.fault is not None:
            raise self.fault

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        self.check()
