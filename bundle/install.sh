#!/bin/sh
# Install Basira from this folder alone: no index, every hash required.  sh install.sh [FOLDER]
set -eu
here="$(cd "$(dirname "$0")" && pwd)"
target="${1:-$here/basira}"
(cd "$here" && sha256sum --quiet -c SHA256SUMS)
"${PYTHON:-python3}" -m venv "$target"
"$target/bin/pip" --isolated install -q --disable-pip-version-check --no-index --find-links "$here/wheels" \
    --require-hashes -r "$here/requirements.lock"
"$target/bin/python" -P -c "from features.warming import warm; warm()"
echo "Installed. Try:  $target/bin/basira demo"
