import { explain, type Knowledge } from "../explain/explain.js";
import type { Explanation } from "../explain/explanation.js";
import { claimsOn, originsIn } from "../explain/origins.js";
import { isConnectionUrl, readAsked } from "../explain/request.js";
import { RequestSyntaxError } from "../explain/request-error.js";
import { formatExplanation, type PlaceOf } from "../explain/text.js";
import type { RouteOrigin } from "../graph/core/route-origins.js";
import { orphansBeside, unservedFor } from "../lint/unserved.js";
import { checkKeyPair } from "../platform/key-pair.js";
import { isEndpointKind } from "../schema/meta.js";
import type { RequestText } from "../schema/route-tests.js";
import { lineOf } from "../sources/files/load.js";
import type { Manifests } from "../sources/files/objects.js";
import type { AssumptionOptions } from "./assumptions.js";
import { type CompiledPaths, compileInput } from "./compiled.js";
import type { InputOptions } from "./kube-manifests.js";
import { askServer, type ServerAccess } from "./server-url.js";
import { UsageError } from "./usage.js";

/** The input of explanations: files, a cluster or a running server. */
export interface ExplainerOptions extends InputOptions, AssumptionOptions, ServerAccess {
  readonly settings?: string;
  /** The URL of a running server, which explains instead. */
  readonly xds?: string;
}

export interface ExplainCommandOptions extends ExplainerOptions {
  /** Lines of `name: value`. */
  readonly header: readonly string[];
  readonly gateway?: string;
  readonly address?: string;
  readonly format: "text" | "json";
}

/** Explains requests. */
export interface Explainer {
  /** @throws Error when a server can't be reached or refuses. */
  explain(request: RequestText): Promise<Explanation>;
  readonly placeOf: PlaceOf;
  /** Whether the endpoints of a cluster are known; if so, an empty list means that it has none. */
  knowsEndpoints(cluster: string): boolean;
  /** Whether a file, or a part of it, could not be read. */
  readonly broken: boolean;
  /** The compiled manifests; absent for a server. */
  readonly compiled?: CompiledPaths;
}

/**
 * `isoline explain`: reports the route that handles a request, and why. A URL of the scheme tcp, tls or udp needs no
 * method. Returns the exit code.
 */
export async function explainCommand(
  first: string,
  second: string | undefined,
  options: ExplainCommandOptions,
): Promise<number> {
  const isConnection = second === undefined && isConnectionUrl(first);
  if (second === undefined && !isConnection)
    throw new UsageError(`${first}: expected METHOD URL, or a URL with tcp://, tls:// or udp://`);
  const { gateway, address } = options;
  const request: RequestText = {
    method: isConnection ? "GET" : first,
    url: second ?? first,
    headers: options.header,
    ...(gateway === undefined ? {} : { gateway }),
    ...(address === undefined ? {} : { address }),
  };
  if (isConnectionUrl(request.url) && options.header.length > 0)
    throw new UsageError("-H: a connection has no headers");
  parseAsked(request);
  const { explain, placeOf, broken } = await explainerOf(options);
  print(await explain(request), isConnection ? first : `${first} ${second}`, options, placeOf);
  return broken ? 3 : 0;
}

/**
 * Compiles files or a cluster's objects, or uses a server. `overrides` take precedence over the settings file.
 *
 * @throws UsageError where the options name several of these or none.
 */
export async function explainerOf(
  options: ExplainerOptions,
  overrides: Readonly<Record<string, unknown>> = {},
): Promise<Explainer> {
  const { xds } = options;
  if (xds !== undefined) {
    if (options.kube || options.file.length > 0)
      throw new UsageError("-f, --kube and --xds: give only one of them");
    return {
      explain: (request) => askToExplain(xds, request, options),
      placeOf: () => "",
      knowsEndpoints: () => true,
      broken: false,
    };
  }
  const compiled = await compileInput(options, options.settings, overrides);
  const { manifests, settings, store, config, broken } = compiled;
  const knowledge: Knowledge = {
    origins: originsIn(store, settings.spec, { checkKeyPair }),
    claimsOn: (host) => claimsOn(store, host),
    unservedFor: (host) => [
      ...unservedFor(host, store, settings.spec),
      ...orphansBeside(host, store, settings.spec),
      ...manifests.foreign.flatMap(({ hosts, finding }) => (hosts.has(host) ? [finding] : [])),
    ],
  };
  const isWhole = options.kube !== undefined || options.assumeMissing === "none";
  const knowsEndpoints = isWhole ? () => true : endpointsIn(manifests);
  return {
    explain: async (request) => {
      const explanation = asUsage(() => explain(config, parseAsked(request), knowledge));
      return withUnknown(explanation, knowsEndpoints);
    },
    placeOf: placeIn(manifests),
    knowsEndpoints,
    broken,
    compiled,
  };
}

/** In namespaces without EndpointSlices among the files, endpoints are unknown. */
function endpointsIn({ objects }: Manifests): (cluster: string) => boolean {
  const known = new Set(objects.filter(({ kind }) => isEndpointKind(kind)).map(({ meta }) => meta.namespace));
  return (cluster) => known.has(cluster.split("/")[0] ?? "");
}

function withUnknown(explanation: Explanation, knowsEndpoints: Explainer["knowsEndpoints"]): Explanation {
  const backends = explanation.backends.map((backend) =>
    backend.endpoints > 0 || knowsEndpoints(backend.cluster)
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

/** Requests an explanation from a server. @throws Error when it can't be reached or refuses. */
async function askToExplain(
  server: string,
  { method, url: asked, headers: lines, gateway, address }: RequestText,
  options: ServerAccess,
): Promise<Explanation> {
  const query = new URLSearchParams({ method, url: asked });
  if (gateway !== undefined) query.set("gateway", gateway);
  if (address !== undefined) query.set("address", address);
  for (const line of lines) query.append("header", line);
  return (await askServer("--xds", server, `explain?${query}`, options)) as Explanation;
}

const parseAsked = ({ method, url, headers, ...choice }: RequestText): ReturnType<typeof readAsked> =>
  asUsage(() => readAsked(method, url, headers, choice));

function asUsage<T>(ask: () => T): T {
  try {
    return ask();
  } catch (error) {
    if (error instanceof RequestSyntaxError) throw new UsageError(error.message);
    throw error;
  }
}

const placeIn =
  ({ documents }: Manifests) =>
  ({ ref, field }: RouteOrigin): string => {
    const place = documents.get(ref);
    return place ? `${place.file}:${lineOf(place, field)}` : "";
  };
