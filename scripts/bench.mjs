import { bundle } from "./build.mjs";
import { run } from "./run.mjs";
import { setup } from "./setup.mjs";

if (await setup()) {
  await bundle("test/bench/bench.ts", "dist/bench.js", {
    platform: "node",
    target: "node20.19",
    packages: "external",
  });
  const node = ["--expose-gc", "--enable-source-maps", "dist/bench.js"];
  process.exitCode = await run(process.execPath, [...node, ...process.argv.slice(2)]);
} else process.exitCode = 1;
