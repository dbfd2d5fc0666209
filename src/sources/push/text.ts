import { readDocuments, type Step } from "../../documents/documents.js";
import { maxServedNodes } from "../../documents/limits.js";
import { pause } from "../../engine/slices.js";
import { bootstrapFindings, unfilteredFindings } from "../../schema/bootstrap-settings.js";
import { isRecord } from "../../schema/issues.js";
import type { Finding, Ref } from "../../schema/meta.js";
import { type KubeObject, membersOf, parseObject } from "../../schema/object.js";
import { parseSettings } from "../../schema/settings.js";

/** The text of one source, parsed. */
export interface ParsedSource {
  readonly objects: readonly KubeObject[];
  readonly findings: readonly Finding[];
  /** Objects that exist in the text but are not valid. */
  readonly invalid: readonly Ref[];
  /** Whether an object has no valid name; it may be any of the objects that existed before. */
  readonly hasUnnamed: boolean;
}

/** Why a whole text is not the content of a source; it changes nothing. */
export interface SourceRefusal {
  readonly code: "empty" | "not-readable" | "not-an-object" | "no-objects";
  readonly detail: string;
}

/**
 * Reads pushed manifests: YAML documents, a JSON object, `List` or array, or JSON Lines. A document of kind
 * `IsolineSettings` holds settings under `spec`. Long texts are read in slices with pauses between them. Never throws
 * on input. No message quotes the text, which may hold keys.
 */
export async function parseSource(text: string): Promise<ParsedSource | SourceRefusal> {
  if (/^\s*<[!?a-z]/i.test(text))
    return { code: "not-readable", detail: "the content is HTML or XML, such as the error page of a proxy" };
  const reader = new SourceReader();
  let unpaused = 0;
  for (const step of readDocuments(text, "yaml", maxServedNodes)) {
    for (const nodes of step === undefined ? [sliceNodes] : reader.read(step)) {
      if (reader.refusal) return reader.refusal;
      unpaused += nodes;
      if (unpaused < sliceNodes) continue;
      unpaused = 0;
      await pause();
    }
  }
  return reader.end();
}

/** Number of nodes of objects that are checked between two pauses. */
const sliceNodes = 20_000;

/** Takes the documents of one text one by one, so that each parsed document is garbage before the next is read. */
class SourceReader {
  refusal: SourceRefusal | undefined;
  readonly #objects = new Map<Ref, KubeObject>();
  readonly #findings: Finding[] = [];
  readonly #invalid: Ref[] = [];
  #documents = 0;
  #members = 0;
  #ignored = 0;
  #hasUnnamed = false;

  /** Takes a document. Yields, after each of its objects, the average number of nodes of an object. */
  *read(step: NonNullable<Step>): Generator<number> {
    this.#documents++;
    if ("fault" in step)
      yield this.#refuse("not-readable", `line ${step.line}:${step.column}: ${step.fault}`);
    else {
      const place = `document ${this.#documents} (line ${step.line})`;
      for (const { line, message } of step.ambiguities)
        this.#findings.push(ambiguous(`line ${line}: ${message}`));
      const found = membersOf(step.value);
      if ("problem" in found) yield this.#refuse("not-an-object", `${place} ${found.problem}`);
      else
        for (const [i, member] of found.members.entries()) {
          this.#take(member, member === step.value ? place : `${place}, item ${i}`);
          yield step.nodes / found.members.length;
        }
    }
  }

  end(): ParsedSource | SourceRefusal {
    if (this.#documents === 0)
      return { code: "empty", detail: "the content has no document; push an empty List to remove all" };
    if (this.#members > 0 && this.#ignored === this.#members)
      return {
        code: "no-objects",
        detail: `none of the ${this.#members} objects has a kind that routing reads; push an empty List to remove all`,
      };
    if (this.#hasUnnamed) this.#findings.push(unnamed);
    return {
      objects: [...this.#objects.values()],
      findings: this.#findings,
      invalid: this.#invalid,
      hasUnnamed: this.#hasUnnamed,
    };
  }

  #refuse(code: SourceRefusal["code"], detail: string): number {
    this.refusal = { code, detail };
    return 0;
  }

  #take(value: unknown, place: string): void {
    this.#members++;
    const settings = settingsIn(value);
    const parsed = settings ? parseSettingsDocument(settings.spec) : parseObject(value);
    if ("ignored" in parsed) {
      this.#ignored++;
      for (const finding of parsed.findings) this.#findings.push(finding);
      return;
    }
    if ("noObject" in parsed) {
      const what = parsed.findings.map(({ path, message }) => (path ? `${path} ${message}` : message));
      this.#refuse("not-an-object", `${place}: ${what.join("; ")}`);
      return;
    }
    if ("findings" in parsed) for (const finding of parsed.findings) this.#findings.push(finding);
    if ("object" in parsed) this.#put(parsed.object);
    else if (parsed.ref) this.#invalid.push(parsed.ref);
    else this.#hasUnnamed = true;
  }

  #put(object: KubeObject): void {
    if (this.#objects.has(object.ref)) this.#findings.push(duplicate(object.ref));
    this.#objects.set(object.ref, object);
  }
}

const ambiguous = (message: string): Finding => ({
  about: "Source//",
  severity: "warning",
  type: "SourceError",
  reason: "Ambiguous",
  message,
});

const unnamed: Finding = {
  about: "Source//",
  severity: "error",
  type: "SourceError",
  reason: "Unnamed",
  message:
    "an object has no valid kind or name and may be any earlier object, so no object is removed; fix it",
};

const duplicate = (ref: Ref): Finding => ({
  about: ref,
  severity: "warning",
  type: "SchemaError",
  reason: "Duplicate",
  message: "is in the source more than once; the last one is used",
});

const settingsIn = (value: unknown): { readonly spec?: unknown } | undefined =>
  isRecord(value) && value.kind === "IsolineSettings" ? value : undefined;

function parseSettingsDocument(spec: unknown): { object: KubeObject; findings: readonly Finding[] } {
  const { settings, findings: wrong } = parseSettings(spec);
  const findings = [
    ...wrong,
    ...bootstrapFindings(settings),
    ...unfilteredFindings(settings, "push only the objects that are to be read"),
  ];
  return { object: settings, findings };
}
