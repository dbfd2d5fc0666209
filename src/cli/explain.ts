import { explain } from "../explain/explain.js";
import { claimsOn, type Origin, originsIn } from "../explain/origins.js";
import { RequestError, readRequest } from "../explain/request.js";
import { formatExplanation } from "../explain/text.js";
import { checkKeyPair } from "../platform/key-pair.js";
import { compilePaths } from "./compiled.js";
import { lineOf } from "./load.js";
import type { Manifests } from "./objects.js";
import { UsageError } from "./usage.js";

export interface ExplainCommandOptions {
  readonly file: readonly string[];
  readonly settings?: string;
  /** Lines of `name: value`. */
  readonly header: readonly string[];
  readonly format: "text" | "json";
}

/** `isoline explain`: which route wins a request, and why. Returns the exit code. */
export function explainCommand(method: string, url: string, options: ExplainCommandOptions): number {
  const request = parseRequest(method, url, options.header);
  const { manifests, settings, store, config, broken } = compilePaths(options.file, options.settings);
  const explanation = explain(config, request, {
    origins: originsIn(store, settings.spec, { checkKeyPair }),
    claimsOn: (host) => claimsOn(store, host),
  });
  if (options.format === "json") process.stdout.write(`${JSON.stringify(explanation, null, 2)}\n`);
  else process.stdout.write(formatExplanation(explanation, `${method} ${url}`, placeIn(manifests)));
  return broken ? 3 : 0;
}

function parseRequest(...given: Parameters<typeof readRequest>): ReturnType<typeof readRequest> {
  try {
    return readRequest(...given);
  } catch (error) {
    if (error instanceof RequestError) throw new UsageError(error.message);
    throw error;
  }
}

const placeIn =
  ({ documents }: Manifests) =>
  ({ ref, field }: Origin): string => {
    const place = documents.get(ref);
    return place ? `${place.file}:${lineOf(place, field)}` : "";
  };
