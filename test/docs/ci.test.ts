import { expect } from "vitest";
import { parse } from "yaml";
import type { Machine } from "../support/machine.js";
import { certificateFor, ownManifests, untilShopIsServed, walk } from "../support/walk.js";

const commit = "git -c user.name=a -c user.email=a@example.com commit -qm manifests";

/** The workflows that the page says to copy run isoline like this, with the number of the run for the revision. */
async function runWorkflows(machine: Machine): Promise<void> {
  const github = parse(machine.read("examples/ci/github.yaml")) as {
    readonly jobs: { readonly routing: { readonly steps: readonly { readonly run?: string }[] } };
  };
  const gitlab = parse(machine.read("examples/ci/gitlab.yaml"), { merge: true }) as Record<
    "check" | "publish",
    { readonly script: readonly string[] }
  >;
  const commands = [
    ...github.jobs.routing.steps.flatMap(({ run = "" }) => run),
    ...gitlab.check.script,
    ...gitlab.publish.script,
  ].filter((command) => command.startsWith("isoline "));
  expect(commands.length).toBe(5);
  // Over the revision that git's time gave.
  const [first, second] = [Date.now(), Date.now() + 1];
  for (const command of commands)
    await machine.must(
      `export ISOLINE_TOKEN=$(cat ci.token) CI_PIPELINE_IID=${second}; ${command.replace(/\$\{\{ github.run_number \}\}/, String(first))}`,
    );
}

walk("docs/ci.md", {
  given: async (machine) => {
    await ownManifests(machine);
    await certificateFor(machine, "xds.example.com");
    machine.trust(machine.read("ca.crt"));
    await machine.must(`git init -q && git add manifests && ${commit}`);
  },
  after: {
    "envoy -c": async (machine) => {
      await untilShopIsServed(machine);
      await runWorkflows(machine);
      await untilShopIsServed(machine);
    },
  },
});
