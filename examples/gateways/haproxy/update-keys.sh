#!/bin/sh
# Reads `lineage keys export --pem` and writes it as the three PEM files that haproxy.cfg names; a
# place without a key of its own gets the first one. Changes nothing unless all of it is there.
set -eu
keys=${1:?usage: lineage keys export --pem | update-keys.sh DIRECTORY}
new=$(mktemp -d "$keys/new.XXXXXX")
trap 'rm -rf "$new"' EXIT
awk -v dir="$new" '
  /^-----BEGIN PUBLIC KEY-----$/ { n++ }
  n { print > (dir "/" n ".pem") }
  END { exit n < 1 || n > 3 }
' || { echo 'update-keys: there must be 1 to 3 public keys' >&2; exit 1; }
for place in 1 2 3; do
  [ -f "$new/$place.pem" ] || cp "$new/1.pem" "$new/$place.pem"
done
mv "$new/1.pem" "$new/2.pem" "$new/3.pem" "$keys/"
