"""Values that are made by the thousand: immutable for the type checker, and as fast to make as an ordinary object."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


# A frozen dataclass writes each field through `object.__setattr__`: twenty fields take 4.9 µs instead of 0.9 µs, and a
# delivery makes about 120 of them, a tenth of what a drain computes. Assigning to a field is refused by the type checker
# instead, in every check of this repository.
@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[T]) -> type[T]:
    """Like `dataclass(frozen=True, slots=True)`: compared and hashed by value, copied with `dataclasses.replace`."""
    made: Callable[[Any], type[T]] = dataclass(slots=True, unsafe_hash=True)
    return made(cls)
