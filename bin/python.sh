# Sourced by bin/run and bin/test: sets PYTHON to a Python that can carry Yuchuang, or says what is missing.
# The system's own goes before another on PATH: distributions build theirs with profiles, and bench/policy.py took
# 1.3 to 1.6 times as long on one that pyenv had built.
choose_python() {
    needed=$1
    shift
    for candidate; do
        command -v "$candidate" >/dev/null 2>&1 || continue
        if "$candidate" -c "import $needed; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))" 2>/dev/null; then
            PYTHON=$candidate
            return
        fi
    done
    return 1
}
PYTHON=
for needed in "sys, ensurepip" sys; do
    [ -n "$PYTHON" ] || choose_python sys "${YUCHUANG_PYTHON:-}" ||
        choose_python "$needed" /usr/bin/python3 python3 python3.11 python3.12 python3.13 python3.14 || true
done
if [ -z "$PYTHON" ]; then
    echo "Yuchuang needs Python 3.11, 3.12, 3.13 or 3.14; found: $(python3 --version 2>/dev/null || echo none)." >&2
    echo "Debian 12 and Ubuntu 24.04 have one: apt-get install python3 python3-venv" >&2
    echo "Another place can be named: YUCHUANG_PYTHON=/path/to/python3.12 $0" >&2
    exit 1
fi
