import { build, bundle } from "./build.mjs";
import { run } from "./run.mjs";
import { setup } from "./setup.mjs";

/** Benches by name; `core` is the one without a name. */
const BENCHES = {
  applied: "test/bench/applied.ts",
  core: "test/bench/bench.ts",
  kube: "test/bench/kube.ts",
  peers: "test/bench/peers.ts",
  stores: "test/bench/stores.ts",
  sync: "test/bench/sync.ts",
  traffic: "test/bench/traffic.ts",
  worker: "test/bench/worker.ts",
};

const [name = "core", ...rest] = process.argv.slice(2);
const known = Object.hasOwn(BENCHES, name);
const [chosen, args] = known ? [name, rest] : ["core", process.argv.slice(2)];

if (await setup()) {
  await build();
  const out = `dist/bench/${chosen}.js`;
  await bundle(BENCHES[chosen], out, { platform: "node", target: "node20.19", packages: "external" });
  process.exitCode = await run(process.execPath, ["--expose-gc", "--enable-source-maps", out, ...args]);
} else process.exitCode = 1;
