import { certificateFile } from "./backend.js";
import {
  bits,
  certificateOf,
  commonName,
  extension,
  extensionList,
  hex,
  nothing,
  oid,
  pem,
  rsaNumbers,
  rsaPublicKey,
  sequence,
} from "./der-writer.js";
import { ec, type OddPair, refused, rsa, strict, taken, type Verdict } from "./odd-pair.js";

const der = certificateOf(rsa.publicKey);
const plain = pem("CERTIFICATE", der);
const base64 = Buffer.from(der).toString("base64");
const broken = "a PEM block in it is broken";

const armour = (name: string, certificate: string, verdict: Verdict, key = rsa.privateKey): OddPair => ({
  name: `PEM: ${name}`,
  certificate,
  key,
  ...verdict,
});
const inLines = (width: number): string => base64.match(new RegExp(`.{1,${width}}`, "g"))?.join("\n") ?? "";
const lines = inLines(64);
const block = (
  body: string,
  begin = "-----BEGIN CERTIFICATE-----\n",
  end = "\n-----END CERTIFICATE-----\n",
): string => begin + body + end;

const certificates: readonly OddPair[] = [
  ...[1, 3, 63, 76, 200, 254, 1000].map((width) => armour(`lines of ${width}`, block(inLines(width)), taken)),
  // Isoline sends other line lengths, so that Envoy never gets these.
  armour("lines of 253", block(inLines(253)), { loads: false }),
  armour("one line", block(base64), taken),
  armour("no line break at the end", plain.trimEnd(), taken),
  armour("CRLF", plain.replaceAll("\n", "\r\n"), taken),
  armour("blanks at the ends of lines", block(lines.replaceAll("\n", " \t\n")), taken),
  armour("blanks within lines", block(lines.replace(/(.{10})/g, "$1 \t")), taken),
  armour("blanks behind the first line", block(lines, "-----BEGIN CERTIFICATE-----  \n"), taken),
  armour("text around it", `text\n${plain}text`, taken),
  armour("padding left out", block(lines.replace(/=+$/, "")), taken),
  armour("an empty line first", block(`\n${lines}`), strict(broken)),
  armour("a marker at the end", `${plain}-----BEGIN `, strict(broken)),
  ...Object.entries({
    "an empty line": block(lines.replace("\n", "\n\n")),
    "an empty line last": block(`${lines}\n`),
    "a blank line": block(lines.replace("\n", "\n \n")),
    CR: plain.replaceAll("\n", "\r"),
    "a byte order mark": `\ufeff${plain}`,
    "a header": block(`Subject: x\n\n${lines}`),
    "no end": `-----BEGIN CERTIFICATE-----\n${lines}\n`,
    "another end": block(lines, undefined, "\n-----END X-----\n"),
    "an end in the last line": block(lines, undefined, "-----END CERTIFICATE-----\n"),
    "text behind the end": block(lines, undefined, "\n-----END CERTIFICATE-----x\n"),
    "a blank before the end": block(lines, undefined, "\n -----END CERTIFICATE-----\n"),
    "text before the begin": block(lines, "x-----BEGIN CERTIFICATE-----\n"),
    "a blank before the begin": block(lines, " -----BEGIN CERTIFICATE-----\n"),
    "text behind the begin": block(lines, "-----BEGIN CERTIFICATE-----x\n"),
    "two begins": block(lines, "-----BEGIN CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\n"),
    "an end and a begin in one line": plain.trimEnd() + plain,
    "a begin at the end": `${plain}-----BEGIN CERTIFICATE-----\n`,
    "an empty block first": `-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n${plain}`,
    "an empty block last": `${plain}-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n`,
    "lower case": plain.replaceAll("CERTIFICATE", "certificate"),
    NUL: plain.replace("\n", "\n\0"),
    "the alphabet of URLs": block(`${lines.slice(0, 64)}\n-_${lines.slice(67)}`),
  }).map(([name, text]) => armour(name, text, refused(broken))),
  armour("padding in the middle", block(lines.replace("\n", "==\n")), refused("not base64")),
  armour("more padding", block(`${lines}===`), refused("not base64")),
  armour("a bad block last", plain + block("AAAA"), refused("certificate 2 can't be parsed")),
  armour("empty", "", refused("no PEM certificate found")),
  armour("text", "text", refused("no PEM certificate found")),
  armour(
    "the label TRUSTED",
    pem("TRUSTED CERTIFICATE", der),
    strict('a block of type "TRUSTED CERTIFICATE"'),
  ),
  armour("the label X509", pem("X509 CERTIFICATE", der), strict('a block of type "X509 CERTIFICATE"')),
  armour("a key behind the certificate", plain + rsa.privateKey, strict('a block of type "PRIVATE KEY"')),
  armour(
    "a revocation list behind it",
    plain + certificateFile("crl.pem"),
    strict('a block of type "X509 CRL"'),
  ),
];

const chained = (name: string, others: string, verdict: Verdict): OddPair =>
  armour(`chain: ${name}`, plain + others, verdict);
const one = (...parts: Parameters<typeof certificateOf>): string =>
  pem("CERTIFICATE", certificateOf(...parts));
const authority = one(rsa.publicKey, { subject: commonName("odd authority") });

const chains: readonly OddPair[] = [
  chained("an authority", authority, taken),
  chained("itself again", plain, taken),
  chained("fifty", authority.repeat(50), taken),
  chained("a hundred", authority.repeat(100), strict("more than the maximum of 65536")),
  armour(
    "chain: the authority first",
    authority + one(ec.publicKey),
    refused("the private key does not match"),
    ec.privateKey,
  ),
  ...Object.entries({
    "a short key": one(rsaPublicKey(rsaNumbers(1024))),
    "an unknown key": one(sequence(sequence(oid("1.2.3.4")), bits(hex("01")))),
    "must-staple": one(ec.publicKey, {
      extensions: extensionList(extension("1.3.6.1.5.5.7.1.24", hex("3003020105"))),
    }),
    "a usage": one(ec.publicKey, { extensions: extensionList(extension("2.5.29.15", hex("03020308"))) }),
    "no names": one(ec.publicKey, { subject: sequence(), extensions: undefined }),
  }).map(([name, text]) => chained(`${name} behind the first`, text, taken)),
  chained(
    "bytes behind the second",
    pem("CERTIFICATE", Buffer.concat([certificateOf(ec.publicKey), nothing])),
    strict("certificate 2 can't be parsed"),
  ),
];

const keyText = (name: string, key: string, verdict: Verdict): OddPair => ({
  name: `PEM of the key: ${name}`,
  certificate: plain,
  key,
  ...verdict,
});
const labelled = (label: string): string => rsa.privateKey.replaceAll("PRIVATE KEY", label);
const parameters = pem("EC PARAMETERS", oid("1.2.840.10045.3.1.7"));

const keys: readonly OddPair[] = [
  keyText("parameters before it", parameters + rsa.privateKey, taken),
  keyText("a certificate before it", plain + rsa.privateKey, taken),
  keyText("attributes before it", `Bag Attributes\n    friendlyName: x\n${rsa.privateKey}`, taken),
  keyText("CRLF", rsa.privateKey.replaceAll("\n", "\r\n"), taken),
  keyText("one line", rsa.privateKey.replace(/([^-])\n([^-])/g, "$1$2"), taken),
  keyText("another key behind it", rsa.privateKey + ec.privateKey, strict("2 private keys found")),
  keyText("another key before it", ec.privateKey + rsa.privateKey, refused("2 private keys found")),
  keyText("empty", "", refused("0 private keys found")),
  keyText("text", "text", refused("0 private keys found")),
  keyText("the label ANY", labelled("ANY PRIVATE KEY"), refused("0 private keys found")),
  keyText("the label DSA", labelled("DSA PRIVATE KEY"), refused("0 private keys found")),
  keyText("the label OPENSSH", labelled("OPENSSH PRIVATE KEY"), refused("0 private keys found")),
  keyText("the label ENCRYPTED", labelled("ENCRYPTED PRIVATE KEY"), refused("the private key is encrypted")),
  keyText(
    "an encrypted key with headers",
    labelled("RSA PRIVATE KEY").replace(
      "\n",
      "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n",
    ),
    refused("the private key is encrypted"),
  ),
  keyText("no end", rsa.privateKey.replace(/-----END[\s\S]*/, ""), refused(broken)),
  {
    name: "an encrypted key",
    certificate: certificateFile("expired.crt"),
    key: certificateFile("encrypted.key"),
    ...refused("the private key is encrypted"),
  },
];

export const oddPem: readonly OddPair[] = [...certificates, ...chains, ...keys];
