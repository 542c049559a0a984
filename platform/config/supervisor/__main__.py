"""`python -m config.supervisor`: what bin/run and `manage.py up` do once the machine is set up."""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

from .environment import ROOT, is_ours
from .stack import Stack, StackFailed

# DESIGN's cast; tests compare it with the demo's own list.
CAST = (
    ("learner", "学员 王小满"),
    ("trainer", "讲师 李明远"),
    ("assistant", "助教 赵晓宁"),
    ("manager", "郑州启航创业培训学校 管理员"),
    ("rival", "洛阳新程创业培训中心 管理员"),
    ("officer", "郑州市人力资源和社会保障局 经办人员"),
    ("regulator", "河南省人力资源和社会保障厅（只读）"),
    ("finance", "郑州市财政局（只读）"),
    ("operator", "平台运维"),
)
PASSWORD = "yuchuang-demo"  # noqa: S105  (demo mode only; production refuses to start with it)


def main(arguments: list[str] | None = None) -> int:
    """Run the platform until Ctrl-C. Returns the exit code."""
    options = _parser().parse_args(arguments)
    outside = {
        name: value for name, value in os.environ.items() if is_ours(name) and name != "YUCHUANG_STATE_DIR"
    }
    if options.no_demo:
        outside["YUCHUANG_DEMO"] = "0"  # said now, so it wins over the environment
    stack = Stack(state=options.state, port=options.port, demo=not options.no_demo, environment=outside)
    try:
        if options.fresh and not _remove_data(stack, confirmed=options.yes):
            return 1
        return asyncio.run(_run(stack))
    except StackFailed as failure:
        print(f"\nYuchuang cannot run: {failure}", file=sys.stderr, flush=True)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bin/run", description="Run the whole platform; Ctrl-C stops it.")
    parser.add_argument("--port", type=int, default=8000, help="where the pages are (default 8000)")
    parser.add_argument("--fresh", action="store_true", help="delete this checkout's data first; asks")
    parser.add_argument("--yes", action="store_true", help="with --fresh: do not ask")
    parser.add_argument(
        "--no-demo", action="store_true", help="no demo; prints how the first account gets in"
    )
    parser.add_argument("--state", type=Path, default=ROOT / ".local", help=argparse.SUPPRESS)
    return parser


async def _run(stack: Stack) -> int:
    told_to_stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
    stopping = asyncio.create_task(told_to_stop.wait())
    starting = asyncio.create_task(stack.start())
    watching = asyncio.create_task(stack.watch())
    try:
        await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            _announce(stack)
            await stopping
        print(flush=True)
    finally:
        for task in (starting, watching, stopping):
            task.cancel()
        await asyncio.gather(starting, watching, stopping, return_exceptions=True)
        await stack.stop()
    return 0


def _announce(stack: Stack) -> None:
    lines = ["", f"豫创 Yuchuang: {stack.url}    (Ctrl-C 停止 stops it)", ""]
    if stack.environment["YUCHUANG_DEMO"] == "1":
        lines += [f"  {username:10} {who}" for username, who in CAST]
        lines += ["", f"  密码 password: {PASSWORD}   (演示数据 demo data)", ""]
    if stack.first_steps:
        lines += [*(f"  {line}" for line in stack.first_steps), ""]
    lines += [f"  ! {note}" for note in stack.notes]
    with contextlib.suppress(OSError):
        print("\n".join(lines), flush=True)


def _remove_data(stack: Stack, *, confirmed: bool) -> bool:
    """Delete the data folder after asking. Returns False when the answer was no."""
    folder = stack.state / "data"
    print(
        f"--fresh deletes {folder}: the database, uploaded files, recordings. It cannot be undone.",
        flush=True,
    )
    if not confirmed:
        if not sys.stdin or not sys.stdin.isatty():
            print("Nothing was deleted: no terminal to ask on. Add --yes to mean it.", file=sys.stderr)
            return False
        if input("Type yes to delete: ").strip().lower() not in ("yes", "y", "是"):
            print("Nothing was deleted.")
            return False
    stack.remove_data()
    return True


if __name__ == "__main__":
    sys.exit(main())
