#!/bin/sh
# Makes the test certificates again, valid for a hundred years, except secure, tcp and pass, which are
# self-signed: openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 -subj /CN=NAME.test
#   -addext subjectAltName=DNS:NAME.test,DNS:also-NAME.test -keyout NAME.key -out NAME.crt
#
#   loopback      self-signed in the same way, for 127.0.0.1 and localhost
#   ca            root, with crl.pem, its list of revoked certificates
#   client        a client's: URI and DNS names
#   revoked       a client's, on the list
#   deep          a client's from an intermediate authority of the root, which is in the same file;
#                 deep-crl.pem is the list of that authority only
#   stranger      a client's from an unknown authority
#   backend       a server's: backend.test
#   secp256k1     self-signed, on a curve that Envoy does not support
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
days=36500
export INDEX="$work/index"

cat >"$work/ca.cnf" <<EOF
[req]
distinguished_name = req
[ca]
default_ca = own
[own]
database = \$ENV::INDEX
crlnumber = \$ENV::INDEX.number
default_md = sha256
default_crl_days = $days
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
EOF

key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null; }

# authority NAME: a root in $work
authority() {
  key "$work/$1.key"
  openssl req -x509 -new -key "$work/$1.key" -subj "/CN=$1" -days $days -config "$work/ca.cnf" \
    -extensions authority -out "$work/$1.crt"
}

# signed NAME AUTHORITY EXTENSIONS: a key and certificate in $work
signed() {
  key "$work/$1.key"
  openssl req -new -key "$work/$1.key" -subj "/CN=$1" -config "$work/ca.cnf" -out "$work/$1.csr"
  printf '%b\n' "$3" >"$work/$1.ext"
  openssl x509 -req -in "$work/$1.csr" -CA "$work/$2.crt" -CAkey "$work/$2.key" -CAcreateserial -days $days \
    -extfile "$work/$1.ext" -out "$work/$1.crt" 2>/dev/null
}

# revocations AUTHORITY FILE [NAME]: the list of an authority, with the certificate NAME on it
revocations() {
  INDEX="$work/$1.index"
  : >"$INDEX"
  echo 01 >"$INDEX.number"
  if [ $# -gt 2 ]; then
    openssl ca -config "$work/ca.cnf" -cert "$work/$1.crt" -keyfile "$work/$1.key" -revoke "$work/$3.crt" 2>/dev/null
  fi
  openssl ca -config "$work/ca.cnf" -cert "$work/$1.crt" -keyfile "$work/$1.key" -gencrl -out "$2" 2>/dev/null
}

client='extendedKeyUsage = clientAuth\nsubjectAltName = '
authority ca
authority unknown
signed client ca "${client}DNS:client.test, URI:spiffe://test/client"
signed revoked ca "${client}DNS:revoked.test"
signed intermediate ca 'basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign'
signed deep intermediate "${client}DNS:deep.test"
signed stranger unknown "${client}DNS:client.test"
signed backend ca 'extendedKeyUsage = serverAuth\nsubjectAltName = DNS:backend.test'
cat "$work/intermediate.crt" >>"$work/deep.crt"

for name in client revoked deep stranger backend; do cp "$work/$name.crt" "$work/$name.key" .; done
cp "$work/ca.crt" .
revocations ca crl.pem revoked
revocations intermediate deep-crl.pem
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:secp256k1 -nodes -days $days -subj /CN=secp256k1 \
  -config "$work/ca.cnf" -keyout secp256k1.key -out secp256k1.crt 2>/dev/null
