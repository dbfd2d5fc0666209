import { expect, test } from "vitest";
import { endpointSlice, hostProxy, service } from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { request } from "../support/http.js";
import { startRig } from "../support/isoline.js";

test("auto with more than 200 clusters: only the first change of a Service's endpoints sends the clusters again", async () => {
  const others = Array.from({ length: 210 }, (_, i) => [
    service("default", `other-${i}`),
    endpointSlice("default", `other-${i}`, 9),
    hostProxy(`other-${i}.test`, `other-${i}`),
  ]);
  const rig = await startRig({
    backends: ["a", "b"],
    objects: [...others.flat(), service("default", "moving"), hostProxy("moving.test", "moving")],
  });
  const goTo = (backend: "a" | "b"): Promise<void> =>
    rig.isoline.apply("moving", endpointSlice("default", "moving", rig.backends.of.get(backend)?.port ?? 0));
  const answers = new Set<number>();
  const ask = async (): Promise<string> => {
    const answer = await request({ port: rig.httpPort, host: "moving.test" });
    answers.add(answer.status);
    return answer.status === 200 ? answer.echo().service : String(answer.status);
  };
  const resent = async (): Promise<number> =>
    (await rig.envoy.stats(/^cluster_manager\.cds\.update_success$/)).get(
      "cluster_manager.cds.update_success",
    ) ?? 0;

  await goTo("a");
  await eventually(async () => (await ask()) === "a", "the first endpoint answers");
  answers.clear();
  await goTo("b");
  await eventually(async () => (await ask()) === "b", "the second does");
  const before = await resent();
  for (const backend of ["a", "b", "a"] as const) {
    await goTo(backend);
    await eventually(async () => (await ask()) === backend, "the next does");
  }
  expect([...answers]).toEqual([200]);
  expect(await resent()).toBe(before);
  expect(await rig.envoy.rejected()).toEqual([]);
});
