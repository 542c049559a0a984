"""`manage.py evaluate_faces --pairs pairs.csv`: an engine's false rejects and accepts per threshold."""

import csv
from argparse import ArgumentParser
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from identity.faces import ENGINES, get_engine
from identity.faces.evaluation import Pair, rates, score_pairs
from policy.messages import percent_figure

COLUMNS = ["first", "second", "same"]


class Command(BaseCommand):
    help = str(gettext_lazy("按阈值列出人脸引擎的误拒率（FRR）和误受率（FAR）。"))

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--pairs",
            required=True,
            type=Path,
            help=_(
                "CSV 文件，列为 first、second、same（同一人 1，不同人 0）；照片路径相对于它，多张用 | 隔开"
            ),
        )
        parser.add_argument("--engine", choices=ENGINES, help=_("不给出时用现在配置的引擎"))
        parser.add_argument("--step", type=int, default=50, help=_("每隔千分之几列一行"))

    def handle(self, *args: Any, pairs: Path, engine: str | None, step: int, **options: Any) -> None:
        if step < 1:
            raise CommandError(_("--step 至少是 1"))
        chosen = get_engine(engine)
        scores = score_pairs(chosen, _read(pairs))
        self.stdout.write(
            _("引擎 %(engine)s：同一人 %(genuine)s 对，不同人 %(impostor)s 对")
            % {
                "engine": chosen.engine_id,
                "genuine": len(scores.genuine),
                "impostor": len(scores.impostor),
            }
        )
        for problem, count in sorted(scores.unusable.items()):
            self.stdout.write(_("没有比较，%(problem)s：%(count)s 对") % {"problem": problem, "count": count})
        accept, grey = chosen.policy.accept_permille, chosen.policy.grey_permille
        marks = {accept: _("从这里起通过"), grey: _("从这里起由人来看")}
        self.stdout.write(f"{'‰':>5}{'FRR':>10}{'FAR':>10}")
        for row in rates(scores, sorted({*range(0, 1001, step), accept, grey})):
            rejects = _percent(row.false_rejects, row.genuine)
            accepts = _percent(row.false_accepts, row.impostors)
            mark = marks.get(row.threshold_permille, "")
            self.stdout.write(f"{row.threshold_permille:>5}{rejects:>10}{accepts:>10}  {mark}".rstrip())


def _percent(part: int, whole: int) -> str:
    return f"{percent_figure(Fraction(part, whole))}%" if whole else "-"


def _read(path: Path) -> Iterator[Pair]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if rows.fieldnames != COLUMNS:
                raise CommandError(_("%(path)s 的列应为 first、second、same") % {"path": path})
            for number, row in enumerate(rows, start=2):
                if row["same"] not in ("0", "1"):
                    raise CommandError(_("第 %(line)s 行：same 应为 1 或 0") % {"line": number})
                yield Pair(_pictures(path, row["first"]), _pictures(path, row["second"]), row["same"] == "1")
    except OSError as error:
        raise CommandError(
            _("打不开 %(path)s：%(why)s") % {"path": error.filename, "why": error.strerror}
        ) from error


def _pictures(csv_path: Path, cell: str) -> tuple[bytes, ...]:
    return tuple((csv_path.parent / name).read_bytes() for name in cell.split("|"))
