"""An edition laid out for reading: article by article, each number where the norm speaks of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from accounts.editions import all_editions
from policy.citations import Citation, citations
from policy.editions import Edition, Parameter


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the ledger: the norm's sentence and the edition's numbers and readings that belong to it."""

    citation: Citation
    parameters: tuple[Parameter, ...]


@dataclass(frozen=True, slots=True)
class Article:
    """A place in the norm with its rows; `number` makes its anchor."""

    number: int
    place: str
    rows: tuple[Row, ...]

    @property
    def anchor(self) -> str:
        return f"article-{self.number}"


def articles(edition: Edition) -> tuple[Article, ...]:
    """Lay out an edition in the norm's order: every row of the ledger, with what the edition says to it.

    Of an edition of another norm only the rows to which it has something to say are shown: the norm's
    sentences are not its own.
    """
    by_row: dict[str, list[Parameter]] = {}
    for one in edition.parameters.values():
        by_row.setdefault(one.row, []).append(one)
    places: dict[str, list[Row]] = {}
    for row, citation in citations().items():
        given = by_row.get(row, [])
        if given or edition.follows_norm:
            places.setdefault(citation.place, []).append(Row(citation, tuple(given)))
    return tuple(
        Article(number, place, tuple(rows)) for number, (place, rows) in enumerate(places.items(), start=1)
    )


def the_norm() -> Edition:
    """Return the norm itself: the first edition that is neither of another norm nor for trying out."""
    return next(edition for edition in all_editions().values() if edition.follows_norm and not edition.demo)


@dataclass(frozen=True, slots=True)
class Difference:
    """One number or reading in two editions; None where an edition has no such entry."""

    sample: Parameter
    left: Parameter | None
    right: Parameter | None

    @property
    def differs(self) -> bool:
        left, right = self.left, self.right
        return left is None or right is None or (left.value, left.unit) != (right.value, right.unit)


def compare(left: Edition, right: Edition) -> Sequence[Difference]:
    """Set two editions side by side, number by number, in the order of the first."""
    return list(_pairs(left.parameters, right.parameters))


def _pairs(
    left: Mapping[tuple[str, str | None], Parameter], right: Mapping[tuple[str, str | None], Parameter]
) -> Iterator[Difference]:
    for key in dict.fromkeys([*left, *right]):
        one, other = left.get(key), right.get(key)
        sample = one or other
        if sample is not None:
            yield Difference(sample, one, other)


def known_edition(edition_id: str) -> Edition | None:
    """Return the edition, or None where there is none of this id on this installation."""
    return all_editions().get(edition_id)
