#!/usr/bin/env python3
"""Django's command line for Yuchuang."""

import os
import sys
from pathlib import Path

# platform/ is a source root, never a package: docs/decisions/0001-platform-is-a-source-root.md
sys.path[:0] = [str(Path(__file__).resolve().parent / "platform")]


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
