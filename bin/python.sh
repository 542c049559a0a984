# Sourced by bin/run and bin/test: sets PYTHON to a Python that can carry Yuchuang, or says what is missing.
PYTHON=
for candidate in "${YUCHUANG_PYTHON:-}" python3 python3.11 python3.12 python3.13 python3.14; do
    [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 || continue
    if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null; then
        PYTHON=$candidate
        break
    fi
done
if [ -z "$PYTHON" ]; then
    echo "Yuchuang needs Python 3.11, 3.12, 3.13 or 3.14; found: $(python3 --version 2>/dev/null || echo none)." >&2
    echo "Debian 12 and Ubuntu 24.04 have one: apt-get install python3 python3-venv" >&2
    echo "Another place can be named: YUCHUANG_PYTHON=/path/to/python3.12 $0" >&2
    exit 1
fi
