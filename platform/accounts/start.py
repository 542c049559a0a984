"""What a person should do next, gathered from every floor for the start page.

An app registers a provider in `AppConfig.ready()`; this floor knows none of them:

    start.register(lambda user, now: [Task(title=_("下一节课"), action=_("去签到"), url=…)] if … else [])
"""

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from accounts.models import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One thing to do: what, where, until when; `action` is what its button says, a verb.

    `urgent` ones may become the page's single primary action. With `whole_day` the deadline is a day, of
    which `due` is the last moment: the page shows no time of day.
    """

    title: str
    url: str
    action: str
    detail: str = ""
    due: datetime.datetime | None = None
    urgent: bool = False
    icon: str = "arrow-right"
    whole_day: bool = False


Provider = Callable[[User, datetime.datetime], Iterable[Task]]
_providers: list[Provider] = []


def register(provider: Provider) -> Provider:
    """Add a provider; usable as a decorator. Registering the same one again changes nothing."""
    if provider not in _providers:
        _providers.append(provider)
    return provider


def tasks_for(user: User, now: datetime.datetime) -> list[Task]:
    """Everything the person should do, urgent first, then by deadline, those without one last."""
    found = [task for provider in _providers for task in provider(user, now)]
    never = datetime.datetime.max.replace(tzinfo=datetime.UTC)
    return sorted(found, key=lambda task: (not task.urgent, task.due or never))
