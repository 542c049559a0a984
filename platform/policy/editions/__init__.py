"""Policy editions: the rules as dated data (see `loader` for the file format)."""

from policy.editions.edition import Edition, Gap, Parameter, ParameterValue, Reading, Source, SourceKind
from policy.editions.loader import BUILT_IN, EditionError, load_editions
from policy.editions.parameters import SPECS, ParameterSpec, Shape, Unit

__all__ = [
    "BUILT_IN",
    "SPECS",
    "Edition",
    "EditionError",
    "Gap",
    "Parameter",
    "ParameterSpec",
    "ParameterValue",
    "Reading",
    "Shape",
    "Source",
    "SourceKind",
    "Unit",
    "load_editions",
]
