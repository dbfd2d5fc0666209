import { readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import ignore from "ignore";
import { readOne, type TextDocument } from "../documents/documents.js";
import { positionOf } from "../documents/locate.js";
import {
  annotationSuppressions,
  type Suppression,
  type SuppressionProblem,
  suppress,
  suppressAnnotation,
} from "../lint/suppress.js";
import type { FindingCode } from "../schema/finding-codes.js";
import { type Finding, isShadowed } from "../schema/meta.js";
import { parseSuppressions, type SuppressionEntry } from "../schema/suppressions.js";
import { messageOf } from "../schema/words.js";
import { type Located, locateAll, type Manifests } from "../sources/files/objects.js";
import { refPattern } from "./ref-pattern.js";
import { UsageError } from "./usage.js";

/** A suppression, with a function that places a finding about it. */
interface Placed {
  readonly suppression: Suppression;
  place(reason: FindingCode, message: string): readonly Located[];
}

/**
 * Marks the findings that an annotation of their object or a file of suppressions hides, and adds findings about
 * suppressions that hide nothing. `now` is in ms since the epoch.
 *
 * @throws UsageError when a file can't be read.
 */
export function withSuppressions(
  located: readonly Located[],
  manifests: Pick<Manifests, "objects" | "documents">,
  files: readonly string[],
  now: number,
): readonly Located[] {
  const { suppressions, faults } = ofAnnotations(manifests);
  const placed = [...files.flatMap(readSuppressions), ...suppressions];
  const { hiddenBy, problems } = suppress(
    located,
    placed.map(({ suppression }) => suppression),
    now,
  );
  const marked = located.map((one): Located => {
    const by = hiddenBy.get(one);
    return by ? { ...one, suppression: { kind: by.kind, reason: by.reason } } : one;
  });
  const findingOf = ({ suppression, reason, message }: SuppressionProblem) =>
    placed.filter((one) => one.suppression === suppression).flatMap((one) => one.place(reason, message));
  return [...marked, ...problems.flatMap(findingOf), ...faults];
}

const warning = (about: Finding["about"], reason: FindingCode, message: string, path: string): Finding => ({
  about,
  severity: "warning",
  type: "SuppressionError",
  reason,
  message,
  path,
});

/** The suppressions of annotations, each for its own object. */
function ofAnnotations({ objects, documents }: Pick<Manifests, "objects" | "documents">): {
  readonly suppressions: readonly Placed[];
  readonly faults: readonly Located[];
} {
  const path = `metadata.annotations[${JSON.stringify(suppressAnnotation)}]`;
  const suppressions: Placed[] = [];
  const faults: Located[] = [];
  for (const object of objects) {
    if (isShadowed(object) || object.meta.annotations[suppressAnnotation] === undefined) continue;
    const place = (reason: FindingCode, message: string): Located[] =>
      locateAll([warning(object.ref, reason, message, path)], documents);
    const read = annotationSuppressions(object.ref, object.meta);
    faults.push(...read.faults.flatMap((message) => place("SuppressionNotValid", message)));
    for (const suppression of read.suppressions) suppressions.push({ suppression, place });
  }
  return { suppressions, faults };
}

function readSuppressions(file: string): Placed[] {
  const document = readDocument(file);
  const { entries, findings } = parseSuppressions(document?.value ?? null);
  const [wrong] = findings;
  if (wrong) {
    const line = document ? `:${positionOf(document.part, wrong.path ?? "").line}` : "";
    throw new UsageError(`--suppress: ${file}${line}: ${wrong.path ?? "the file"}: ${wrong.message}`);
  }
  return entries.map((entry, i) => ({
    suppression: suppressionOf(entry, file),
    place: (reason, message) => {
      const path = `suppressions[${i}]`;
      const position = document ? positionOf(document.part, path) : { line: 0 };
      return [{ finding: warning("File//", reason, message, path), file, ...position }];
    },
  }));
}

function readDocument(file: string): TextDocument | undefined {
  try {
    return readOne(readFileSync(file, "utf8"));
  } catch (error) {
    throw new UsageError(`--suppress: ${file}: ${messageOf(error)}`);
  }
}

function suppressionOf({ code, object, file, reason, until }: SuppressionEntry, from: string): Suppression {
  const pattern = object === undefined ? undefined : refPattern(object);
  const paths = file === undefined ? undefined : ignore().add(file);
  const folder = dirname(resolve(from));
  const isIn = (path: string): boolean => {
    const inside = relative(folder, resolve(path));
    return path !== "" && ignore.isPathValid(inside) && paths?.ignores(inside) === true;
  };
  return {
    code,
    reason,
    kind: "external",
    ...(until === undefined ? {} : { until }),
    matches: (target) =>
      (pattern === undefined || pattern.test(target.finding.about)) &&
      (paths === undefined || isIn(target.file)),
  };
}
