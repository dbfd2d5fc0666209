/** Environment variables. */
export type Env = Readonly<Record<string, string | undefined>>;

/** The inputs of `action.yml`. */
export interface Inputs {
  readonly files: readonly string[];
  readonly settings: string;
  readonly known: readonly string[];
  readonly suppress: readonly string[];
  readonly assumeMissing: string;
  readonly strict: boolean;
  readonly build: boolean;
  readonly sarifFile: string;
  readonly docsUrl: string;
  readonly comment: boolean;
  readonly token: string;
  readonly publishTo: readonly string[];
  readonly source: string;
  readonly publishToken: string;
  readonly previewToken: string;
}

/** An input of the action is not valid. */
export class InputError extends Error {}

/**
 * Reads the inputs from the environment: the runner passes `with.files` as `INPUT_FILES`.
 *
 * @throws InputError
 */
export function readInputs(env: Env): Inputs {
  const text = (name: string): string => (env[`INPUT_${name.toUpperCase()}`] ?? "").trim();
  const lines = (name: string): readonly string[] =>
    text(name)
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "");
  const flag = (name: string): boolean => {
    const value = text(name) || "false";
    if (value === "true" || value === "false") return value === "true";
    throw new InputError(`${name}: must be true or false, found ${JSON.stringify(value)}`);
  };
  const inputs: Inputs = {
    files: lines("files"),
    settings: text("settings"),
    known: lines("known"),
    suppress: lines("suppress"),
    assumeMissing: text("assume-missing"),
    strict: flag("strict"),
    build: flag("build"),
    sarifFile: text("sarif-file"),
    docsUrl: text("docs-url") || docsOf(env),
    comment: flag("comment"),
    token: text("token"),
    publishTo: lines("publish-to"),
    source: text("source"),
    publishToken: text("publish-token"),
    previewToken: text("preview-token"),
  };
  if (inputs.files.length === 0) throw new InputError("files: name the files and folders with manifests");
  if (inputs.publishTo.length > 0 && !inputs.source)
    throw new InputError("source: is missing; publish-to requires the name of a source for the files");
  return inputs;
}

/** The URL of the documentation for this revision of Isoline; empty for a local action. */
function docsOf({ GITHUB_SERVER_URL, GITHUB_ACTION_REPOSITORY, GITHUB_ACTION_REF }: Env): string {
  if (!GITHUB_SERVER_URL || !GITHUB_ACTION_REPOSITORY || !GITHUB_ACTION_REF) return "";
  return `${GITHUB_SERVER_URL}/${GITHUB_ACTION_REPOSITORY}/blob/${GITHUB_ACTION_REF}/docs`;
}
