import { expect, test } from "vitest";
import { askMany, httpProxy, type Manifest } from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { request } from "../support/http.js";
import { startHttp } from "../support/http-server.js";
import { startRig } from "../support/isoline.js";

const mirrored = (fqdn: string, weight?: number): Manifest =>
  httpProxy("default", fqdn.replaceAll(".", "-"), {
    virtualhost: { fqdn },
    routes: [
      {
        services: [
          { name: "a", port: 80 },
          { name: "shadow", port: 80, mirror: true, ...(weight === undefined ? {} : { weight }) },
        ],
      },
    ],
  });

test("a mirror receives every request, or its share of them, and clients never receive its responses", async () => {
  const shadow = await startHttp("shadow", (_, response) => {
    response.writeHead(500, { "x-shadow": "yes" });
    response.end();
  });
  const rig = await startRig({
    backends: ["a"],
    objects: [...shadow.objects, mirrored("all.test"), mirrored("tenth.test", 10)],
  });

  const answer = await request({
    port: rig.httpPort,
    host: "all.test",
    path: "/x?y=1",
    method: "POST",
    body: "hello",
  });
  expect([answer.status, answer.echo().service, answer.headers["x-shadow"]]).toEqual([200, "a", undefined]);
  await eventually(async () => shadow.requests.length === 1, "the mirror got it");
  expect(shadow.requests[0]).toMatchObject({ method: "POST", path: "/x?y=1", body: "hello" });
  expect(shadow.requests[0]?.headers.host).toBe("all.test-shadow");

  expect(await askMany({ port: rig.httpPort, host: "all.test" }, 50)).toEqual(new Map([["a", 50]]));
  await eventually(async () => shadow.requests.length === 51, "the mirror got all");

  expect(await askMany({ port: rig.httpPort, host: "tenth.test" }, 2000)).toEqual(new Map([["a", 2000]]));
  const sent = async (): Promise<number> =>
    [...(await rig.envoy.stats(/^cluster\.default_shadow_80\.upstream_rq_total$/)).values()][0] ?? 0;
  await eventually(async () => shadow.requests.length === (await sent()), "all that was sent has arrived");
  const share = shadow.requests.length - 51;
  expect(share).toBeGreaterThan(130);
  expect(share).toBeLessThan(270);
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("an unavailable mirror has no effect on clients", async () => {
  const shadow = await startHttp("shadow", (_, response) => response.destroy());
  const rig = await startRig({ backends: ["a"], objects: [...shadow.objects, mirrored("all.test")] });

  expect(await askMany({ port: rig.httpPort, host: "all.test" }, 20)).toEqual(new Map([["a", 20]]));
  await eventually(async () => shadow.requests.length === 20, "the mirror was asked");
  expect(await rig.envoy.rejected()).toEqual([]);
});
