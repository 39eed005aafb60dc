#!/usr/bin/env bash
# A service deployed, changed and destroyed on the local AWS: no account, no configuration. `make demo` runs it.
#
# BIN is the folder of the fargatectl to show; without it, the one on the PATH is taken.
set -euo pipefail

examples=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scratch=$(mktemp -d)
# A state folder of our own: a local AWS that the user runs is neither used nor stopped.
export XDG_STATE_HOME="$scratch/state"
export PATH="${BIN:+$BIN:}$PATH"

bold='' dim='' plain='' pause=0
if [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
  bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m' pause=1.5
fi

leave() {
  fargatectl sandbox stop >"$scratch/last" 2>&1 || true
  rm -rf "$scratch"
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# show WHY COMMAND...: say why, type the command, run it. It must end with $ends, by default 0.
show() {
  local code=0
  printf '\n%s# %s%s\n' "$dim" "$1" "$plain"
  shift
  printf '%s$ %s%s\n' "$bold" "$*" "$plain"
  sleep "$pause"
  "$@" || code=$?
  if ((code != ${ends:-0})); then
    printf '%s\n' "The demo expected the exit code ${ends:-0}, not $code." >&2
    exit 1
  fi
}

cd "$scratch"
cp "$examples/minimal.toml" fargatectl.toml

show 'The whole of a public service.' cat fargatectl.toml
show 'A local AWS on this machine, in which time passes twenty times as fast.' fargatectl sandbox start --speed 20
show 'What would be done, and to what. This only reads.' fargatectl diff --sandbox
show 'Do it, and follow the rollout until the service is healthy.' fargatectl deploy --sandbox --yes
show 'What runs now.' fargatectl status --sandbox
show 'Again: what is as it should be is left alone.' fargatectl deploy --sandbox --yes
show 'A new version of the image.' sed -i.old 's/nginx:stable/nginx:1.29/' fargatectl.toml
show 'One setting, so one new task definition and one new deployment.' fargatectl diff --sandbox
show 'The old tasks leave when the new ones are healthy.' fargatectl deploy --sandbox --yes
show 'The new revision serves.' fargatectl status --sandbox
ends=3 show 'A version that crashes at its start: ECS gives up and goes back, and the reason is told.' \
  fargatectl deploy --sandbox --yes --image public.ecr.aws/nginx/nginx:crash
show 'Delete all that the app owns, and look whether anything is left.' fargatectl destroy --sandbox --yes
show 'That was all; the local AWS goes too.' fargatectl sandbox stop
