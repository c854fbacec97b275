#!/usr/bin/env bash
# Checks the C++ sources against .clang-format (clang-format 14: another version lays out differently).
#   scripts/check_format.sh [--fix] [FILE...]      --fix: rewrite instead; FILE: only these
set -euo pipefail
cd "$(dirname "$0")/.."

mode=(--dry-run -Werror)
files=()
for argument in "$@"; do
  case "$argument" in
    --fix) mode=(-i) ;;
    --help | -h) sed -n '2,3p' "$0"; exit 0 ;;
    -*) echo "check_format.sh: unknown argument '$argument' (known: --fix)" >&2; exit 2 ;;
    *) files+=("$argument") ;;
  esac
done

format=
for candidate in clang-format-14 clang-format; do
  if command -v "$candidate" >/dev/null && "$candidate" --version | grep -q 'version 14\.'; then format=$candidate; break; fi
done
[ -n "$format" ] || { echo "check_format.sh: clang-format 14 is not installed (scripts/setup.sh brings it)" >&2; exit 2; }

[ ${#files[@]} -gt 0 ] ||
  mapfile -t files < <(find include src drivers tests \( -name '*.hpp' -o -name '*.cpp' \) -not -path '*/build*/*' | sort)
status=0
answer=$("$format" --style=file "${mode[@]}" "${files[@]}" 2>&1) || status=$?
bad=$(grep -E '^[^ ]+:[0-9]+:[0-9]+: (error|warning)' <<<"$answer" | cut -d: -f1 | sort -u) || true
for file in $bad; do echo "$file: not laid out as .clang-format says" >&2; done
echo "check_format: ${#files[@]} files, $(wc -w <<<"$bad") to mend"
[ -z "$bad" ] || { echo "check_format: run scripts/check_format.sh --fix" >&2; exit 1; }
[ "$status" -eq 0 ] || { echo "$answer" >&2; exit "$status"; }
