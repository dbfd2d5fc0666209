import { existsSync, mkdirSync, renameSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { hasGo } from "./kube.mjs";
import { isMain, run } from "./run.mjs";

const HELM = "3.22.0";

/**
 * The path of Helm: `$HELM`, or a build from the Go module proxy in the user's cache folder, which takes some minutes
 * once. Rejects with the reason if there is neither.
 */
async function helm() {
  if (process.env.HELM) return process.env.HELM;
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
  const folder = join(cache, "isoline", `helm-${HELM}`);
  const file = join(folder, "helm");
  if (existsSync(file)) return file;
  if (!hasGo()) throw new Error("Helm is missing: set HELM to its path, or install Go");
  console.error("isoline: building Helm; this takes some minutes, once …");
  const work = join(folder, "build");
  mkdirSync(work, { recursive: true });
  const env = { ...process.env, CGO_ENABLED: "0", GOBIN: work };
  const args = ["install", "-trimpath", "-ldflags=-s -w", `helm.sh/helm/v3/cmd/helm@v${HELM}`];
  if ((await run("go", args, { cwd: work, env, stdio: ["ignore", "ignore", "inherit"] })) !== 0)
    throw new Error("Helm could not be built from the Go module proxy");
  renameSync(join(work, "helm"), file);
  return file;
}

/** Prints the path as one line of JSON, or the reason, for the test that calls this script. */
if (isMain(import.meta)) {
  console.log(
    JSON.stringify(
      await helm().then(
        (path) => ({ path }),
        ({ message }) => ({ reason: message }),
      ),
    ),
  );
}
