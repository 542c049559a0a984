"""`manage.py demo [--stage …]`: the cast and one class in each stage of its life."""

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from config.demo.cast import build_cast
from config.demo.recruitment import build_recruitment
from config.demo.registers import enter_candidates
from config.demo.shelf import stock
from config.demo.stages import STAGES, build, build_live
from courses.actions import load_catalogue
from exams.actions.bank import load_question_bank


class Command(BaseCommand):
    help = "Enter the cast and demo classes, through the same actions as real ones. Needs demo mode."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--stage", choices=STAGES, action="append", help="only this stage; repeatable")
        parser.add_argument("--if-empty", action="store_true", help="do nothing where accounts exist already")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("Demo mode is off (YUCHUANG_DEMO); this platform takes no made-up people.")
        if options["if_empty"] and User.objects.exists():
            return
        now = timezone.now()
        with transaction.atomic():
            load_catalogue(at=now)
            load_question_bank()
            cast = build_cast(at=now)
            stock(cast, at=now)
            enter_candidates(cast, at=now)
        # The oldest first: nobody's presence may begin before one of theirs that is on record already.
        for stage in options["stage"] or reversed(STAGES):
            started = time.monotonic()
            with transaction.atomic():
                training_class = (
                    build_live(cast, now=now) if stage == "running" else build(cast, stage, now=now)
                )
                if stage == "draft":
                    build_recruitment(cast, now=now, draft=training_class)
            self.stdout.write(f"{stage:9} {training_class.name}  ({time.monotonic() - started:.1f} s)")
