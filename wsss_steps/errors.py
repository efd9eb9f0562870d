"""The one exception that is written for the user."""


class UserError(ValueError):
    """Something the user can mend: the message says what was expected, what was found and what exists."""


def all_wrong(headline: str, problems: list[str], most: int = 50) -> None:
    """Raise one UserError that lists every problem, or return if there is none."""
    if problems:
        more = [f"  ... and {len(problems) - most} more"] if len(problems) > most else []
        raise UserError(
            "\n".join([f"{headline} ({len(problems)}):", *(f"  {line}" for line in problems[:most]), *more])
        )
