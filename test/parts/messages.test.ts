import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { checkCommand } from "../../src/cli/check.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isoline-messages-"));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

/** The output of `isoline check` for one file: lines `LINE: severity object field: message (Type/Code)`, and the summary. */
async function check(text: string): Promise<{ readonly lines: readonly string[]; readonly summary: string }> {
  const file = join(folder, text.startsWith("{") ? "a.json" : "a.yaml");
  writeFileSync(file, text);
  let out = "";
  const err: string[] = [];
  vi.spyOn(process.stdout, "write").mockImplementation((part) => {
    out += String(part);
    return true;
  });
  vi.spyOn(console, "error").mockImplementation((line) => void err.push(String(line)));
  await checkCommand({ file: [file], format: "text" });
  vi.restoreAllMocks();
  const lines = out.split("\n").filter((line) => line !== "");
  return { lines: lines.map((line) => line.replace(`${file}:`, "")), summary: err.at(-1) ?? "" };
}

const meta = "metadata: {name: a, namespace: s}\n";
const service = `---\napiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: s}\nspec: {ports: [{port: 80}]}\n`;
/** A manifest whose spec begins on line 5. */
const proxy = (...spec: readonly string[]): string =>
  `apiVersion: projectcontour.io/v1\nkind: HTTPProxy\n${meta}spec:\n${spec.map((line) => `  ${line}\n`).join("")}${service}`;
const host = "virtualhost: {fqdn: a.test}";
const routes = "routes: [{services: [{name: web, port: 80}]}]";
const route = (fields: string): string =>
  proxy(host, `routes: [{services: [{name: web, port: 80}], ${fields}}]`);
const to = (services: string): string => proxy(host, `routes: [{services: ${services}}]`);
const timeout = (value: string): string => route(`timeoutPolicy: {response: ${value}}`);
const at = (path: string): string => `error HTTPProxy/s/a ${path}`;
const response = `6: ${at("spec.routes[0].timeoutPolicy.response")}`;
const duration = 'must be a duration with a unit such as "15s", or "infinity"';
const invalid = "(SchemaError/Invalid)";

/** Each case has one cause, and therefore one finding. */
const cases: readonly (readonly [what: string, text: string, line: string])[] = [
  [
    "a key twice",
    proxy(host, routes, routes),
    "7: error: spec.routes: the key is set twice in one map; remove one of them (column 3) (FileError/NotReadable)",
  ],
  [
    "a key twice in JSON",
    '{"kind":"A","kind":"B"}',
    "1: error: kind: the key is set twice in one map; remove one of them (column 13) (FileError/NotReadable)",
  ],
  [
    "no name",
    `apiVersion: v1\nkind: Service\nspec: {}\n`,
    `1: error Service metadata.name: is missing; every object needs a name ${invalid}`,
  ],
  [
    "an invalid name",
    `apiVersion: v1\nkind: Service\nmetadata: {name: Web_1}\n`,
    `3: error Service metadata.name: must be a Kubernetes name (lower-case letters, digits and -), found "Web_1" ${invalid}`,
  ],
  [
    "a name without quotes",
    `apiVersion: v1\nkind: Service\nmetadata: {name: 12}\n`,
    `3: error Service metadata.name: must be text (put it in quotes), found 12 ${invalid}`,
  ],
  [
    "a list for a name",
    `apiVersion: v1\nkind: Service\nmetadata: {name: [a]}\n`,
    `3: error Service metadata.name: must be text, found a list ${invalid}`,
  ],
  [
    "no kind",
    "apiVersion: v1\nmetadata: {name: a}\n",
    `1: error kind: is missing; every object has a kind ${invalid}`,
  ],
  [
    "no version",
    "kind: HTTPProxy\nmetadata: {name: a}\n",
    `1: error apiVersion: is missing; "HTTPProxy" needs one ${invalid}`,
  ],
  ["text alone", "hello\n", `1: error: must be a map with apiVersion, kind and metadata ${invalid}`],
  ["a list of texts", "- a\n- b\n", `1: error: must be a map with apiVersion, kind and metadata ${invalid}`],
  [
    "an annotation without quotes",
    `apiVersion: v1\nkind: Service\nmetadata: {name: a, annotations: {projectcontour.io/max-requests: 1}}\n`,
    `3: error Service/default/a metadata.annotations["projectcontour.io/max-requests"]: must be text (put it in quotes), found 1 ${invalid}`,
  ],
  [
    "a map for an annotation",
    `apiVersion: v1\nkind: Service\nmetadata: {name: a, annotations: {projectcontour.io/max-requests: {a: 1}}}\n`,
    `3: error Service/default/a metadata.annotations["projectcontour.io/max-requests"]: must be text, found a map ${invalid}`,
  ],
  [
    "no port",
    to("[{name: web}]"),
    `6: ${at("spec.routes[0].services[0].port")}: is missing; it must be a number ${invalid}`,
  ],
  [
    "null for a name",
    to("[{name: null, port: 80}]"),
    `6: ${at("spec.routes[0].services[0].name")}: is missing; it must be text ${invalid}`,
  ],
  [
    "a number in quotes",
    to('[{name: web, port: "80"}]'),
    `6: ${at("spec.routes[0].services[0].port")}: must be a number (without quotes), found "80" ${invalid}`,
  ],
  [
    "text for a number",
    to("[{name: web, port: http}]"),
    `6: ${at("spec.routes[0].services[0].port")}: must be a number, found "http" ${invalid}`,
  ],
  [
    "a boolean in quotes",
    route('permitInsecure: "true"'),
    `6: ${at("spec.routes[0].permitInsecure")}: must be true or false (without quotes), found "true" ${invalid}`,
  ],
  [
    "text for a boolean",
    route('permitInsecure: "on"'),
    `6: ${at("spec.routes[0].permitInsecure")}: must be true or false, found "on" ${invalid}`,
  ],
  [
    "a map for a list",
    proxy(host, "routes: {services: [{name: web, port: 80}]}"),
    `6: ${at("spec.routes")}: must be a list, found a map ${invalid}`,
  ],
  ["a duration without quotes and unit", timeout("30"), `${response}: ${duration}, found 30 ${invalid}`],
  ["a duration without unit", timeout("'30'"), `${response}: ${duration}, found "30" ${invalid}`],
  [
    "a negative duration",
    timeout("-1s"),
    `${response}: ${duration}; negative values are not allowed, found "-1s" ${invalid}`,
  ],
  ["a list for a duration", timeout("[1s]"), `${response}: must be text, found a list ${invalid}`],
  [
    "an empty list",
    proxy("virtualhost: {fqdn: a.test, corsPolicy: {allowOrigin: [], allowMethods: [GET]}}", routes),
    `5: ${at("spec.virtualhost.corsPolicy.allowOrigin")}: must have at least 1 entry, found none ${invalid}`,
  ],
  [
    "a long text",
    proxy(`virtualhost: {fqdn: ${"a".repeat(300)}}`, routes),
    `5: ${at("spec.virtualhost.fqdn")}: must have at most 253 characters, found 300 ${invalid}`,
  ],
  [
    "an unknown value of an enum",
    proxy("virtualhost: {fqdn: a.test, rateLimitPolicy: {local: {requests: 1}}}", routes),
    `5: ${at("spec.virtualhost.rateLimitPolicy.local.unit")}: is missing; use one of "second", "minute", "hour" ${invalid}`,
  ],
  [
    "a misspelt required field",
    proxy("virtualhost: {fqnd: a.test}", routes),
    `5: ${at("spec.virtualhost.fqnd")}: "fqnd" is not a field; did you mean fqdn, which is missing? ${invalid}`,
  ],
  [
    "a misspelt field in a list",
    to("[{nmae: web, port: 80}]"),
    `6: ${at("spec.routes[0].services[0].nmae")}: "nmae" is not a field; did you mean name, which is missing? ${invalid}`,
  ],
  [
    "one missing Service",
    to("[{name: gone, port: 80}]"),
    `6: ${at("spec.routes[0].services[0]")}: Spec.Routes unresolved service reference: service "s/gone" not found (ServiceError/ServiceUnresolvedReference)`,
  ],
  [
    "one missing Service in two places",
    to("[{name: gone, port: 80}, {name: gone, port: 80}]"),
    `6: ${at("spec.routes[0].services[0]")}: Spec.Routes unresolved service reference: service "s/gone" not found (also spec.routes[0].services[1]) (ServiceError/ServiceUnresolvedReference)`,
  ],
  [
    "one missing Service in many",
    to(`[${Array.from({ length: 6 }, () => "{name: gone, port: 80}").join(", ")}]`),
    `6: ${at("spec.routes[0].services[0]")}: Spec.Routes unresolved service reference: service "s/gone" not found (also spec.routes[0].services[1], spec.routes[0].services[2], spec.routes[0].services[3], 2 more) (ServiceError/ServiceUnresolvedReference)`,
  ],
  [
    "settings without a Gateway",
    `apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\n${meta}spec: {rules: []}\n`,
    "warning settings gatewayRef: 1 route of the Gateway API is not served: the settings name no Gateway; set gatewayRef: {namespace: NAMESPACE, name: NAME} (LintError/NoGateway)",
  ],
  [
    "a placeholder",
    proxy("virtualhost: {fqdn: '$(HOST)'}", routes),
    `5: ${at("spec.virtualhost.fqdn")}: must be a lower-case DNS name, optionally with a leading *., found "$(HOST)": a placeholder that is not substituted ${invalid}`,
  ],
  [
    "a tab",
    "apiVersion: v1\nmetadata:\n\tname: a\n",
    "3: error: not valid YAML: tab characters must not be used in indentation (column 1) (FileError/NotReadable)",
  ],
];

describe("the output of check for", () => {
  it.each(cases)("%s", async (_, text, line) => {
    const { lines, summary } = await check(text);
    expect(lines).toEqual([line]);
    expect(lines.join("\n")).not.toMatch(/\/\/|undefined|\[object|\bNaN\b|\b1 (?:entries|errors|warnings)\b/);
    expect(summary).toMatch(/(?:1 error, 0 warnings|0 errors, 1 warning)$/);
    expect(summary).not.toMatch(/\b1 (?:objects|hosts)\b/);
  });

  it("two causes: two findings", async () => {
    const { lines } = await check(to("[{name: gone, port: 80}, {name: lost, port: 80}]"));
    expect(lines).toHaveLength(2);
    const other = await check(proxy("virtualhost: {fqnd: a.test, other: 1}", routes));
    expect(other.lines.map((line) => line.replace(/:.*/s, ""))).toEqual(["5", "5"]);
  });
});
