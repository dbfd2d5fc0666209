import type { SnippetEffect } from "../../../schema/nginx-snippet.js";
import { backendOf } from "../../backends/server-name.js";
import type { Action, Backend, Route } from "../../core/nodes.js";
import type { HeaderMatch, PathMatch } from "../../matches/match-types.js";
import { compareHeaders } from "../../matches/order.js";
import { ingressHeaders } from "../../policies/default-headers.js";
import type { HeadersPolicy } from "../../policies/header-values.js";
import { type RoutePolicies, readAnnotatedPolicies } from "../../policies/index.js";
import { type NginxAccess, readAccess } from "./access.js";
import { type AnnotatedIngress, type NginxHostContext, Notes } from "./annotated-ingress.js";
import type { Choice, NginxCanary } from "./canary.js";
import { readCors } from "./cors.js";
import { requestHeaders, responseHeaders, snippetEffects } from "./headers.js";
import type { NginxLocation } from "./locations.js";
import { httpsRedirect, readRedirect, redirectsToHttps } from "./redirects.js";
import { readRewrite } from "./rewrite.js";
import { certificateHeaders, type HostTls } from "./tls.js";
import {
  readBackend,
  readClusterOptions,
  readMirrors,
  readRetries,
  readTimeouts,
  routeHash,
} from "./upstream.js";

/** The inputs that all locations of a host share on one listener. */
export interface NginxSide {
  readonly secure: boolean;
  readonly tls: HostTls;
  readonly canaries: ReadonlyMap<NginxLocation, NginxCanary>;
  /** The effects of the host's server snippet. */
  readonly snippet?:
    | { readonly of: AnnotatedIngress; readonly effects: readonly SnippetEffect[]; readonly refused: boolean }
    | undefined;
}

/** The rank of a route without conditions: after the routes of the same path with conditions. */
const last = 1000;
const defaultBodyLimit = 1024 * 1024;

/** Makes the routes of a location. */
interface Frame {
  /** Makes one route; `more` are additional response headers. */
  route(
    headers: readonly HeaderMatch[],
    action: Action,
    policies: RoutePolicies,
    more: Headers,
    rank: number,
  ): Route;
  /**
   * Makes one route for all requests. If CORS allows only some origins, makes a route for these and one for the rest.
   */
  each(make: (headers: readonly HeaderMatch[], more: Headers, rank: number) => Route): readonly Route[];
  /** Responses to OPTIONS; evaluated first. */
  readonly preflight: readonly Route[];
}

type Headers = HeadersPolicy["set"];

function frameOf(
  location: NginxLocation,
  path: PathMatch,
  snippet: readonly SnippetEffect[],
  side: NginxSide,
  context: NginxHostContext,
  notes: Notes,
): Frame {
  const found = readCors(location.of, context.reader.settings.budgets.regexProgramSize);
  const cors = found === "too-large" ? undefined : found;
  if (found === "too-large")
    notes.ignore("cors-allow-origin", "cors-allow-origin has too many origins; none may come");
  const { ref } = location.of.ingress;
  const route: Frame["route"] = (headers, action, policies, more, rank) => ({
    match: { path, headers: [...headers].sort(compareHeaders), queries: [] },
    action,
    policies: withHeaders(policies, responseHeaders(side.secure, context, { more, snippet })),
    insecure: "serve",
    rank,
    from: ref,
    field: location.field,
  });
  const options = [methodIs("OPTIONS"), ...(cors?.origin ? [cors.origin] : [])];
  return {
    route,
    each: (make) =>
      cors?.origin
        ? [make([cors.origin], cors.headers, last - 1), make([], [], last)]
        : [make([], cors?.headers ?? [], last)],
    preflight: cors ? [route(options, { kind: "respond", status: 204 }, {}, cors.preflight, 1)] : [],
  };
}

/** The routes of a location in evaluation order. */
export function routesOf(
  location: NginxLocation,
  match: PathMatch,
  side: NginxSide,
  context: NginxHostContext,
): readonly Route[] {
  const notes = new Notes(location.of.ingress, context.report);
  const ofServer = (side.snippet?.effects ?? []).filter(({ kind }) => /response$/.test(kind));
  const snippet = [...ofServer, ...snippetEffects(location.of, context, notes)];
  const access = readAccess(location, context, notes);
  const redirect = readRedirect(location.of, notes);
  const forward = readForward(location, access, snippet, side, context, notes);
  const { route, each, preflight } = frameOf(location, match, snippet, side, context, notes);
  const respond = (status: number): readonly Route[] => [
    route([], { kind: "respond", status }, {}, [], last),
  ];
  if (side.tls.refused) return respond(403);
  if ((location.of.refusal ?? notes.refusal) !== undefined) return respond(503);

  if (redirect?.kind === "respond") {
    const to = [{ name: "Location", value: redirect.location.replaceAll("%", "%%") }];
    const action = { kind: "respond", status: redirect.status } as const;
    return [
      ...preflight,
      ...each((headers, more, rank) => route(headers, action, {}, [...more, ...to], rank)),
    ];
  }
  const toHttps = !side.secure && redirectsToHttps(location, side.tls.isAsked, context);
  const elsewhere = redirect ?? (toHttps ? httpsRedirect(context) : undefined);
  if (elsewhere)
    return [...preflight, ...each((headers, more, rank) => route(headers, elsewhere, {}, more, rank))];
  if (!side.secure && side.tls.tls?.clientValidation) return respond(403);

  if (!forward.choices) {
    const action = { kind: "respond", status: location.backend ? 503 : 404 } as const;
    const policies = { ...access.policies, nginxPhases: access.phases };
    return [...preflight, ...each((headers, more, rank) => route(headers, action, policies, more, rank))];
  }
  return [
    ...preflight,
    ...forward.choices.flatMap(({ headers, action }, i) =>
      each((origins, more, rank) =>
        route(
          [...headers, ...origins],
          action,
          forward.policies,
          more,
          // A canary's conditions rank first. For each condition, the route for allowed origins ranks before the other
          // one.
          headers.length > 0 ? 10 * (i + 1) + (origins.length > 0 ? 0 : 1) : rank,
        ),
      ),
    ),
  ];
}

interface Forward {
  readonly policies: RoutePolicies;
  /** Absent if the location has no Service, or if its Service can't be used. */
  readonly choices?: readonly { readonly headers: readonly HeaderMatch[]; readonly action: Action }[];
}

/** Reads how requests of a location are forwarded. */
function readForward(
  location: NginxLocation,
  access: NginxAccess,
  snippet: readonly SnippetEffect[],
  side: NginxSide,
  context: NginxHostContext,
  notes: Notes,
): Forward {
  const { values, ingress } = location.of;
  const host = values["upstream-vhost"];
  if (host && (host.length > 255 || !/^[A-Za-z0-9.-]+(?::\d{1,5})?$/.test(host)))
    notes.refuse("upstream-vhost", "upstream-vhost is no host name; variables of nginx can't be filled in");
  if (values["auth-tls-secret"] && ingress.meta.namespace !== context.owner)
    notes.refuse(
      "auth-tls-secret",
      `auth-tls-secret: the host is that of namespace ${context.owner}, whose Ingress is the oldest`,
    );
  const rewrite = readRewrite(location, context, notes);
  const options = readClusterOptions(location, side.secure, context, notes);
  const mirrors = readMirrors(location, context, notes);
  const requests = requestHeaders(location, side.secure, context, {
    rewritten: rewrite !== undefined,
    remove: [...access.remove, ...(side.tls.headers.length > 0 ? certificateHeaders : [])],
    snippet,
    certificate: side.secure ? side.tls.headers : [],
  });
  const bodyLimit = values["proxy-body-size"] ?? bodyOption(context) ?? defaultBodyLimit;
  const policies = present({
    ...readAnnotatedPolicies({ annotations: ingress.meta.annotations, settings: context.reader.settings }),
    ...access.policies,
    hash: routeHash(location, side.secure),
    pathRewrite: rewrite,
    retry: readRetries(location.of, context.config),
    timeout: readTimeouts(location.of, context.config),
    websocket: true as const,
    requestHeaders: requests,
    nginxPhases: {
      ...access.phases,
      ...(bodyLimit > 0 ? { bodyLimit } : {}),
      ...(context.config.options["use-forwarded-headers"] ? {} : { originalForwarded: true as const }),
    },
  });
  const choices = backendsOf(location, side, context, options, requests)?.map(({ headers, backends }) => ({
    headers,
    action: { kind: "forward" as const, backends, ...(mirrors.length > 0 ? { mirrors } : {}) },
  }));
  return { policies, ...(choices ? { choices } : {}) };
}

/** Removes members that are undefined. */
const present = (
  policies: { readonly [N in keyof RoutePolicies]: RoutePolicies[N] | undefined },
): RoutePolicies => Object.fromEntries(Object.entries(policies).filter(([, value]) => value !== undefined));

const bodyUnits: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

function bodyOption({ config }: NginxHostContext): number | undefined {
  const [, number, unit = ""] = /^(\d{1,9})([kmg]?)$/i.exec(config.options["proxy-body-size"] ?? "") ?? [];
  return number === undefined ? undefined : Number(number) * (bodyUnits[unit.toLowerCase()] ?? 1);
}

const methodIs = (method: string): HeaderMatch => ({
  name: ":method",
  kind: "exact",
  value: method,
  invert: false,
  ignoreCase: false,
  treatMissingAsEmpty: false,
});

/** Adds the response headers, if there are any: Envoy treats an empty list as absent. */
const withHeaders = (policies: RoutePolicies, headers: HeadersPolicy): RoutePolicies =>
  headers.set.length + headers.remove.length > 0 ? { ...policies, responseHeaders: headers } : policies;

/** The backends of a location, for each choice of its canary; undefined if its Service can't be used. */
function backendsOf(
  location: NginxLocation,
  { canaries }: NginxSide,
  context: NginxHostContext,
  options: Parameters<typeof readBackend>[2],
  requests: HeadersPolicy,
):
  | readonly { readonly headers: readonly HeaderMatch[]; readonly backends: readonly Backend[] }[]
  | undefined {
  const { settings } = context.reader;
  const cluster = location.backend && readBackend(location.backend, location, options, context);
  if (!cluster) return undefined;
  const backend = (of: typeof cluster, weight: number): Backend =>
    backendOf(of, weight, ingressHeaders(settings, of), requests);
  const alone = [{ headers: [], backends: [backend(cluster, 0)] }];
  const canary = canaries.get(location);
  if (!canary) return alone;
  const other = readBackend(canary.backend, canary, options, context);
  if (!other) return alone;
  return canary.choices.map(({ headers, weight: [main, share] }: Choice) => ({
    headers,
    backends: [
      ...(main > 0 ? [backend(cluster, share > 0 ? main : 0)] : []),
      ...(share > 0 ? [backend(other, main > 0 ? share : 0)] : []),
    ],
  }));
}

/** A route for the whole host, evaluated before all locations; `ingress` is the Ingress that configures it. */
export const hostRoute = (
  path: PathMatch,
  action: Action,
  { ingress }: AnnotatedIngress,
  field: string,
  headers?: HeadersPolicy,
): Route => ({
  match: { path, headers: [], queries: [] },
  action,
  policies: headers ? withHeaders({}, headers) : {},
  insecure: "serve",
  rank: 1,
  from: ingress.ref,
  field,
});
