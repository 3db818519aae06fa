# What the journeys have in common: sourced by each of them.
set -euo pipefail

# says FILE TEXT: the file has the text
says() {
  grep -qF -- "$2" "$1" || { echo "$1 does not say '$2':"; cat "$1"; exit 1; } >&2
}

# says_not FILE TEXT: the file does not have the text
says_not() {
  if grep -qF -- "$2" "$1"; then { echo "$1 says '$2':"; cat "$1"; exit 1; } >&2; fi
}

# ends CODE COMMAND …: the command ends with an exit code; what it says is in the file `said`
ends() {
  local expected=$1 code=0
  shift
  "$@" > said 2>&1 || code=$?
  [ "$code" = "$expected" ] || { echo "exit code $code, not $expected: $*"; cat said; exit 1; } >&2
}
