#!/bin/sh
# Makes all keys and certificates of this folder anew, with openssl 3. They begin in the past, for clocks that are behind.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
begin=20200101000000Z
end=21200101000000Z

key() {
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>"$work/log"
  chmod 644 "$1"
}

# certificate NAME KEY CN EXTENSIONS END SIGNER...
certificate() {
  name=$1
  extensions=$4
  until=$5
  openssl req -new -key "$2" -subj "/CN=$3" -out "$work/$name.csr"
  shift 5
  printf '%s\n' "$extensions" >"$work/$name.ext"
  : >"$work/index"
  cat >"$work/ca.cnf" <<END
[ca]
default_ca=own
[own]
database=$work/index
new_certs_dir=$work
rand_serial=yes
default_md=sha256
policy=any
[any]
commonName=supplied
END
  openssl ca -batch -notext -config "$work/ca.cnf" "$@" -in "$work/$name.csr" -extfile "$work/$name.ext" \
    -startdate "$begin" -enddate "$until" -out "$name.pem" 2>"$work/log" || { cat "$work/log"; exit 1; }
}

host='subjectAltName=DNS:broker.fairlead.test,IP:127.0.0.1
extendedKeyUsage=serverAuth'
signer="-cert ca.pem -keyfile $work/ca.key"

key "$work/ca.key"
certificate ca "$work/ca.key" "fairlead test authority" 'basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign' "$end" -selfsign -keyfile "$work/ca.key"
key server.key
certificate server server.key server.fairlead.test "$host" "$end" $signer
certificate expired server.key server.fairlead.test "$host" 20210101000000Z $signer
key "$work/client.key"
openssl pkcs8 -topk8 -in "$work/client.key" -v2 aes-256-cbc -passout pass:fairlead-test -out client.key
certificate client "$work/client.key" client.fairlead.test 'extendedKeyUsage=clientAuth' "$end" $signer
# Of no authority that anybody knows.
key stranger.key
certificate stranger stranger.key stranger.fairlead.test 'extendedKeyUsage=clientAuth' "$end" -selfsign -keyfile stranger.key
