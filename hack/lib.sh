# shellcheck shell=bash
# Shared by the scripts in this directory; sourced, never run.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/mcp-operator

say() { printf '==> %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# with_progress LABEL LOG COMMAND...: runs it with its output in LOG, and says every ten seconds that it still does.
with_progress() {
  local label=$1 log=$2 pid began=$SECONDS code=0 traps signal
  shift 2
  say "$label"
  # A process group of its own, which goes with this script, whichever signal ends it: bash has its background jobs ignore a Ctrl-C.
  set -m
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  set +m
  traps=$(trap -p INT TERM HUP)
  for signal in INT TERM HUP; do
    # In a subshell $$ is another process, and a Ctrl-C would look like a failure here; bash 3.2 has nothing else.
    # shellcheck disable=SC2064
    trap "kill -TERM -- -$pid 2>/dev/null || true; trap - INT TERM HUP; eval \"\$traps\"; kill -$signal \${BASHPID:-\$\$}" "$signal"
  done
  while kill -0 "$pid" 2>/dev/null; do
    for _ in 1 2 3 4 5 6 7 8 9 10; do
      sleep 1
      kill -0 "$pid" 2>/dev/null || break
    done
    kill -0 "$pid" 2>/dev/null && say "$label: $((SECONDS - began)) s so far"
  done
  wait "$pid" || code=$?
  trap - INT TERM HUP
  eval "$traps"
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

# hash_of FILE...: one checksum over names and contents.
hash_of() {
  if have sha256sum; then sha256sum "$@" | sha256sum; else shasum -a 256 "$@" | shasum -a 256; fi | cut -d ' ' -f 1
}

# need_packages PACKAGE...: installs them where that is ours to do (root or CI, on Debian or Ubuntu); else names the command.
need_packages() {
  local sudo=''
  have apt-get || die "this machine lacks: $* (Debian's names). Install them with its package manager."
  [ "$(id -u)" = 0 ] || sudo=sudo
  if [ "$(id -u)" != 0 ] && [ "${CI:-}" != true ]; then
    die "this machine lacks: $*. Install with: sudo apt-get install --no-install-recommends $*"
  fi
  apt_install() { $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; }
  mkdir -p "$cache"
  with_progress "installing $*" "$cache/apt-install.log" apt_install "$@" && return
  # Lists that are missing or old are the usual reason.
  with_progress "updating the package lists" "$cache/apt-update.log" $sudo apt-get update \
    && with_progress "installing $*" "$cache/apt-install.log" apt_install "$@" \
    || die "could not install: $*"
}

# apt_apart DIRECTORY ARGUMENT...: apt-get with the machine's sources and those of their source packages, but with lists and a
# cache of its own in DIRECTORY: nothing of the machine changes, and no root is needed.
apt_apart() {
  local work=$1 file
  shift
  if [ ! -d "$work/sources" ]; then
    mkdir -p "$work/sources" "$work/lists/partial" "$work/apt-cache/archives/partial"
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
      [ ! -f "$file" ] || sed -nE 's/^deb( .*)$/deb\1\ndeb-src\1/p' "$file" >"$work/sources/$(basename "$file" .list).list"
    done
    for file in /etc/apt/sources.list.d/*.sources; do
      [ ! -f "$file" ] || sed -E 's/^Types:.*/Types: deb deb-src/' "$file" >"$work/sources/$(basename "$file")"
    done
  fi
  apt-get -q -y -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$work/sources" \
    -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/apt-cache" -o APT::Sandbox::User= "$@"
}

# use_dotnet: puts a .NET SDK that global.json accepts on the PATH: the machine's, else the one that hack/tools got.
use_dotnet() {
  export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
  # The SDK would insist on ICU, which a minimal machine does not have and nothing here uses.
  export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=${DOTNET_SYSTEM_GLOBALIZATION_INVARIANT:-1}
  (cd "$root" && dotnet --version) >/dev/null 2>&1 && return
  [ -x "$cache/dotnet/dotnet" ] || return 1
  export DOTNET_ROOT=$cache/dotnet PATH=$cache/dotnet:$PATH
  (cd "$root" && dotnet --version) >/dev/null 2>&1
}

# built_program NAME: builds hack/NAME where it changed, and prints the path of its assembly; after use_dotnet.
built_program() {
  local program=$root/hack/$1/bin/Release/net10.0/McpOperator.$1.dll
  # A second for MSBuild to find that nothing changed would be the larger part of a call.
  if [ ! -f "$program" ] || [ -n "$(find "$root/hack/$1" "$root/hack/ControlPlane" "$root"/Directory.* -name obj -prune -o -name bin -prune -o -type f -newer "$program" -print)" ]; then
    mkdir -p "$root/bin"
    with_progress "building hack/$1" "$root/bin/$1.log" dotnet build "$root/hack/$1" --configuration Release --nologo || return
    touch "$program"
  fi
  printf '%s\n' "$program"
}

# find_kubectl: prints the path of the machine's own, which fits the cluster; else of the one of the tests.
find_kubectl() {
  local assets
  command -v kubectl && return
  assets=$("$root/hack/envtest") || return
  printf '%s/kubectl\n' "$assets"
}
