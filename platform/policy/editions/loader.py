"""Edition files, read strictly.

A file names the edition, its sources and its parameters:

    id: example-2026
    extends: henan-2020-97          # optional: everything not named here is taken from there
    title: 示例版本
    issued_by: 某省人力资源和社会保障厅
    effective_from: 2026-01-01
    effective_until: 2028-12-31     # optional, the last day included
    demo: true
    note: 按转载整理，未经核对        # optional, shown with the edition
    legal_bases: [某省就业创业培训管理办法]   # optional, the documents the rules rest on
    sources:
      rates: 某省财政厅文件          # or in full, all but the title optional:
      hours: {title: 某省办法, kind: law, document: 某人社规〔2026〕1号, issued_by: 某省人社厅,
              issued_on: 2026-01-01, url: "https://…", verified: true}
    parameters:
      lesson_hour: {value: 45, unit: minutes, row: P9, source: rates}
      subsidy_rate:
        unit: yuan_per_person
        row: F17
        source: rates
        by_course_type:
          GYB: {value: "200.00"}
          SYB: {value: unset}

Values are integers or quoted decimals, never floats; a share is a percentage. `unset` leaves a number open,
`off` switches a rule off where that is allowed. The citation is that of the ledger row unless one is given.
An edition of another norm says `follows_norm: false`, extends nothing and gives every citation itself; its
rows name the comparable demand. Anything unknown, missing, doubled or out of range is an `EditionError` that
names file and place.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from policy.citations import citation_of
from policy.editions.edition import (
    Edition,
    Gap,
    Parameter,
    ParameterKey,
    ParameterValue,
    Source,
    SourceKind,
)
from policy.editions.parameters import SPECS, ParameterSpec, Shape, Unit
from policy.strict_yaml import StrictLoader

BUILT_IN = Path(__file__).parent

_DECIMAL = re.compile(r"\d{1,9}(\.\d{1,6})?", re.ASCII)
_IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)
_COURSE_TYPE = re.compile(r"[A-Z][A-Z0-9]{1,9}", re.ASCII)


class EditionError(ValueError):
    """An edition file that cannot be trusted; the message names the file and the place in it."""


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    content: Mapping[str, Any]
    sources: dict[str, Source] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return str(self.content["id"])

    @property
    def follows_norm(self) -> bool:
        return bool(self.content.get("follows_norm", True))

    @property
    def parent(self) -> str | None:
        return self.content.get("extends")

    def error(self, place: str, problem: str) -> EditionError:
        return EditionError(f"{self.path}: {place}: {problem}")


def load_editions(*directories: Path | str) -> Mapping[str, Edition]:
    """Read the built-in editions and those in `directories` (every `*.yaml` in each), keyed by id.

    Raises:
        EditionError: if any file is malformed, doubles an id, or extends what is not there.
    """
    files: dict[str, _File] = {}
    for directory in (BUILT_IN, *map(Path, directories)):
        if not directory.is_dir():
            raise EditionError(f"{directory}: no such directory of editions")
        for path in sorted(directory.glob("*.yaml")):
            file = _read(path)
            if file.id in files:
                raise file.error("id", f"{file.id!r} is already given by {files[file.id].path}")
            files[file.id] = file
    editions: dict[str, Edition] = {}
    for edition_id in files:
        _build(edition_id, files, editions, below=())
    return MappingProxyType({edition_id: editions[edition_id] for edition_id in files})


def _read(path: Path) -> _File:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=StrictLoader)  # noqa: S506 — a SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        raise EditionError(f"{path}: {problem}") from problem
    if not isinstance(content, dict):
        raise EditionError(f"{path}: not a mapping")
    file = _File(path, content)
    _known_keys(
        file,
        "edition",
        content,
        required={"id", "title", "issued_by", "effective_from", "demo", "sources", "parameters"},
        optional={"extends", "effective_until", "note", "legal_bases", "follows_norm"},
    )
    for name in ("id", "title", "issued_by"):
        if not isinstance(content[name], str) or not content[name].strip():
            raise file.error(name, "must be a text")
    if not _IDENTIFIER.fullmatch(content["id"]):
        raise file.error("id", "must be lower-case letters, digits and hyphens")
    if type(content["effective_from"]) is not date:
        raise file.error("effective_from", "must be a date")
    until = content.get("effective_until")
    if until is not None and (type(until) is not date or until < content["effective_from"]):
        raise file.error("effective_until", "must be a date not before effective_from")
    if not isinstance(content.get("note", ""), str):
        raise file.error("note", "must be a text")
    if not all(isinstance(base, str) and base.strip() for base in _texts(file, "legal_bases")):
        raise file.error("legal_bases", "must be a list of texts")
    for name in ("demo", "follows_norm"):
        if not isinstance(content.get(name, True), bool):
            raise file.error(name, "must be true or false")
    for name in ("sources", "parameters"):
        if not isinstance(content[name], dict):
            raise file.error(name, "must be a mapping")
    for name, source in content["sources"].items():
        file.sources[str(name)] = _source(file, str(name), source)
    return file


def _texts(file: _File, name: str) -> list[Any]:
    given = file.content.get(name, [])
    if not isinstance(given, list):
        raise file.error(name, "must be a list of texts")
    return given


def _source(file: _File, key: str, given: object) -> Source:
    place = f"sources.{key}"
    if isinstance(given, str) and given.strip():
        return Source(key=key, title=given)
    if not isinstance(given, dict):
        raise file.error(place, "must be a text, or a mapping with a title")
    texts = {"title", "kind", "document", "issued_by", "url"}
    _known_keys(
        file, place, given, required={"title"}, optional=texts - {"title"} | {"issued_on", "verified"}
    )
    for name in texts & given.keys():
        if not isinstance(given[name], str) or not given[name].strip():
            raise file.error(f"{place}.{name}", "must be a text")
    kind = given.get("kind", SourceKind.OTHER.value)
    if kind not in list(SourceKind):
        raise file.error(f"{place}.kind", f"must be one of {', '.join(SourceKind)}, not {kind!r}")
    if type(given.get("issued_on", date.min)) is not date:
        raise file.error(f"{place}.issued_on", "must be a date")
    if not isinstance(given.get("verified", False), bool):
        raise file.error(f"{place}.verified", "must be true or false")
    if not given.get("url", "https://").startswith(("https://", "http://")):
        raise file.error(f"{place}.url", "must be an address of the web")
    return Source(**{**given, "key": key, "kind": SourceKind(kind)})


def _build(
    edition_id: str, files: Mapping[str, _File], editions: dict[str, Edition], *, below: tuple[str, ...]
) -> Edition:
    if edition_id in editions:
        return editions[edition_id]
    file = files[edition_id]
    inherited: Mapping[ParameterKey, Parameter] = {}
    bases: tuple[str, ...] = tuple(_texts(file, "legal_bases"))
    if file.parent is not None:
        if file.parent == edition_id or file.parent in below:
            raise file.error("extends", "editions extend each other in a circle")
        if file.parent not in files:
            raise file.error("extends", f"there is no edition {file.parent!r}")
        parent = _build(file.parent, files, editions, below=(*below, edition_id))
        inherited = parent.parameters
        bases = bases or parent.legal_bases
        if not (parent.follows_norm and file.follows_norm):
            raise file.error("extends", "rules of another norm stand by themselves")
    parameters = dict(inherited)
    for name, entry in file.content["parameters"].items():
        parameters.update({(one.name, one.course_type): one for one in _parameters(file, name, entry)})
    given = {name for name, _ in parameters}
    missing = [name for name in SPECS if name not in given]
    if missing:
        raise file.error(
            "parameters", f"missing, write `unset` if the source leaves it open: {', '.join(missing)}"
        )
    order = {name: place for place, name in enumerate(SPECS)}
    editions[edition_id] = Edition(
        id=edition_id,
        title=file.content["title"],
        issued_by=file.content["issued_by"],
        effective_from=file.content["effective_from"],
        effective_until=file.content.get("effective_until"),
        demo=file.content["demo"],
        note=file.content.get("note", ""),
        legal_bases=bases,
        follows_norm=file.follows_norm,
        parameters=MappingProxyType(dict(sorted(parameters.items(), key=lambda item: order[item[0][0]]))),
    )
    return editions[edition_id]


def _parameters(file: _File, name: object, entry: object) -> Iterable[Parameter]:
    place = f"parameters.{name}"
    spec = SPECS.get(name) if isinstance(name, str) else None
    if spec is None:
        raise file.error(place, "no such parameter")
    if not isinstance(entry, dict):
        raise file.error(place, "must be a mapping with value, unit, row and source")
    if not spec.by_course_type:
        yield _parameter(file, place, spec, None, entry)
        return
    _known_keys(
        file, place, entry, required={"by_course_type"}, optional={"unit", "row", "source", "citation"}
    )
    shared = {key: value for key, value in entry.items() if key != "by_course_type"}
    if not isinstance(entry["by_course_type"], dict) or not entry["by_course_type"]:
        raise file.error(place, "by_course_type must be a mapping")
    for course_type, own in entry["by_course_type"].items():
        own_place = f"{place}.{course_type}"
        if not isinstance(course_type, str) or not _COURSE_TYPE.fullmatch(course_type):
            raise file.error(own_place, "a course type is written in capital letters")
        if not isinstance(own, dict):
            raise file.error(own_place, "must be a mapping")
        yield _parameter(file, own_place, spec, course_type, {**shared, **own})


def _parameter(
    file: _File, place: str, spec: ParameterSpec, course_type: str | None, entry: Mapping[str, Any]
) -> Parameter:
    _known_keys(file, place, entry, required={"value", "unit", "row", "source"}, optional={"citation"})
    units = [unit.value for unit in spec.units]
    if entry["unit"] not in units:
        raise file.error(place, f"unit must be {' or '.join(units)}, not {entry['unit']!r}")
    row = entry["row"]
    row_citation = citation_of(row) if isinstance(row, str) else ""
    if not row_citation:
        raise file.error(place, f"{row!r} is not a row of the ledger")
    source = file.sources.get(entry["source"]) if isinstance(entry["source"], str) else None
    if source is None:
        raise file.error(place, f"{entry['source']!r} is not one of the file's sources")
    if not file.follows_norm and "citation" not in entry:
        raise file.error(place, "rules of another norm give their own citation")
    citation = entry.get("citation", row_citation)
    if not isinstance(citation, str) or not citation.strip():
        raise file.error(place, "citation must be a text")
    return Parameter(
        name=spec.name,
        course_type=course_type,
        value=_value(file, place, spec, entry["value"]),
        unit=Unit(entry["unit"]),
        row=row,
        citation=citation,
        document=source,
        foreign=not file.follows_norm,
    )


def _value(file: _File, place: str, spec: ParameterSpec, raw: object) -> ParameterValue | Gap:
    if raw == Gap.UNSET.value:
        return Gap.UNSET
    if raw == Gap.OFF.value:
        if not spec.may_be_off:
            raise file.error(place, "this rule cannot be switched off")
        return Gap.OFF
    match spec.shape:
        case Shape.READING:
            if not isinstance(raw, str) or raw not in spec.options:
                raise file.error(place, f"must be one of {', '.join(spec.options)}, not {raw!r}")
            return raw
        case Shape.WHOLE:
            return _whole(file, place, spec, raw)
        case Shape.NUMBER:
            return _exact(file, place, raw)
        case Shape.SHARE:
            return _percent(file, place, raw)
        case Shape.MONEY:
            amount = _exact(file, place, raw) * 100
            if amount.denominator != 1:
                raise file.error(place, "an amount has at most two decimals")
            return Decimal(amount.numerator).scaleb(-2)
        case Shape.WHOLES:
            numbers = tuple(_whole(file, place, spec, item) for item in _items(file, place, raw))
            if list(numbers) != sorted(set(numbers)):
                raise file.error(place, "must rise from one to the next")
            return numbers
        case Shape.SHARES:
            shares = tuple(_percent(file, place, item) for item in _items(file, place, raw))
            if sum(shares) != 1:
                raise file.error(place, "the parts must add up to 100")
            return shares


def _items(file: _File, place: str, raw: object) -> list[Any]:
    if not isinstance(raw, list) or not raw:
        raise file.error(place, "must be a list that is not empty")
    return raw


def _whole(file: _File, place: str, spec: ParameterSpec, raw: object) -> int:
    if type(raw) is not int or raw < spec.least:
        raise file.error(place, f"must be a whole number from {spec.least}, not {raw!r}")
    return raw


def _exact(file: _File, place: str, raw: object) -> Fraction:
    if type(raw) is int and raw >= 0:
        return Fraction(raw)
    if isinstance(raw, str) and _DECIMAL.fullmatch(raw):
        return Fraction(raw)
    raise file.error(place, f"must be a whole number or a quoted decimal, not {raw!r}")


def _percent(file: _File, place: str, raw: object) -> Fraction:
    share = _exact(file, place, raw) / 100
    if share > 1:
        raise file.error(place, "a share is at most 100 percent")
    return share


def _known_keys(
    file: _File, place: str, entry: Mapping[str, Any], *, required: set[str], optional: set[str]
) -> None:
    missing = sorted(required - entry.keys())
    if missing:
        raise file.error(place, f"missing {', '.join(missing)}")
    unknown = sorted(str(key) for key in entry.keys() - required - optional)
    if unknown:
        raise file.error(place, f"unknown {', '.join(unknown)}")
