import { expect, test } from "vitest";
import { hostProxy } from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { request } from "../support/http.js";
import { startRig } from "../support/isoline.js";

test("a route table that is sent in chunks: Envoy accepts all of it, and the next one", async () => {
  const domain = `${`${"x".repeat(60)}.`.repeat(3)}test`;
  const hosts = Array.from({ length: 4000 }, (_, i) => `host-${i}.${domain}`);
  const { isoline, envoy, httpPort } = await startRig({
    backends: ["a", "b"],
    objects: hosts.map((host) => hostProxy(host, "a")),
    settings: { routeShards: 1 },
  });
  const table = await fetch(`http://127.0.0.1:${isoline.port}/v3/discovery:routes`, {
    method: "POST",
    body: JSON.stringify({ node: { id: "someone" }, resource_names: ["ingress_http"] }),
  });
  const length = Number(table.headers.get("content-length"));
  expect(length).toBeGreaterThan(1.5 * 1024 * 1024);
  expect((await table.arrayBuffer()).byteLength).toBe(length);

  const service = async (host: string): Promise<string> =>
    (await request({ port: httpPort, host })).echo().service;
  expect(await service(`host-0.${domain}`)).toBe("a");
  expect(await service(`host-3999.${domain}`)).toBe("a");
  await isoline.apply("more", hostProxy("more.large.test", "b"));
  await eventually(async () => (await service("more.large.test")) === "b", "the new host");
  expect(await service(`host-3999.${domain}`)).toBe("a");
  expect(await envoy.rejected()).toEqual([]);
});
