import { expect } from "vitest";
import { parse } from "yaml";
import type { Machine } from "../support/machine.js";
import { certificateFor, ownManifests, untilShopIsServed, walk } from "../support/walk.js";

const commit = "git -c user.name=a -c user.email=a@example.com commit -qm manifests";

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** What the action and the component of the workflows to copy run on the branch that is deployed, with a higher revision each. */
async function runWorkflows(machine: Machine): Promise<void> {
  const [first, second] = [Date.now(), Date.now() + 1];
  const { jobs } = parse(machine.read("examples/ci/github.yaml")) as {
    readonly jobs: { readonly publish: { readonly steps: readonly { readonly with: Inputs }[] } };
  };
  const inputs = { ...jobs.publish.steps.at(-1)?.with, "publish-token": machine.read("ci.token").trim() };
  machine.write("event.json", JSON.stringify({ repository: { default_branch: "main" } }));
  const env = {
    ...Object.fromEntries(
      Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]),
    ),
    GITHUB_EVENT_NAME: "push",
    GITHUB_EVENT_PATH: "event.json",
    GITHUB_REF: "refs/heads/main",
    GITHUB_RUN_NUMBER: String(first),
  };
  const words = Object.entries(env).map(([name, value]) => quote(`${name}=${value}`));
  const { output } = await machine.run(`env ${words.join(" ")} node action/main.mjs`);
  expect(output).toContain(`web at revision ${first}`);

  const { include } = parse(machine.read("examples/ci/gitlab.yaml")) as {
    readonly include: readonly [{ readonly inputs: Inputs }];
  };
  const given = include[0].inputs;
  const template = machine.read("templates/isoline.yml").split("\n---\n")[1] ?? "";
  const jobsOf = parse(template, { merge: true }) as { "isoline-publish": { script: readonly string[] } };
  const variables = {
    ISOLINE_FILES: given.files,
    ISOLINE_TO: given["publish-to"],
    ISOLINE_SOURCE: given.source,
  };
  const exported = Object.entries({ ...variables, CI_PIPELINE_IID: String(second) });
  for (const command of jobsOf["isoline-publish"].script)
    await machine.must(
      `export ISOLINE_TOKEN=$(cat ci.token) ${exported.map(([name, value = ""]) => `${name}=${quote(value)}`).join(" ")}; ${command}`,
    );
}

type Inputs = Readonly<Record<string, string>>;

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
