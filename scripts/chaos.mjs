import { build, bundle, checkoutBundle } from "./build.mjs";
import { run } from "./run.mjs";
import { setup } from "./setup.mjs";

const out = "dist/chaos/chaos.js";

if (await setup()) {
  await build();
  await bundle("test/chaos/chaos.ts", out, await checkoutBundle());
  process.exitCode = await run(process.execPath, ["--enable-source-maps", out, ...process.argv.slice(2)]);
} else process.exitCode = 1;
