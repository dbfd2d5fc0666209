import {
  type CertificateParts,
  certificateOf,
  dnsNames,
  ecKey,
  type Key,
  pem,
  rsaKey,
  rsaNumbers,
} from "./der-writer.js";

export type Verdict = Pick<OddPair, "loads" | "problem">;

/** An unusual key pair that a library may refuse. */
export interface OddPair {
  readonly name: string;
  readonly certificate: string;
  readonly key: string;
  /** Whether Envoy 1.40 loads it, which `test/long/odd-certificates.test.ts` checks. */
  readonly loads: boolean;
  /** A part of Isoline's error; undefined if Isoline accepts it. */
  readonly problem?: string | undefined;
}

export const rsa = rsaKey(rsaNumbers(2048));
export const ec = ecKey("P-256");

export const unparsable = "the certificate can't be parsed";

export const pairOf = (name: string, key: Key, parts: CertificateParts, verdict: Verdict): OddPair => ({
  name,
  certificate: pem("CERTIFICATE", certificateOf(key.publicKey, parts)),
  key: key.privateKey,
  ...verdict,
});

export const group = (
  verdict: Verdict,
  all: Readonly<Record<string, CertificateParts>>,
  key = rsa,
): readonly OddPair[] => Object.entries(all).map(([name, parts]) => pairOf(name, key, parts, verdict));

export const taken = { loads: true };
export const refused = (problem = unparsable): Verdict => ({
  loads: false,
  problem,
});
/** Isoline refuses it although Envoy 1.40 loads it (docs/security.md). */
export const strict = (problem = unparsable): Verdict => ({
  loads: true,
  problem,
});

export const odd = dnsNames("odd.test");
