import { explain } from "../explain/explain.js";
import type { Explanation } from "../explain/explanation.js";
import { claimsOn, type Origin, originsIn } from "../explain/origins.js";
import { RequestError, readRequest } from "../explain/request.js";
import { formatExplanation, type PlaceOf } from "../explain/text.js";
import { orphansBeside, unservedFor } from "../lint/unserved.js";
import { checkKeyPair } from "../platform/key-pair.js";
import { isOfPods } from "../schema/meta.js";
import { type AssumptionOptions, placeholderFilter } from "./assumptions.js";
import { type CompiledPaths, compileInput } from "./compiled.js";
import type { InputOptions } from "./kube-manifests.js";
import { lineOf } from "./load.js";
import type { Manifests } from "./objects.js";
import { askServer, type ServerOptions } from "./server-url.js";
import { UsageError } from "./usage.js";

export interface ExplainCommandOptions extends InputOptions, AssumptionOptions, ServerOptions {
  readonly settings?: string;
  /** A running server that is asked instead. */
  readonly xds?: string;
  /** Lines of `name: value`. */
  readonly header: readonly string[];
  readonly format: "text" | "json";
}

/** `isoline explain`: which route wins a request, and why. Returns the exit code. */
export async function explainCommand(
  method: string,
  url: string,
  options: ExplainCommandOptions,
): Promise<number> {
  const request = parseRequest(method, url, options.header);
  const title = `${method} ${url}`;
  if (options.xds !== undefined) {
    if (options.kube || options.file.length > 0)
      throw new UsageError("-f, --kube and --xds: give one of them");
    print(await askToExplain(options.xds, method, url, options), title, options, () => "");
    return 0;
  }
  const compiled = await compileInput(options, options.settings);
  const { manifests, settings, store, config, broken } = compiled;
  const shown = withoutPlaceholders(compiled);
  const explanation = explain(config, request, {
    origins: originsIn(store, settings.spec, { checkKeyPair }),
    claimsOn: (host) => claimsOn(shown, host),
    unservedFor: (host) => [
      ...unservedFor(host, store, settings.spec),
      ...orphansBeside(host, store, settings.spec),
      ...manifests.foreign.flatMap(({ hosts, finding }) => (hosts.has(host) ? [finding] : [])),
    ],
  });
  const known =
    options.kube || options.assumeMissing === "none" ? explanation : withUnknown(explanation, manifests);
  print(known, title, options, placeIn(manifests));
  return broken ? 3 : 0;
}

/** What `claimsOn` reads of a store, without findings about the contents of what is assumed. */
function withoutPlaceholders({ store, assumed }: CompiledPaths): Parameters<typeof claimsOn>[0] {
  const isOfPlaceholder = placeholderFilter(assumed);
  return {
    object: (ref) => store.object(ref),
    claimants: (key) => store.claimants(key),
    unit(key) {
      const unit = store.unit(key);
      return unit && { ...unit, findings: unit.findings.filter((finding) => !isOfPlaceholder(finding)) };
    },
  };
}

/** Marks backends without endpoints in namespaces of which no EndpointSlices are among the files. */
function withUnknown(explanation: Explanation, { objects }: Manifests): Explanation {
  const known = new Set(objects.filter(({ kind }) => isOfPods(kind)).map(({ meta }) => meta.namespace));
  const backends = explanation.backends.map((backend) =>
    backend.endpoints > 0 || known.has(backend.cluster.split("/")[0] ?? "")
      ? backend
      : { ...backend, endpointsUnknown: true as const },
  );
  return { ...explanation, backends };
}

function print(
  explanation: Explanation,
  title: string,
  { format }: ExplainCommandOptions,
  placeOf: PlaceOf,
): void {
  if (format === "json") process.stdout.write(`${JSON.stringify(explanation, null, 2)}\n`);
  else process.stdout.write(formatExplanation(explanation, title, placeOf));
}

/** Asks a server what it serves. @throws Error when it can't be reached or refuses. */
async function askToExplain(
  server: string,
  method: string,
  asked: string,
  options: ExplainCommandOptions,
): Promise<Explanation> {
  const query = new URLSearchParams({ method, url: asked });
  for (const line of options.header) query.append("header", line);
  return (await askServer("--xds", server, `explain?${query}`, options)) as Explanation;
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
