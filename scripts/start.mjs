import { build } from "./build.mjs";
import { run } from "./run.mjs";
import { setup } from "./setup.mjs";

if (await setup()) {
  await build();
  process.exitCode = await run(process.execPath, ["dist/isoline.js", "demo", ...process.argv.slice(2)]);
} else process.exitCode = 1;
