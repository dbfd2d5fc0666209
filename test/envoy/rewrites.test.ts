import { expect, test } from "vitest";
import { gateway, gatewaySettings, onPort } from "../support/gateway.js";
import { freePort, request } from "../support/http.js";
import { type Rig, startRig } from "../support/isoline.js";
import {
  gatewayRewriteObjects,
  gatewayRewriteProbes,
  type RewriteProbe,
  rewriteObjects,
  rewriteProbes,
} from "../support/rewrites.js";

/** In the form of a probe: the Service and the path that it receives, the path of the `Location`, or a status. */
async function outcome(port: number, { host, path, headers = {} }: RewriteProbe): Promise<string> {
  const answer = await request({ port, host, path, headers });
  const { location } = answer.headers;
  if (location !== undefined) return location.replace(/^http:\/\/[^/]+/, "");
  if (answer.status !== 200) return String(answer.status);
  const { service, path: seen } = answer.echo();
  return `${service} ${seen}`;
}

async function askAll(rig: Rig, port: number, probes: readonly RewriteProbe[]): Promise<void> {
  const found: RewriteProbe[] = [];
  for (const probe of probes) found.push({ ...probe, to: await outcome(port, probe) });
  expect(found).toEqual(probes);
  expect(await rig.envoy.rejected()).toEqual([]);
}

test("prefixes of HTTPProxies and IngressRoutes are replaced, beside routes of all kinds", async () => {
  const rig = await startRig({ backends: ["a", "b"], objects: rewriteObjects });
  await askAll(rig, rig.httpPort, rewriteProbes);
});

test("no path starts with two slashes if slashes are not merged", async () => {
  const settings = { disableMergeSlashes: true };
  const rig = await startRig({ backends: ["a", "b"], objects: rewriteObjects, settings });
  const probes: readonly RewriteProbe[] = [
    { host: "beside.test", path: "/api//x", to: "b /x" },
    { host: "beside.test", path: "/two//x", headers: { "x-two": "1" }, to: "b /x" },
    { host: "beside.test", path: "/docs//x", to: "b /documents//x" },
    { host: "beside.test", path: "/v1/in//x", headers: { "x-v": "1" }, to: "b /x" },
  ];
  await askAll(rig, rig.httpPort, probes);
});

test("prefixes of HTTPRoutes are replaced by whole segments", async () => {
  const port = await freePort();
  const objects = [...gateway(onPort(port, "web", "HTTP")), ...gatewayRewriteObjects];
  const rig = await startRig({ backends: ["a", "b"], objects, settings: gatewaySettings });
  await askAll(rig, port, gatewayRewriteProbes);
});
