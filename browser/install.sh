#!/usr/bin/env bash
# Installs those of the named programs that this machine lacks: install.sh node npm chromium
set -euo pipefail

missing=()
for program in "$@"; do
    command -v "$program" > /dev/null || missing+=("${program/#node/nodejs}") # the name of Debian's package
done
[ ${#missing[@]} -eq 0 ] && exit

as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
if ! command -v apt-get > /dev/null || ! command -v "${as_root[@]:-env}" > /dev/null; then
    echo "Install ${missing[*]} first: they are missing, and this machine lacks apt-get, or sudo to run it." >&2
    echo "A Chromium or Chrome under another name will do: make CHROMIUM=/usr/bin/google-chrome" >&2
    exit 1
fi
echo "installing ${missing[*]} (about half a minute)"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
