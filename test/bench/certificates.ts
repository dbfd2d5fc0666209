import { readFileSync } from "node:fs";

const base64 = (name: string): string => readFileSync(`test/support/certs/${name}`).toString("base64");

/** `data` of a TLS Secret with one of the tests' certificates; benches run from the project's folder. */
export const certificateText = (name: string): Readonly<Record<string, string>> => ({
  "tls.crt": base64(`${name}.crt`),
  "tls.key": base64(`${name}.key`),
});
