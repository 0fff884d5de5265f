#!/usr/bin/env bash
# Builds the programs of the test bed from the pinned Go modules beside this script. Usage: build.sh OUTDIR
# Cold it takes some minutes on two cores. Prints one line when it begins with a program.
set -euo pipefail

out=$(realpath -m "${1:?usage: build.sh OUTDIR}")
recipe=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"
# Go may complete go.mod and go.sum while it builds; that must not touch the checkout.
cp -r "$recipe/kube" "$recipe/etcd" "$work/"

export CGO_ENABLED=0 GOFLAGS="-trimpath -buildvcs=false" GOTOOLCHAIN="${GOTOOLCHAIN:-local}"
kwok_version=v0.8.0
kube_version=$(sed -n 's/^require k8s.io\/kubernetes v//p' "$recipe/kube/go.mod")
IFS=. read -r major minor _ <<<"$kube_version"
# Unstamped, the API server says v0.0.0, and clients that choose by version would choose wrongly.
stamp=""
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  stamp+=" -X $package.gitVersion=v$kube_version -X $package.gitMajor=$major -X $package.gitMinor=$minor"
  stamp+=" -X $package.gitTreeState=archive -X $package.gitCommit=module -X $package.buildDate=1970-01-01T00:00:00Z"
done

cd "$work/kube"
for program in kube-apiserver kube-controller-manager; do
  echo "building $program"
  go build -mod=mod -tags selinux,notest,grpcnotrace -ldflags "-s -w$stamp" -o "$out/" "k8s.io/kubernetes/cmd/$program"
done
echo "building etcd"
# The server module has replace directives in its own tree, so it cannot be installed by version; wrapped, it can.
(cd "$work/etcd" && go build -mod=mod -ldflags "-s -w" -o "$out/etcd" go.etcd.io/etcd/server/v3)
echo "building kwok"
GOBIN="$out" go install -ldflags "-s -w -X sigs.k8s.io/kwok/pkg/consts.Version=$kwok_version" "sigs.k8s.io/kwok/cmd/kwok@$kwok_version"
