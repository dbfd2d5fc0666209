import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { expect, test } from "vitest";
import { oddCertificates } from "../support/odd-certificates.js";
import { oddKeys } from "../support/odd-keys.js";
import { oddPem } from "../support/odd-pem.js";
import { compatibility } from "../support/wrangler.js";

const root = fileURLToPath(new URL("../../", import.meta.url));

interface Read {
  /** The reason for refusing the pair; empty for a valid pair. */
  readonly problem: string;
  /** The facts of its certificate: from Isoline's reader and from the platform's. */
  readonly facts?: readonly [Facts, Facts];
}

interface Facts {
  readonly validFrom: number;
  readonly validUntil: number;
  /** The host names of the certificate. */
  readonly names: readonly string[];
}

/** Reads each pair of the request, with the functions of the Worker. */
const script = `
import { X509Certificate } from "node:crypto";
import { readKeyPair } from "./src/graph/certificates/secret.ts";
import { checkKeyPair } from "./src/platform/key-pair.ts";
import { StoreCache } from "./src/schema/compile-cache.ts";
const factsOf = ({ certificate, facts: [{ validFrom, validUntil, names: all }] }) => {
  const names = all.filter((name) => /^[a-z0-9.*-]+$/.test(name));
  const own = new X509Certificate(certificate);
  const said = [own.subjectAltName ?? "", own.subject].join().toLowerCase();
  const asked = names.filter((name) => said.includes(name));
  const platform = { validFrom: Date.parse(own.validFrom), validUntil: Date.parse(own.validTo), names: asked };
  return [{ validFrom, validUntil, names }, platform];
};
const readPair = ({ certificate, key }) => {
  const object = { meta: {}, spec: { type: "kubernetes.io/tls", data: { "tls.crt": certificate, "tls.key": key } } };
  const reader = { get: () => object, checkKeyPair, cache: new StoreCache() };
  const { pair, error = "" } = readKeyPair(reader, { namespace: "default", name: "odd" });
  return { problem: error, ...(pair ? { facts: factsOf(pair) } : {}) };
};
export default {
  fetch: async (request) => Response.json((await request.json()).map(readPair)),
};
`;

test("workerd refuses the same certificates and keys as Node, and reads the same of others", async () => {
  const { outputFiles } = await build({
    stdin: { contents: script, resolveDir: root, loader: "ts" },
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
    external: ["node:*"],
  });
  const worker = new Miniflare({
    modules: [{ type: "ESModule", path: "worker.js", contents: outputFiles[0]?.text ?? "" }],
    ...compatibility,
  });
  const pairs = [...oddCertificates, ...oddKeys, ...oddPem];
  const answer = await worker
    .dispatchFetch("http://worker/", { method: "POST", body: JSON.stringify(pairs) })
    .then((response) => response.json() as Promise<readonly Read[]>)
    .finally(() => worker.dispose());

  expect(answer).toHaveLength(pairs.length);
  for (const [i, { name, problem }] of pairs.entries()) {
    const read = answer[i];
    if (problem === undefined) expect([name, read?.problem]).toEqual([name, ""]);
    else expect(read?.problem, name).toContain(problem);
    // The platform takes certificates that Envoy's library refuses, so DER is read by our own rules; of the others both read the same.
    // The platform's dates are text, which no reader takes for a year below 100.
    const [own, platform] = read?.facts ?? [];
    if (own && own.validFrom >= 0) expect([name, platform]).toEqual([name, own]);
  }
});
