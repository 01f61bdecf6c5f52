#!/bin/sh
# Unpack the newest bundle of FOLDER, install it, and run a small demo where only loopback exists.  sh bundle/try.sh dist
set -eu
archive="$(ls -t "$1"/basira-*.tar | head -1)"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
tar -xf "$archive" -C "$scratch" --strip-components 1
if [ "$(id -u)" = 0 ]; then alone="unshare --net"; else alone="unshare --map-root-user --net"; fi
$alone sh -c '
    set -eu
    ip link set lo up
    cd "$0"
    sh install.sh "$0/env"
    BASIRA_HOME="$0/home" BASIRA_BUCKETS=2 "$0/env/bin/basira" demo --scale 0.06
' "$scratch"
