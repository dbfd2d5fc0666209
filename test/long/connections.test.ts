import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { connectionRig } from "../support/connections.js";
import { eventually } from "../support/envoy.js";
import { kubeBinaries } from "../support/kube.js";

const binaries = await kubeBinaries();

// These wait for real timeouts, of 15 to 60 s. What is over sooner: test/kubernetes/connections.test.ts.
describe.skipIf("reason" in binaries)("between Isoline and a real API server", () => {
  const rig = connectionRig(binaries);

  it("connections that die without a reset are noticed within a minute, and counted", async () => {
    await rig.serve(rig.throughTcp());
    await rig.edit(5000);
    rig.tcp.silence();
    expect(await rig.edit(60_000)).toBeLessThan(60_000);
    expect(await rig.metrics()).toMatch(/cluster_failures_total\{kind="HTTPProxy",code="kube-stalled"\} 1/);
    expect(rig.log.filter((line) => /^kube-stalled: \w+: the watch was silent/.test(line))).toHaveLength(1);
    await eventually(rig.isFollowed, "all kinds are followed again");
    expect(await rig.edit(3000)).toBeLessThan(3000);
  });

  it("a server that ends every watch at once is asked a few times a second, and followed when that is over", async () => {
    await rig.serve(rig.throughHttp("http"));
    rig.fail(({ isWatch }) => (isWatch ? "end" : undefined), { cut: true });
    await sleep(5000);
    const before = rig.requests();
    await sleep(5000);
    expect((rig.requests() - before) / 5).toBeLessThan(12);
    rig.fail(() => undefined);
    expect(await rig.edit(15_000)).toBeLessThan(15_000);
  });

  it("a list that hangs holds up no other kind, and is asked for again", async () => {
    await rig.serve(rig.throughHttp("http"));
    rig.fail(
      ({ plural, isWatch }) => {
        if (plural !== "secrets") return undefined;
        return isWatch ? 410 : "hang";
      },
      { cut: true },
    );
    await sleep(3000);
    expect(await rig.edit(8000)).toBeLessThan(8000);
    rig.fail(() => undefined);
    await eventually(
      async () => (await rig.states()).Secret?.state === "synced",
      "secrets are followed",
      45_000,
    );
  });

  it("a look of --poll that hangs ends, and the next ones go on", async () => {
    await rig.serve(rig.throughHttp("http"), { pollSeconds: 1 });
    rig.fail(() => "hang");
    await sleep(4000);
    rig.fail(() => undefined);
    expect(await rig.edit(40_000)).toBeLessThan(40_000);
  });
});
