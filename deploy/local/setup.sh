#!/usr/bin/env bash
# Makes .venv from requirements.lock: exact versions, checked hashes. Run by `make setup`; safe to run again.
# MEDLIST_PYTHON chooses the Python (3.11 to 3.14); else the first one that fits is taken.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly VENV=.venv
readonly STAMP=$VENV/.medlist-setup
readonly FITS='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))'

say() { printf '%s\n' "$*" >&2; }

# The first Python of the right version, or nothing.
find_python() {
  local candidate
  for candidate in ${MEDLIST_PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
    if command -v "$candidate" >/dev/null && "$candidate" -c "$FITS" 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
}

can_make_venv() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

may_install() { command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ]; }

# Debian packages, if we may install them; else says what to do.
install_packages() {
  if may_install; then
    say "installing Debian packages: $*"
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
  else
    say "Python 3.11 to 3.14 with its venv module is needed. On Debian or Ubuntu:"
    say "  sudo apt-get install $*"
    say "then run make again. MEDLIST_PYTHON=/path/to/python3 chooses another Python."
    exit 1
  fi
}

# Debian splits venv off, one package for each Python; the system's own Python may be too old or not there.
venv_package() {
  local minor
  for minor in 14 13 12 11; do
    if apt-cache show "python3.$minor-venv" >/dev/null 2>&1; then
      echo "python3.$minor-venv"
      return
    fi
  done
  echo python3-venv
}

python=$(find_python)
if [ -z "$python" ] && [ -n "${MEDLIST_PYTHON:-}" ]; then
  say "MEDLIST_PYTHON names no Python of version 3.11 to 3.14: $MEDLIST_PYTHON"
  exit 1
fi
if [ -z "$python" ] || ! can_make_venv "$python"; then
  if may_install; then apt-get update -qq; fi
  if [ -z "$python" ]; then
    install_packages "$(venv_package)"
    python=$(find_python)
  else
    install_packages "$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
  fi
fi

# A second run at the same time waits for the first.
mkdir -p build
if command -v flock >/dev/null; then
  exec 9>build/.setup.lock
  flock 9
fi

if ! "$VENV/bin/python" -c "$FITS" 2>/dev/null; then
  say "making $VENV with $("$python" -V)"
  rm -rf "$VENV"
  "$python" -m venv "$VENV"
fi
say "installing requirements.lock into $VENV (the first time takes a minute)"
pip=("$VENV/bin/python" -m pip --disable-pip-version-check --quiet install)
"${pip[@]}" --require-hashes --only-binary :all: --requirement requirements.lock
"${pip[@]}" --no-deps --no-build-isolation --no-index --editable .
touch "$STAMP"
