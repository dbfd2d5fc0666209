import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { build } from "./build.mjs";
import { root, run } from "./run.mjs";
import { setup } from "./setup.mjs";

const suite = process.env.ISOLINE_ACCEPTANCE ?? join(root, "../shared/acceptance");
const replay = resolve(suite, "replay.py");
const isoline = `${process.execPath} ${join(root, "dist/isoline.js")}`;

/** Replays the recorded probes against this checkout. Passes `--only`, `--jobs` and `--json` to the suite. */
async function acceptance() {
  if (!existsSync(replay)) {
    console.log(
      `isoline: the acceptance suite is missing: no ${replay}; set ISOLINE_ACCEPTANCE to its folder`,
    );
    return 0;
  }
  if (!(await setup())) return 1;
  await build();
  const serve = `${isoline} serve -f {dir} --settings {config} --listen {addr}:{port} {flags}`;
  const bootstrap = `${isoline} bootstrap - --xds http://{addr}:{port}`;
  return run("python3", [replay, "--serve", serve, "--bootstrap", bootstrap, ...process.argv.slice(2)], {
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" },
  });
}

process.exitCode = await acceptance();
