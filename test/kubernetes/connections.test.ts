import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { connectionRig } from "../support/connections.js";
import { eventually } from "../support/envoy.js";
import { kubeBinaries } from "../support/kube.js";

const binaries = await kubeBinaries();

// Connections and lists that hang until a timeout: see test/long/connections.test.ts, and with a fake clock
// test/parts/kube-input.test.ts.
describe.skipIf("reason" in binaries)("between Isoline and a real API server", () => {
  const rig = connectionRig(binaries);

  it("a load balancer that cuts idle connections delays no edit and makes no kind fail", async () => {
    await rig.serve(rig.throughTcp());
    rig.tcp.cutIdleAfter(2000);
    await sleep(7000);
    for (let i = 0; i < 3; i++) {
      expect(await rig.edit(5000)).toBeLessThan(3000);
      await sleep(700);
    }
    rig.tcp.cutIdleAfter(0);
    await eventually(rig.isFollowed, "all kinds are followed", 5000);
  });

  it("a server that answers 410 to every watch gets a few requests per second, and is followed afterwards", async () => {
    await rig.serve(rig.throughHttp("http"));
    rig.fail(({ isWatch }) => (isWatch ? 410 : undefined), { cut: true });
    await sleep(2000);
    const before = rig.requests();
    await sleep(3000);
    expect((rig.requests() - before) / 3).toBeLessThan(12);
    rig.fail(() => undefined);
    expect(await rig.edit(15_000)).toBeLessThan(15_000);
  });

  it("a renewed token in the kubeconfig is read, even if the file's current context changes", async () => {
    await rig.serve(rig.throughHttp("token", { token: "old" }));
    rig.fail(({ token }) => (token === "new" ? undefined : 401), { cut: true });
    await eventually(async () => (await rig.states()).HTTPProxy?.state === "failing", "the token is refused");
    const refused = (): string[] => rig.log.filter((line) => line.startsWith("kube-unauthorized: "));
    await eventually(async () => refused().length > 0, "the log says so");
    expect(refused()).toHaveLength(1);
    rig.throughHttp("token", { token: "new" });
    expect(await rig.edit(20_000)).toBeLessThan(20_000);
  });
});
