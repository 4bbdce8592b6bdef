"""Problems: what is wrong with a study's tables, gathered until all of it can be told at once."""

from collections.abc import Callable
from typing import NamedTuple, NoReturn

from hepaflux.study.study import StudyError

MOST_ALIKE = 3
"""Problems of one kind that are listed one by one before they are counted instead."""


class Problem(NamedTuple):
    """One thing that is wrong.

    Attributes
    ----------
    place : str
        What, which subject, which row.
    message : str
        What was found and what to do.
    kind : str
        Problems of the same kind are counted when there are many of them.
    """

    place: str
    message: str
    kind: str


class RefusedError(Exception):
    """A cell, row or table that cannot be used; never leaves the study package."""

    def __init__(self, problems: list[Problem]):
        super().__init__()
        self.problems = problems


def refuse(place: str, message: str, *, kind: str = "") -> NoReturn:
    """Refuse what stands at ``place``."""
    raise RefusedError([Problem(place, message, kind or message)])


class Problems:
    """A growing list of problems."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def add(self, place: str, message: str, *, kind: str = "") -> None:
        """Note a problem and go on."""
        self.found.append(Problem(place, message, kind or message))

    def attempt[**P, T](self, step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Return what ``step`` returns, or note why it refused and return None."""
        try:
            return step(*args, **kwargs)
        except RefusedError as error:
            self.found.extend(error.problems)
            return None

    def require[**P, T](self, step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what ``step`` returns; if it refused, nothing can go on.

        Raises
        ------
        StudyError
            If it refused, with everything that was noted before.
        """
        try:
            return step(*args, **kwargs)
        except RefusedError as error:
            raise StudyError(_sentences([*self.found, *error.problems])) from None

    def stop(self) -> None:
        """Raise everything that was noted.

        Raises
        ------
        StudyError
            If anything was noted.
        """
        if self.found:
            raise StudyError(_sentences(self.found))


def _sentences(problems: list[Problem]) -> list[str]:
    """Return one sentence per problem, or one per kind if it occurs often."""
    kinds: dict[str, list[Problem]] = {}
    for problem in dict.fromkeys(problems):
        kinds.setdefault(problem.kind, []).append(problem)
    sentences = []
    for alike in kinds.values():
        if len(alike) > MOST_ALIKE:
            place = f"{alike[0].place} (and {len(alike) - 1} more like it, up to {alike[-1].place})"
            sentences.append(f"{place}: {alike[0].message}")
        else:
            sentences.extend(f"{problem.place}: {problem.message}" for problem in alike)
    return sentences
