# shellcheck shell=bash
# A node for a script; sourced after lib.sh, never run. The script has nothing else on file descriptor 9.

# node_up DIRECTORY: brings one up (hack/node), with the images of `hack/node load` and those for tests, and sets what finds it. It goes with the script, however that ends; node_down is for a script that goes on.
node_up() {
  local directory=$1
  mkfifo "$directory/hold"
  exec 9<>"$directory/hold"
  # A process group of its own: a Ctrl-C goes to the script alone.
  set -m
  "$root/hack/node" up <"$directory/hold" >"$directory/node" 9>&- &
  node_pid=$!
  set +m
  while kill -0 "$node_pid" 2>/dev/null && ! grep -q '^export PATH=' "$directory/node"; do sleep 0.2; done
  grep -q '^export PATH=' "$directory/node" || { say "no node came up"; return 1; }
  # shellcheck source=/dev/null
  source "$directory/node"
  "$root/hack/node" load || return
  "$root/hack/node" import "$("$root/hack/node-images")"/*.tar
}

node_down() {
  exec 9>&-
  [ -z "${node_pid:-}" ] || wait "$node_pid" || true
}
