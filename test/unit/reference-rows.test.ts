import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { referenceRows } from "../support/reference-rows.js";

const root = join(import.meta.dirname, "../..");
const texts = new Map<string, string>();

function textOf(path: string): string {
  const known = texts.get(path);
  if (known !== undefined) return known;
  const text = readFileSync(join(root, path), "utf8");
  texts.set(path, text);
  return text;
}

/** Line breaks of long texts are of no account. */
const inOneLine = (text: string): string => text.replace(/\s+/g, " ");

/** All that a golden case holds. */
function goldenText(name: string): string {
  const files = ["objects.yaml", "expected.yaml"].map((file) => `test/golden/${name}/${file}`);
  const settings = `test/golden/${name}/settings.yaml`;
  if (existsSync(join(root, settings))) files.push(settings);
  return inOneLine(files.map(textOf).join("\n"));
}

/** Whether a test file has a test of this title: as text in quotes, of any kind. */
const hasTitle = (file: string, title: string): boolean =>
  [JSON.stringify(title), `'${title}'`, `\`${title}\``].some((quoted) => textOf(file).includes(quoted));

const rows = Object.entries(referenceRows).flatMap(([part, list]) =>
  list.map((row) => ({ ...row, part, label: `${row.field}: ${row.name}` })),
);

describe.each(Object.keys(referenceRows))("%s", (part) => {
  it.each(rows.filter((row) => row.part === part))("$label", (row) => {
    for (const name of row.golden)
      for (const words of row.words) expect(goldenText(name), `${name} has ${words}`).toContain(words);
    for (const { file, title } of row.proofs)
      expect(hasTitle(file, title), `${file} has the test ${title}`).toBe(true);
  });
});

it("shows each row, or says why it is left out", () => {
  const unsaid = rows.filter(({ golden, words, proofs, leftOut }) => {
    const isShown = golden.length > 0 && words.length > 0;
    return leftOut === undefined
      ? !(isShown || proofs.length > 0)
      : leftOut === "" || isShown || proofs.length > 0;
  });
  expect(unsaid.map(({ label }) => label)).toEqual([]);
});

it("has no row twice", () => {
  const labels = rows.map(({ part, label }) => `${part}: ${label}`);
  expect(labels.filter((label, i) => labels.indexOf(label) !== i)).toEqual([]);
});
