import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import type { z } from "zod";
import { delegationSpec } from "../../src/schema/delegation.js";
import { extensionServiceSpec } from "../../src/schema/extensionservice.js";
import { findingCodes } from "../../src/schema/finding-codes.js";
import { httpProxySpec } from "../../src/schema/httpproxy.js";
import { ingressSpec } from "../../src/schema/ingress.js";
import { ingressRouteSpec } from "../../src/schema/ingressroute.js";
import { defaultSettings, parseSettings, settingsSpec } from "../../src/schema/settings.js";

const root = join(import.meta.dirname, "../..");

const textsOf = (folder: string, name: RegExp): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => name.test(path))
    .map((path) => join(root, folder, path))
    .filter((path) => lstatSync(path).isFile())
    .map((path) => readFileSync(path, "utf8"));

const manifests = textsOf("test/golden", /objects\.yaml$/);
const expected = textsOf("test/golden", /expected\.yaml$/).join("\n");
/** The text of all tests and of all cases of `check`. */
const tests = textsOf("test", /\.(ts|ya?ml|json|txt|md)$/).join("\n");

/** The paths of all fields of a schema; `[]` stands for the entries of a list. */
function paths(schema: unknown, at = ""): string[] {
  const def = (schema as z.ZodType | undefined)?._zod?.def as unknown as Record<string, unknown> | undefined;
  if (!def) return [];
  const inner = def.innerType ?? def.in;
  if (inner) return paths(inner, at);
  if (def.type === "array") return [at, ...paths(def.element, `${at}[]`)];
  if (def.type !== "object") return [at];
  const fields = Object.entries(def.shape as Record<string, unknown>);
  return [at, ...fields.flatMap(([key, field]) => paths(field, `${at}.${key}`))];
}

function used(value: unknown, at: string, found: Set<string>): void {
  found.add(at);
  if (Array.isArray(value)) for (const item of value) used(item, `${at}[]`, found);
  else if (typeof value === "object" && value !== null)
    for (const [key, inner] of Object.entries(value)) used(inner, `${at}.${key}`, found);
}

/** Every field in a golden case, as `Kind.path`. */
function fieldsOfGoldens(): Set<string> {
  const found = new Set<string>();
  for (const document of manifests.flatMap((text) => parseAllDocuments(text))) {
    const object = document.toJS() as { kind: string; spec?: unknown } | null;
    if (object) used(object.spec, object.kind, found);
  }
  return found;
}

const goldens = fieldsOfGoldens();
/** One schema reads all versions of Ingress, so its paths include mixtures of a backend of two versions. */
const mixed = /^Ingress\.(defaultBackend\.service(Name|Port)|backend\.(service|resource)\b)/;

it.each([
  ["HTTPProxy", httpProxySpec],
  ["IngressRoute", ingressRouteSpec],
  ["Ingress", ingressSpec],
  ["ExtensionService", extensionServiceSpec],
  ["TLSCertificateDelegation", delegationSpec],
])("every field of %s is in a golden case", (kind, schema) => {
  const all = paths(schema, kind).filter((path) => path !== kind && !mixed.test(path));
  expect(all.length).toBeGreaterThan(1);
  expect(all.filter((path) => !goldens.has(path))).toEqual([]);
});

/** The paths of settings that have another value than the default in a golden case. */
function settingsOfGoldens(): Set<string> {
  const found = new Set<string>();
  const compare = (value: unknown, usual: unknown, at: string): void => {
    if (isDeepStrictEqual(value, usual)) return;
    found.add(at);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return;
    for (const [key, inner] of Object.entries(value))
      compare(inner, (usual as Record<string, unknown> | undefined)?.[key], at === "" ? key : `${at}.${key}`);
  };
  for (const text of textsOf("test/golden", /settings\.yaml$/))
    compare(parseSettings(parse(text)).settings.spec, defaultSettings, "");
  return found;
}

it("every setting has another value than its default in a golden case, or another test covers it", () => {
  const inGoldens = settingsOfGoldens();
  const settingPaths = paths(settingsSpec)
    .map((path) => path.slice(1))
    .filter((path) => path !== "" && !path.endsWith("[]"));
  const missing = settingPaths.filter(
    (path) => !inGoldens.has(path) && !new RegExp(`\\b${path.split(".").at(-1)}\\b`).test(tests),
  );
  expect(settingPaths.length).toBeGreaterThan(50);
  expect(missing).toEqual([]);
});

it("every reason of a finding is in a golden case, or in another test", () => {
  // The codes of held lists have a prefix and a reason (src/kubernetes/guard.ts).
  const isSeen = (code: string): boolean =>
    new RegExp(`reason: ${code}\\b`).test(expected) ||
    new RegExp(`\\b(?:${code}|${code.replace(/^Held/, "")})\\b`).test(tests);
  expect(Object.keys(findingCodes).filter((code) => !isSeen(code))).toEqual([]);
});

it("every known annotation is in a golden case, or in another test", () => {
  const groups = "(?:(?:projectcontour|isoline|(?:ingress\\.)?kubernetes|contour\\.heptio)\\.(?:io|dev|com))";
  const literal = new RegExp(`"(${groups}/[a-z][a-zA-Z0-9.-]+)"`, "g");
  const read = [...textsOf("src/graph", /\.ts$/), ...textsOf("src/lint", /^annotations\.ts$/)].flatMap(
    (text) => [...text.matchAll(literal)].map(([, name]) => name ?? ""),
  );
  expect(read.length).toBeGreaterThan(20);
  expect([...new Set(read)].filter((name) => !tests.includes(name))).toEqual([]);
});
