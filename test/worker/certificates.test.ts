import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { expect, test } from "vitest";
import { oddCertificates } from "../support/odd-certificates.js";
import { oddKeys } from "../support/odd-keys.js";
import { oddPem } from "../support/odd-pem.js";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Validates each pair of the request, with the functions of the Worker. */
const script = `
import { readKeyPair } from "./src/graph/certificates/secret.ts";
import { checkKeyPair } from "./src/platform/key-pair.ts";
import { StoreCache } from "./src/schema/compile-cache.ts";
const problemOf = ({ certificate, key }) => {
  const object = { meta: {}, spec: { type: "kubernetes.io/tls", data: { "tls.crt": certificate, "tls.key": key } } };
  const reader = { get: () => object, checkKeyPair, cache: new StoreCache() };
  return readKeyPair(reader, { namespace: "default", name: "odd" }).error ?? "";
};
export default {
  fetch: async (request) => Response.json((await request.json()).map(problemOf)),
};
`;

test("workerd refuses the same certificates and keys as Node", async () => {
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
    compatibilityDate: "2026-04-01",
    compatibilityFlags: ["nodejs_compat"],
  });
  const pairs = [...oddCertificates, ...oddKeys, ...oddPem];
  const answer = await worker
    .dispatchFetch("http://worker/", { method: "POST", body: JSON.stringify(pairs) })
    .then((response) => response.json() as Promise<readonly string[]>)
    .finally(() => worker.dispose());

  expect(answer).toHaveLength(pairs.length);
  for (const [i, { name, problem }] of pairs.entries()) {
    if (problem === undefined) expect([name, answer[i]]).toEqual([name, ""]);
    else expect(answer[i], name).toContain(problem);
  }
});
