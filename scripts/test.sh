#!/usr/bin/env bash
# Installs what is missing, builds the release preset into build/ and runs the tests; ends with their exit status.
#   scripts/test.sh [--slow] [--no-setup]      --slow: the long tests too; --no-setup: install nothing
set -euo pipefail
cd "$(dirname "$0")/.."

setup=1
selection=(-LE slow)
for argument in "$@"; do
  case "$argument" in
    --slow) selection=() ;;
    --no-setup) setup= ;;
    --help | -h) sed -n '2,3p' "$0"; exit 0 ;;
    *) echo "test.sh: unknown argument '$argument' (known: --slow, --no-setup)" >&2; exit 2 ;;
  esac
done

[ -z "$setup" ] || scripts/setup.sh ${CI:+--yes}
cmake --preset release
cmake --build --preset release -j "$(nproc)"
ctest --preset release --no-tests=error -j "$(nproc)" "${selection[@]}"
