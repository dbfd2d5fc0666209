import type { Manifest } from "./backend.js";
import { base, good, host, type Poison, pem, root, secret, tls, web } from "./poison.js";

const crt = good["tls.crt"];
const key = good["tls.key"];
const body = crt.replace(/-----[A-Z ]+-----|\s/g, "");
const pair = (name: string): Record<string, string> => ({
  "tls.crt": pem(`${name}.crt`),
  "tls.key": pem(`${name}.key`),
});
const block = (content: string): string =>
  `-----BEGIN CERTIFICATE-----\n${content}\n-----END CERTIFICATE-----\n`;
const garbage = block("bm90IGEgY2VydGlmaWNhdGU=");

const shapes: Readonly<Record<string, string>> = {
  empty: "",
  garbage: "garbage",
  "garbage in PEM": garbage,
  "garbage behind the leaf": crt + garbage,
  "half a certificate behind the leaf": crt + block(body.slice(0, 200)),
  "a key behind the leaf": crt + key,
  "junk around it": `junk\n${crt}junk`,
  "CRLF line ends": crt.replaceAll("\n", "\r\n"),
  "CR line ends": crt.replaceAll("\n", "\r"),
  "blank lines inside": block(body.replace(/(.{64})/g, "$1\n\n")),
  "one long line": block(body),
  "lines of one character": block(body.split("").join("\n")),
  "spaces and tabs": block(body.replace(/(.{10})/g, "$1 \t")),
  "padding in the middle": block(`${body.slice(0, 64)}==\n${body.slice(64)}`),
  "bytes behind the certificate": block(
    Buffer.concat([Buffer.from(body, "base64"), Buffer.from("junk")]).toString("base64"),
  ),
  "a hundred copies": crt.repeat(100),
  "a megabyte": crt.repeat(1600),
  NUL: crt.replace("\n", "\0\n"),
};

const validated = (ca: string, protocol: string): readonly Manifest[] => [
  ...base,
  secret("bad", { "ca.crt": ca }, "Opaque"),
  root({
    routes: [
      {
        permitInsecure: true,
        services: [{ ...web[0], protocol, validation: { caSecret: "bad", subjectName: host } }],
      },
    ],
  }),
];

export const certificates: readonly Poison[] = [
  ...Object.entries(shapes).map(([name, text]) => tls(name, { "tls.crt": text, "tls.key": key })),
  ...Object.entries(shapes).map(
    ([name, text]): Poison => ({
      name: `CA bundle: ${name}`,
      objects: validated(text, "tls"),
    }),
  ),
  ...["rsa1024", "secp256k1", "ed25519", "rsapss", "p521", "explicit", "expired"].map((name) =>
    tls(name, pair(name)),
  ),
  ...["rsa1024", "secp256k1", "ed25519", "rsapss", "explicit", "expired"].map(
    (name): Poison => ({
      name: `CA bundle: ${name}`,
      objects: validated(pem(`${name}.crt`), "h2"),
    }),
  ),
  tls("another's key", { "tls.crt": crt, "tls.key": pem("tcp.key") }),
  tls("an encrypted key", { "tls.crt": pem("expired.crt"), "tls.key": pem("encrypted.key") }),
  tls("no key", { "tls.crt": crt, "tls.key": "" }),
  tls("two keys", { "tls.crt": crt, "tls.key": key + pem("tcp.key") }),
  tls("key and certificate exchanged", { "tls.crt": key, "tls.key": crt }),
  tls("a key in one long line", { "tls.crt": crt, "tls.key": key.replace(/([^-])\n([^-])/g, "$1$2") }),
  tls("a key with blank lines", { "tls.crt": crt, "tls.key": key.replace(/([^-])\n/g, "$1\n\n") }),
  tls("a key labelled EC", { "tls.crt": crt, "tls.key": key.replaceAll("PRIVATE", "EC PRIVATE") }),
  tls("type kubernetes.io/basic-auth", good, "kubernetes.io/basic-auth"),
  tls("an Opaque Secret", good, "Opaque"),
];
