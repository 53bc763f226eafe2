# shellcheck shell=bash
# Builds programs of Kubernetes 1.20 from Debian 12's own source package; sourced after lib.sh, never run.
# `work` names the directory that it is done in (some 3 GB, the caller removes it), `logs` the one for the logs.

fetch_kubernetes_source() {
  mkdir -p "$work/debs" "$work/root"
  apt_apart "$work" update || return 1
  (cd "$work/debs" && apt_apart "$work" download golang-1.19-go golang-1.19-src golang-github-modern-go-reflect2-dev \
    etcd-server kubernetes-client rsync jq libjq1 libonig5 libpopt0) || return 1
  for file in "$work"/debs/*.deb; do dpkg-deb -x "$file" "$work/root" || return 1; done
  (cd "$work" && apt_apart "$work" source --download-only kubernetes=1.20.*) || (cd "$work" && apt_apart "$work" source --download-only kubernetes) || return 1
  mkdir -p "$work/go/src/k8s.io"
  (cd "$work" && dpkg-source --no-check -x kubernetes_*.dsc "$work/go/src/k8s.io/kubernetes")
}

# make_kubernetes FLAGS PROGRAM...: by their names in the source's cmd/.
make_kubernetes() {
  local flags=$1 tree=$work/go/src/k8s.io/kubernetes reflect2=vendor/github.com/modern-go/reflect2
  shift
  # The vendored reflect2 1.0.1 crashes on Go 1.18 and later as soon as a custom resource is decoded; Debian's 1.0.2 does not.
  rm -rf "${tree:?}/$reflect2"
  cp -r "$work/root/usr/share/gocode/src/github.com/modern-go/reflect2" "$tree/$reflect2"
  cd "$tree"
  # GOPATH mode and make: a bare `go build` lacks the generated openapi code.
  env GOFLAGS="$flags" GOPATH="$work/go" GOROOT="$work/root/usr/lib/go-1.19" GO111MODULE=off GOCACHE="$work/gocache" \
    GOTOOLCHAIN=local KUBE_GIT_TREE_STATE=archive LD_LIBRARY_PATH="$(dirname "$(find "$work/root/usr/lib" -name 'libjq.so.1' | head -n 1)")" \
    PATH="$work/root/usr/lib/go-1.19/bin:$work/root/usr/bin:$PATH" make WHAT="${*/#/cmd/}"
}

# build_kubernetes TIME FLAGS PROGRAM...: with these flags of Go, leaves the programs in $work/bin, and says beforehand what it takes.
build_kubernetes() {
  local time=$1 flags=$2 tools=() link target program
  shift 2
  case $(platform) in linux-amd64 | linux-arm64) ;; *) return 1 ;; esac
  have apt-get || { say "no apt-get: not a Debian machine"; return 1; }
  have dpkg-source || tools+=(dpkg-dev)
  have make || tools+=(make)
  have xz || tools+=(xz-utils)
  have gcc || tools+=(gcc libc6-dev)
  [ ${#tools[@]} = 0 ] || (need_packages "${tools[@]}") || return 1
  with_progress "getting Debian's source of Kubernetes, Go, etcd and kubectl" "$logs/fetch.log" fetch_kubernetes_source || return 1
  # The Debian package's GOROOT has symbolic links to /usr/share/go-1.19, which is not there: they are made to point into the copy.
  while read -r link; do
    target=$(readlink "$link")
    case $target in
      /*) ln -sfn "$work/root$target" "$link" ;;
    esac
  done < <(find "$work/root/usr/lib/go-1.19" "$work/root/usr/share/go-1.19" -type l)
  with_progress "building $* from Debian's source ($time on two cores, once)" "$logs/build.log" make_kubernetes "$flags" "$@" || return 1
  mkdir "$work/bin"
  for program; do
    cp "$(find "$work/go/src/k8s.io/kubernetes/_output" -type f -name "$program" | head -n 1)" "$work/bin/" \
      && "$work/bin/$program" --version >/dev/null || { say "the build left no working $program"; return 1; }
  done
}
