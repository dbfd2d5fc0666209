import { readNow } from "../../src/documents/documents.js";
import type { MigrateOptions } from "../../src/migrate/conversion.js";
import { type Migration, migrate } from "../../src/migrate/migrate.js";
import type { InputManifest } from "../../src/migrate/source.js";
import { writeDocuments } from "../../src/migrate/text.js";

/** The manifests of a text, as the command reads them. */
export const manifestsOf = (text: string, file = ""): InputManifest[] =>
  [...readNow(text)].flatMap((one) =>
    "value" in one
      ? [{ value: one.value, place: file === "" ? "" : `${file}:${one.line}`, text: one.part.text }]
      : [],
  );

export const edge = { namespace: "infra", name: "edge" };

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
