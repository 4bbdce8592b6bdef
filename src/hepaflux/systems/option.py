"""Option: a named modeling choice of a system, with its default and what it takes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from hepaflux.units import UnitError, conversion_factor


@dataclass(frozen=True)
class Option:
    """A named modeling choice with its default.

    Attributes
    ----------
    name, meaning : str
        What the choice is about.
    default : Any
        The value used when nothing is said.
    choices : tuple of str
        The words it may take; empty if it is a number or a sequence of numbers.
    unit : str
        If not empty, a quantity in (or convertible to) this unit is accepted as well.
    substance : str
        The substance the quantity measures.
    other : str
        What other words it takes, such as ``"a chemical formula"``; empty if none.
    check : callable (text) -> Any, optional
        Raises ``ValueError`` for a word that is none of these.
    """

    name: str
    meaning: str
    default: Any
    choices: tuple[str, ...] = ()
    unit: str = ""
    substance: str = ""
    other: str = ""
    check: Callable[[str], Any] | None = None

    def parse(self, value: Any, insulin_factor: float) -> Any:
        """Return a valid value of this option from a word, a number or a quantity as text.

        Raises
        ------
        ValueError
            If the value is none of what the option takes.
        """
        if value == self.default or (isinstance(value, str) and value in self.choices):
            return value
        if self.check is not None:
            return self._checked(value)
        if isinstance(self.default, str) and not self.unit:
            raise ValueError(self._refusal(value))
        try:
            return self._number(value, insulin_factor)
        except (ValueError, UnitError) as error:
            raise ValueError(self._refusal(value)) from error

    def _checked(self, value: Any) -> str:
        try:
            self.check(str(value))  # type: ignore[misc]
        except ValueError as error:
            raise ValueError(f"{self._refusal(value)}: {error}") from error
        return str(value)

    def _number(self, value: Any, insulin_factor: float) -> Any:
        if isinstance(value, (tuple, list)):
            return tuple(float(part) for part in value)
        if not isinstance(value, str):
            return float(value)
        words = value.split()
        if len(words) == 2 and self.unit:
            factor = conversion_factor(
                words[1], self.unit, substance=self.substance, insulin_factor=insulin_factor
            )
            return float(words[0]) * factor
        numbers = tuple(float(word) for word in value.replace(",", " ").split())
        return numbers[0] if len(numbers) == 1 else numbers

    def _refusal(self, value: Any) -> str:
        allowed = list(self.choices)
        if self.unit:
            allowed.append(f"a quantity in {self.unit}")
        elif self.other:
            allowed.append(self.other)
        elif not self.choices:
            allowed.append("a number or a list of numbers")
        return f"option {self.name} must be {' or '.join(allowed)}, but is {value!r}"


Settings = Mapping[str, Any]


def default_settings(options: tuple[Option, ...]) -> Settings:
    """Return the default of each option."""
    return MappingProxyType({option.name: option.default for option in options})
