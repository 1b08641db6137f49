#!/bin/sh
# Makes the certificates of these tests anew: three authorities, their servers and clients, and what one of them has
# revoked. Needs openssl 3.
# The authorities' keys are thrown away: what is to be signed is signed here.
set -eu
cd "$(dirname "$0")"
days=73000

authority() { # NAME SUBJECT
  openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"
  openssl req -x509 -new -key "$1.key" -subj "/CN=$2" -days $days -out "$1.pem" \
    -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,cRLSign"
}

signed() { # NAME AUTHORITY SUBJECT SAN [BEGIN END]
  openssl ecparam -name prime256v1 -genkey -noout -out "$1.sec1"
  openssl pkcs8 -topk8 -nocrypt -in "$1.sec1" -out "$1.key"
  openssl req -new -key "$1.key" -subj "/CN=$3" -out "$1.csr"
  printf 'subjectAltName=%s\n' "$4" > "$1.ext"
  if [ $# -gt 4 ]; then
    mkdir -p db && : > db/index && echo 01 > db/serial
    openssl ca -batch -config /dev/stdin -in "$1.csr" -out "$1.pem" -startdate "$5" -enddate "$6" -notext -extfile "$1.ext" <<CONFIG
[ca]
default_ca = one
[one]
database = db/index
serial = db/serial
new_certs_dir = db
certificate = $2.pem
private_key = $2.key
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
CONFIG
    rm -r db
  else
    openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -extfile "$1.ext" -days $days -out "$1.pem"
  fi
  rm "$1.sec1" "$1.csr" "$1.ext"
}

revoking() { # AUTHORITY REVOKED
  mkdir -p db && : > db/index && echo 01 > db/crlnumber
  printf '[ca]\ndefault_ca = one\n[one]\ndatabase = db/index\ncrlnumber = db/crlnumber\ncertificate = %s.pem\nprivate_key = %s.key\ndefault_md = sha256\n' "$1" "$1" > db/config
  openssl ca -config db/config -gencrl -crldays $days -out "$1-none.crl"
  openssl ca -config db/config -gencrl -crl_lastupdate 20200101000000Z -crl_nextupdate 20200201000000Z -out "$1-old.crl"
  openssl ca -config db/config -revoke "$2.pem"
  openssl ca -config db/config -gencrl -crldays $days -out "$1.crl"
  rm -r db
}

names="DNS:localhost,DNS:events.test,IP:127.0.0.1"
authority ca "Fairlead test authority"
authority other-ca "Another test authority"
signed server ca server "$names"
signed server-2 ca server-2 "$names"
signed server-expired ca server "$names" 20200101000000Z 20200201000000Z
signed other-server other-ca server "$names"
signed client ca worker "URI:spiffe://test/worker"
signed client-2 ca stranger "DNS:stranger.test"
signed client-expired ca worker "URI:spiffe://test/worker" 20200101000000Z 20200201000000Z
signed other-client other-ca worker "URI:spiffe://test/worker"
authority revoking-ca "A revoking test authority"
signed kept-client revoking-ca worker "URI:spiffe://test/kept"
signed revoked-client revoking-ca worker "URI:spiffe://test/revoked"
revoking revoking-ca revoked-client
rm -f ca.key other-ca.key revoking-ca.key ./*.srl
