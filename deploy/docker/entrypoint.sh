#!/bin/sh
# Which program, then its arguments.
set -eu
program=${1:-}
case "$program" in
  api | git-sync | rollout-worker | standalone)
    shift
    exec node "/app/dist/apps/$program/main.mjs" "$@"
    ;;
  breakwater)
    shift
    exec node /app/dist/apps/cli/main.mjs "$@"
    ;;
  *)
    echo "usage: api | git-sync | rollout-worker | standalone | breakwater [arguments]" >&2
    exit 2
    ;;
esac
