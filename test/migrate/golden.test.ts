import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { reportText } from "../../src/migrate/report-text.js";
import { parseCase, protoErrors } from "../support/compile.js";
import { compiledResult, migrated } from "../support/migration.js";

const root = join(import.meta.dirname, "cases");
const rewrite = process.env.UPDATE === "1";
const cases = readdirSync(root).flatMap((peer) =>
  readdirSync(join(root, peer))
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => `${peer}/${file.slice(0, -".yaml".length)}`),
);

const targets = ["httpproxy", "gateway"] as const;

/** What `isoline migrate` makes of a case, and says of it. */
const shown = (input: string): string =>
  targets
    .map((to) => {
      const { text, report } = migrated(input, to);
      return `==== ${to}\n${text}==== report\n${reportText(report)}`;
    })
    .join("");

describe.each(cases)("%s", (name) => {
  const input = readFileSync(join(root, `${name}.yaml`), "utf8");

  it("gives the expected objects and report", () => {
    const path = join(root, `${name}.expected`);
    const got = shown(input);
    if (rewrite) writeFileSync(path, got);
    expect(got).toBe(existsSync(path) ? readFileSync(path, "utf8") : "");
  });

  it.each(targets)("gives %s objects that are valid, and compile to valid messages of Envoy", (to) => {
    const { text } = migrated(input, to);
    expect(parseCase(text).findings).toEqual([]);
    const store = compiledResult(text, to);
    expect(protoErrors(store)).toEqual([]);
    // A rule of the Gateway API that is closed has a filter that is not there.
    const errors = [...store.findings()].filter(
      ({ severity, message }) => severity === "error" && !message.includes("ExtensionRef"),
    );
    expect(errors).toEqual([]);
  });

  it.each(targets)("converted to %s stays as it is when it is converted again", (to) => {
    const once = migrated(input, to).text;
    expect(migrated(once, to).text).toBe(once);
  });
});
