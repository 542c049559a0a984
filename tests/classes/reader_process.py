"""Reads rosters one after the other under hard limits: `python -m tests.classes.reader_process`.

A line on standard input names a file; a line on standard output says what came of it, as JSON. The process
may use half a gigabyte of address space more than it starts with, and each file twenty seconds of CPU.
"""

import json
import resource
import signal
import sys
import time
from pathlib import Path

from classes.rosters import read_roster
from policy.refusals import Refusal

MORE_MEMORY = 512 * 1024 * 1024
SECONDS = 20


def answer(path: str) -> dict[str, object]:
    content = Path(path).read_bytes()
    begin = time.process_time()
    try:
        sheet = read_roster(content)
    except Refusal as refusal:
        found: dict[str, object] = {"code": refusal.code, "next": bool(refusal.next_step), "rows": 0}
    except MemoryError:
        found = {"code": "MEMORY", "rows": 0}
    except TimeoutError:
        found = {"code": "TIME", "rows": 0}
    else:
        first = sheet.faults[0] if sheet.faults else None
        found = {
            "code": first.code if first else "",
            "place": f"{first.column}{first.row or ''}" if first else "",
            "next": first is None or bool(first.render()["next"]),
            "rows": len(sheet.rows),
            "read": sheet.read,
        }
    return found | {"seconds": round(time.process_time() - begin, 2)}


def too_long(*_args: object) -> None:
    raise TimeoutError


def main() -> None:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MORE_MEMORY, used + MORE_MEMORY))
    signal.signal(signal.SIGPROF, too_long)
    print("ready", flush=True)
    for line in sys.stdin:
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        found = answer(line.strip())
        signal.setitimer(signal.ITIMER_PROF, 0)
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
