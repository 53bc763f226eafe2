# Shared by the scripts in this directory; sourced, never run.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/mcp-operator

say() { printf '==> %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# with_progress LABEL LOG COMMAND...: runs it with its output in LOG, and says every ten seconds that it still does.
with_progress() {
  local label=$1 log=$2 pid began=$SECONDS code=0
  shift 2
  say "$label"
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    local tick
    for tick in 1 2 3 4 5 6 7 8 9 10; do
      sleep 1
      kill -0 "$pid" 2>/dev/null || break
    done
    kill -0 "$pid" 2>/dev/null && say "$label: $((SECONDS - began)) s so far"
  done
  wait "$pid" || code=$?
  [ "$code" = 0 ] || { tail -n 20 "$log" >&2; say "$label: failed, the whole log is $log"; }
  return "$code"
}

# The machine's name for itself as release archives spell it: linux-amd64, darwin-arm64, …
platform() {
  local os arch
  os=$(uname -s | tr '[:upper:]' '[:lower:]')
  case $(uname -m) in
    x86_64 | amd64) arch=amd64 ;;
    aarch64 | arm64) arch=arm64 ;;
    *) arch=$(uname -m) ;;
  esac
  printf '%s-%s\n' "$os" "$arch"
}
