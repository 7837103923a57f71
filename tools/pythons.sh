#!/usr/bin/env bash
# Prints the path of an interpreter of each supported Python, oldest first: those on PATH and those that pyenv has.
set -euo pipefail
cd "$(dirname "$0")/.."
read -r first after < <(sed -nE 's/^requires-python = ">=3\.([0-9]+),<3\.([0-9]+)"/\1 \2/p' pyproject.toml)
versions=$(command -v pyenv > /dev/null && echo "$(pyenv root)/versions" || true)

for ((minor = first; minor < after; minor++)); do
    found=
    for python in "python3.$minor" "${versions:-/nowhere}/3.$minor".*/bin/python; do
        # A shim of pyenv is on PATH and fails where its version is not selected.
        if "$python" -c "import sys, venv; sys.exit(sys.version_info[:2] != (3, $minor))" 2> /dev/null; then
            found=$(command -v "$python")
            break
        fi
    done
    if [ -n "$found" ]; then echo "$found"; else echo "Python 3.$minor is not on this machine: skipped" >&2; fi
done
