"""The one way this platform says no.

An action raises a `Refusal`; the edge turns the same object into a form error, a JSON body, a socket error
or evidence. It always says what is wrong, what was found, what is required, under which rule, and what to do
next.

    raise Refusal(
        "class_too_large",
        gettext_noop("每班不超过 %(cap)s 人，现在 %(size)s 人。"),
        found=31, required=30, rule="F12",
        next_step=gettext_noop("请移出 1 人，或另开一班。"),
        params={"cap": 30, "size": 31},
    )

`found`, `required` and `next_step` are always given (tests/test_refusals.py). `required` is a value, a bound,
or the codes that would do; where the message says it all, it is true for what has to be so and false for what
may not be, and `found` says the same of what is; it is false also where saying more would tell a stranger
what is there. Pages leave true and false to the message. `rule` is the ledger row whose requirement is not
met. It is empty where no row applies: for requests that cannot be read or lead nowhere (`invalid`,
`malformed`, `hours_malformed` and the other `hours_…` of `policy.hours`, `not_found`, `not_authenticated`),
and for what is the platform's own business, such as names that are taken, which account does which step, and
the wires of the live room.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from policy.citations import citation_of
from policy.messages import Translate, fill, plain, untranslated


class Refusal(Exception):
    """A refused step, with everything a person and a program need to go on.

    `code` is stable and for programs. `message` and `next_step` are Chinese source strings whose %(name)s
    places are filled from `params`. `rule` is a ledger row; unless `citation` is given, the row's own one is
    used. `status` is the HTTP status an edge answers with.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        found: object = None,
        required: object = None,
        rule: str = "",
        citation: str = "",
        next_step: str = "",
        params: Mapping[str, object] | None = None,
        status: int = 409,
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.found = found
        self.required = required
        self.rule = rule
        self.citation = citation or citation_of(rule)
        self.next_step = next_step
        self.params: Mapping[str, object] = dict(params or {})
        self.status = status
        self.details: Mapping[str, object] = dict(details or {})

    @property
    def field(self) -> str | None:
        """The field of a form that the refusal is about, where who raised it said so."""
        return str(name) if (name := self.details.get("field")) else None

    def __str__(self) -> str:
        return fill(self.message, self.params)

    def render(self, translate: Translate = untranslated) -> dict[str, Any]:
        """Return the JSON form {code, message, details: {found, required, rule, next, …}, citation}.

        Where `found` or `required` are states or kinds, the codes are for programs, and `details.words` says
        the same for people; who raises a Refusal about other codes gives the words in `details`.
        """
        words = {
            name: said
            for name, value in (("found", self.found), ("required", self.required))
            if (said := _words(value, translate)) is not None
        }
        return {
            "code": self.code,
            "message": fill(self.message, self.params, translate),
            "details": {
                **({"words": words} if words else {}),
                **{name: plain(value, translate) for name, value in self.details.items()},
                "found": plain(self.found, translate),
                "required": plain(self.required, translate),
                "rule": self.rule,
                "next": fill(self.next_step, self.params, translate),
            },
            "citation": self.citation,
        }


def _words(value: object, translate: Translate) -> Any:
    """What people call a code that has a label, or a list of them; None for everything else."""
    if isinstance(value, list | tuple):
        said = [_words(item, translate) for item in value]
        return said if said and None not in said else None
    if isinstance(value, Enum) and (label := getattr(value, "label", "")):
        return translate(str(label))
    return None
