#!/usr/bin/env bash
# Makes everything that tinyml, its demo and its tests need: Debian packages and .venv.
# Does only what is missing, and says what it installs.  usage: scripts/setup.sh
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\033[1m==> %s\033[0m\n' "$*"; }
fail() { printf 'error: %s\n' "$*" >&2; exit 5; }

missing_packages() {
  command -v arm-none-eabi-gcc >/dev/null || echo gcc-arm-none-eabi
  [ -n "$(arm_file nano.specs)" ] || echo libnewlib-arm-none-eabi
  [ -n "$(arm_file libstdc++_nano.a)" ] || echo libstdc++-arm-none-eabi-newlib
  command -v qemu-system-arm >/dev/null || echo qemu-system-arm
  command -v gcc >/dev/null && command -v g++ >/dev/null || echo gcc g++ libc6-dev
  command -v git >/dev/null || echo git
  command -v cmake >/dev/null || echo cmake
  command -v ninja >/dev/null || echo ninja-build
  "$python" -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
}

# The path of a file the cross compiler finds by itself; nothing where it finds none.
arm_file() {
  command -v arm-none-eabi-gcc >/dev/null || return 0
  local path
  path=$(arm-none-eabi-gcc -print-file-name="$1")
  [ "$path" = "$1" ] || echo "$path"
}

python=${PYTHON:-python3}
command -v "$python" >/dev/null || fail "no $python here; install Python 3.11 or newer"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
  || fail "$("$python" --version) is too old: Python 3.11 or newer is needed (set PYTHON=...)"

packages=$(missing_packages | tr '\n' ' ')
if [ -n "${packages// /}" ]; then
  command -v apt-get >/dev/null || fail "no apt-get here; install these by hand: $packages"
  sudo=
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "not root and no sudo; install these by hand: $packages"
    sudo=sudo
  fi
  say "installing Debian packages: $packages"
  $sudo apt-get update -qq
  # shellcheck disable=SC2086
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages
fi

stamp=.venv/.set-up
wanted=$(cksum pyproject.toml)
if [ "$(cat $stamp 2>/dev/null || true)" != "$wanted" ]; then
  say "making .venv with tinyml and its Python packages (2.6 GB, TensorFlow among them)"
  [ -x .venv/bin/python ] || "$python" -m venv .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,train]'
  printf '%s\n' "$wanted" > $stamp
fi
