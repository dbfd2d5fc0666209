import { compileAssuming } from "../../src/assume/assume.js";
import { readNow } from "../../src/documents/documents.js";
import { readConfig } from "../../src/explain/config.js";
import { explain } from "../../src/explain/explain.js";
import type { Explanation } from "../../src/explain/explanation.js";
import { readRequest } from "../../src/explain/request.js";
import { link } from "../../src/link/snapshot.js";
import type { MigrateOptions } from "../../src/migrate/conversion.js";
import { type Migration, migrate } from "../../src/migrate/migrate.js";
import type { InputManifest } from "../../src/migrate/source.js";
import { writeDocuments } from "../../src/migrate/text.js";
import type { Ref } from "../../src/schema/meta.js";
import { parseSettings } from "../../src/schema/settings.js";
import { createMemoryStore } from "../../src/store/memory.js";
import type { Store } from "../../src/store/store.js";
import { parseCase, platform } from "./compile.js";

/** The Gateway that is written. */
export const edge = { namespace: "infra", name: "edge" };

/** The manifests of a text, as the command reads them. */
export const manifestsOf = (text: string): InputManifest[] =>
  [...readNow(text)].flatMap((one) =>
    "value" in one ? [{ value: one.value, place: "", text: one.part.text }] : [],
  );

export const optionsFor = (to: MigrateOptions["to"], rest: Partial<MigrateOptions> = {}): MigrateOptions => ({
  to,
  gateway: edge,
  classes: [],
  ...rest,
});

/** A migration with its result as text. */
export function migrated(
  text: string,
  to: MigrateOptions["to"],
  rest: Partial<MigrateOptions> = {},
): Migration & { readonly text: string } {
  const migration = migrate(manifestsOf(text), optionsFor(to, rest));
  return { ...migration, text: writeDocuments(migration.documents) };
}

/** All that results refer to is there. */
const assumed = { mode: "all", isKnown: () => true, owned: new Set<Ref>() } as const;

/** Compiles a result, with placeholders for what it refers to. */
export function compiledResult(text: string, to: MigrateOptions["to"]): Store {
  const store = createMemoryStore();
  const { settings } = parseSettings(to === "gateway" ? { gatewayRef: edge } : {});
  compileAssuming(store, { settings, objects: parseCase(text).objects }, platform, assumed);
  return store;
}

/** Asks a result what becomes of requests. */
export function asker(
  text: string,
  to: MigrateOptions["to"],
): (method: string, url: string, headers?: readonly string[]) => Explanation {
  const { settings } = parseSettings(to === "gateway" ? { gatewayRef: edge } : {});
  const config = readConfig(link(compiledResult(text, to), settings.spec));
  return (method, url, headers) => explain(config, readRequest(method, url, headers), {});
}
