#!/bin/sh
# The tests use a real PostgreSQL and a real Chromium; the product needs neither.
set -eu
missing=""
[ -n "$(ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null)" ] || command -v initdb >/dev/null || missing="$missing postgresql"
command -v chromium >/dev/null || missing="$missing chromium fonts-noto-core"
[ -z "$missing" ] && exit 0
install="apt-get update && apt-get install -y --no-install-recommends$missing"
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    echo "Installing for the tests:$missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086 # a list of package names
    apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
    echo "The tests need$missing. Run:  sudo sh -c '$install'" >&2
    exit 1
fi
