"""How long one judgement takes, so that an editor can ask on every keystroke.

    python bench/policy.py [seconds]

Prints one JSON line: the time of a whole timetable check, alone and with its answer written out, under the
norm and under another province's rules; of the rules of a class's first day; and how many times faster the
closed form of `least_live_hours` is than trying every split of the hours, the obvious way to find the
whole-hour trap.
"""

import json
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "platform"))

from policy.calendar import earliest_start
from policy.editions import Edition, load_editions
from policy.terms import Mode
from policy.timetable import check_timetable, whole_hour_limits

TOTAL = 80


def least_live_by_trying(edition: Edition, total: int) -> int:
    """Try live hours from 0 up, and for each every split of the rest, until one is lawful."""
    floor = edition.number("full_live_min_live_share") * total
    homework_exam = edition.number("full_live_max_homework_exam_share") * total
    quality_tutoring = edition.number("full_live_max_quality_tutoring_share") * total
    for live in range(total + 1):
        for part in range(total - live + 1):
            if live >= floor and part <= homework_exam and total - live - part <= quality_tutoring:
                return live
    raise AssertionError("all live is always lawful")


def microseconds(work: Callable[[], object], seconds: float) -> float:
    # The processor's time: what else the machine does is none of our business.
    runs, begin = 0, time.process_time()
    while (spent := time.process_time() - begin) < seconds:
        work()
        runs += 1
    return spent / runs * 1e6


def main(seconds: float) -> None:
    edition = load_editions()["demo"]
    hours = {"live": 48, "homework": 8, "exam": 8, "quality": 8, "tutoring": 8}
    assert whole_hour_limits(edition, Mode.FULL_LIVE, TOTAL).least_live == least_live_by_trying(
        edition, TOTAL
    )
    check = microseconds(
        lambda: check_timetable(edition, course_type="SYB", mode=Mode.FULL_LIVE, hours=hours), seconds
    )
    answered = microseconds(
        lambda: check_timetable(edition, course_type="SYB", mode=Mode.FULL_LIVE, hours=hours).render(),
        seconds,
    )
    ningxia = load_editions()["ningxia-2020"]
    other_hours = {"live": 24, "on_demand": 14, "tutoring": 2}
    other = microseconds(
        lambda: check_timetable(ningxia, course_type="SYB", mode=Mode.FULL_LIVE, hours=other_hours).render(),
        seconds,
    )
    start = microseconds(lambda: earliest_start(edition, date(2026, 9, 18)).render(), seconds)
    slowest = max(check, answered, other, start)
    closed = microseconds(lambda: whole_hour_limits(edition, Mode.FULL_LIVE, TOTAL), seconds)
    tried = microseconds(lambda: least_live_by_trying(edition, TOTAL), seconds)
    print(
        json.dumps(
            {
                "timetable_check_us": round(check, 1),
                "with_its_answer_us": round(answered, 1),
                "by_another_norm_us": round(other, 1),
                "earliest_start_us": round(start, 1),
                "under_1_ms": slowest < 1000,
                "least_live_us": round(closed, 1),
                "least_live_by_trying_us": round(tried, 1),
                "times_faster_than_trying": round(tried / closed, 1),
            }
        )
    )


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)
