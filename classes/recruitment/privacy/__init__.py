"""The dated texts that an applicant agrees to: data files, one per version, never edited once published."""

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from importlib import resources

import yaml

from accounts.models import Institution

# As the text says: photos of who was turned down are destroyed after so long.
KEEP_REJECTED = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class PrivacyText:
    version: str
    effective_from: date
    title: str
    citation: str
    sections: tuple[Section, ...]

    def filled(self, institution: Institution) -> list[Section]:
        """The sections as shown by one institution."""
        contact = " ".join(filter(None, [institution.contact_phone, institution.address])) or institution.name
        return [
            Section(each.title, each.body.format(institution=institution.name, contact=contact))
            for each in self.sections
        ]

    def sha256(self, institution: Institution) -> str:
        """The digest of the whole text exactly as shown."""
        parts = [self.title, *(f"{each.title}\n{each.body}" for each in self.filled(institution))]
        return hashlib.sha256("\n\n".join([*parts, self.citation]).encode()).hexdigest()


def current_text(on: date) -> PrivacyText:
    """The newest text in force on `on`, a legal day."""
    return max((text for text in _texts() if text.effective_from <= on), key=lambda text: text.effective_from)


@lru_cache(maxsize=1)
def _texts() -> list[PrivacyText]:
    files = [file for file in resources.files(__name__).iterdir() if file.name.endswith(".yaml")]
    return [_load(file.read_text(encoding="utf-8")) for file in files]


def _load(source: str) -> PrivacyText:
    data = yaml.safe_load(source)
    return PrivacyText(
        version=data["version"],
        effective_from=data["effective_from"],
        title=data["title"],
        citation=data["citation"],
        sections=tuple(Section(each["title"], each["body"]) for each in data["sections"]),
    )
