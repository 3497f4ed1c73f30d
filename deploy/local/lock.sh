#!/usr/bin/env bash
# Writes requirements.lock from pyproject.toml, with uv from a throw-away environment. Run by `make lock`.
# Versions already in the lock are kept; `make lock UPGRADE=1` takes the newest allowed. The lock names no host.
set -euo pipefail
cd "$(dirname "$0")/../.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/python" -m pip --disable-pip-version-check --quiet install uv
"$scratch/venv/bin/uv" pip compile --quiet ${UPGRADE:+--upgrade} \
  --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
  --custom-compile-command 'make lock' --group dev pyproject.toml --output-file requirements.lock
if grep -nE '^[^#]*://' requirements.lock; then
  echo 'requirements.lock names a host (above)' >&2
  exit 1
fi
