import { expect, test } from "vitest";
import { hostProxy, startLoad } from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { request } from "../support/http.js";
import { type Rig, startRig } from "../support/isoline.js";

const HOSTS = Array.from({ length: 12 }, (_, i) => `host-${i}.test`);

async function untilAll(rig: Rig, what: string, outcome: string): Promise<void> {
  const reached = async (host: string): Promise<boolean> => {
    const answer = await request({ port: rig.httpPort, host });
    return (answer.status === 200 ? answer.echo().service : String(answer.status)) === outcome;
  };
  await eventually(async () => (await Promise.all(HOSTS.map(reached))).every(Boolean), what);
}

test.each(["eds", "inline"] as const)(
  "%s: other hosts come, change and go without a lost request",
  async (endpoints) => {
    const steady = ["steady.test", "calm.test"];
    const objects = steady.map((host) => hostProxy(host, "a"));
    const rig = await startRig({ backends: ["a", "b", "c"], objects, endpoints });
    const load = startLoad(rig.httpPort, steady, 8);

    for (const host of HOSTS) await rig.isoline.apply(host, hostProxy(host, "b"));
    await untilAll(rig, "all hosts served by b", "b");
    for (const host of HOSTS) await rig.isoline.apply(host, hostProxy(host, "c"));
    await untilAll(rig, "all hosts served by c", "c");
    for (const host of HOSTS) await rig.isoline.remove(host);
    await untilAll(rig, "all hosts gone", "404");

    const { total, bad, services } = await load.stop();
    expect(bad).toEqual({});
    expect(total).toBeGreaterThan(100);
    expect([...services.keys()]).toEqual(["a"]);
    expect(await rig.envoy.rejected()).toEqual([]);
  },
);

test("new endpoints of a service are used, and the old ones are not", async () => {
  const rig = await startRig({ backends: ["a", "b"], objects: [hostProxy("moved.test", "a")] });
  const [toA, toB] = [rig.backends.of.get("a"), rig.backends.of.get("b")];
  const text = JSON.stringify(rig.backends.objects).replaceAll(
    `"port":${toA?.port},`,
    `"port":${toB?.port},`,
  );

  await rig.isoline.apply(
    "objects",
    ...(JSON.parse(text) as typeof rig.backends.objects),
    hostProxy("moved.test", "a"),
  );
  await eventually(async () => {
    const answer = await request({ port: rig.httpPort, host: "moved.test" });
    expect(answer.status).toBe(200);
    return answer.echo().service === "b";
  }, "the service's new endpoint answers");
  expect(await rig.envoy.rejected()).toEqual([]);
});
