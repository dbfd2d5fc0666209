import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import type { z } from "zod";
import { delegationSpec } from "../../src/schema/delegation.js";
import { extensionServiceSpec } from "../../src/schema/extensionservice.js";
import { httpProxySpec } from "../../src/schema/httpproxy.js";
import { ingressSpec } from "../../src/schema/ingress.js";
import { ingressRouteSpec } from "../../src/schema/ingressroute.js";

const root = join(import.meta.dirname, "../golden");

/** Paths of all fields of a schema ; `[]` stands for the members of a list. */
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

/** Every field that a golden case uses, as `Kind.path`. */
function fieldsOfGoldens(): Set<string> {
  const found = new Set<string>();
  for (const file of readdirSync(root, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith("objects.yaml") || !existsSync(join(root, file))) continue;
    for (const document of parseAllDocuments(readFileSync(join(root, file), "utf8"))) {
      const object = document.toJS() as { kind: string; spec?: unknown };
      if (object) used(object.spec, object.kind, found);
    }
  }
  return found;
}

const goldens = fieldsOfGoldens();
/** One schema reads both versions of Ingress: a backend as the other version writes it. */
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
