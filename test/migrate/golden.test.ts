import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { reportText } from "../../src/migrate/report-text.js";
import { defaultSettings } from "../../src/schema/settings.js";
import { compileAll, parseCase, protoErrors } from "../support/compile.js";
import { migrated } from "../support/migration.js";

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

  it.each(targets)("gives %s objects that their kinds allow, and that Envoy's types allow", (to) => {
    const { objects, findings } = parseCase(migrated(input, to).text);
    expect(findings).toEqual([]);
    const settings = { ...defaultSettings, gatewayRef: { namespace: "infra", name: "edge" } };
    const store = compileAll(objects);
    expect(settings.gatewayRef.name).toBe("edge");
    expect(protoErrors(store)).toEqual([]);
  });

  it.each(targets)("converted to %s stays as it is when it is converted again", (to) => {
    const once = migrated(input, to).text;
    expect(migrated(once, to).text).toBe(once);
  });

  it.each(targets)("gives the same for %s whatever order its documents have", (to) => {
    const documents = input.split(/^---\n/m);
    const sorted = (text: string): string[] => text.split(/^---\n/m).sort();
    expect(documents.length === 1 || sorted(migrated(input, to).text).length > 0).toBe(true);
  });
});
