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
import { readAnswerChanges } from "./answers.js";
import { readBodies } from "./bodies.js";
import type { Choice, NginxCanary } from "./canary.js";
import { readCors } from "./cors.js";
import { readErrorPages } from "./error-pages.js";
import { requestHeaders, responseHeaders } from "./headers.js";
import type { NginxLocation } from "./locations.js";
import { httpsRedirect, readRedirect, redirectsToHttps } from "./redirects.js";
import { readRewrite } from "./rewrite.js";
import { readSession } from "./sessions.js";
import { type EarlyAnswer, readAnswers, snippetEffects } from "./snippets.js";
import { readTimes } from "./times.js";
import { certificateHeaders, type HostTls } from "./tls.js";
import { readBackend, readClusterOptions, readMirrors } from "./upstream.js";

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

/** The ranks of the routes of one path: the order of nginx's phases. */
const ranks = {
  /** Answers of the server snippet. */
  server: 1,
  preflight: 100,
  /** Answers of the configuration snippet. */
  answers: 101,
  /** Choices of a canary. */
  choices: 300,
  /** A route without conditions. */
  last: 1000,
} as const;

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
   * The routes have the rank and the one before.
   */
  each(
    make: (headers: readonly HeaderMatch[], more: Headers, rank: number) => Route,
    rank?: number,
  ): readonly Route[];
  /** Responses that come before redirects, refusals and backends: of snippets, and to OPTIONS. */
  readonly early: readonly Route[];
  /** Whether one of these is for all requests. */
  readonly isAnswered: boolean;
}

type Headers = HeadersPolicy["set"];

function frameOf(
  location: NginxLocation,
  path: PathMatch,
  snippets: { readonly own: readonly SnippetEffect[]; readonly ofServer: readonly SnippetEffect[] },
  side: NginxSide,
  context: NginxHostContext,
  notes: Notes,
): Frame {
  const found = readCors(location.of, context.reader.settings.budgets.regexProgramSize);
  const cors = found === "too-large" ? undefined : found;
  if (found === "too-large")
    notes.ignore("cors-allow-origin", "cors-allow-origin has too many origins; none may come");
  const { ref } = location.of.ingress;
  const snippet = [...snippets.ofServer, ...snippets.own];
  const route: Frame["route"] = (headers, action, policies, more, rank) => ({
    match: { path, headers: [...headers].sort(compareHeaders), queries: [] },
    action,
    policies: withHeaders(policies, responseHeaders(side.secure, context, { more, snippet })),
    insecure: "serve",
    rank,
    from: ref,
    field: location.field,
  });
  const each: Frame["each"] = (make, rank = ranks.last) =>
    cors?.origin
      ? [make([cors.origin], cors.headers, rank - 1), make([], [], rank)]
      : [make([], cors?.headers ?? [], rank)];
  const place = { host: context.alias ?? context.host, secure: side.secure };
  const [ofServer, own] = [readAnswers(snippets.ofServer, place), readAnswers(snippets.own, place)];
  const answered = (answers: readonly EarlyAnswer[], first: number): readonly Route[] =>
    answers.flatMap(({ headers, action }, i) =>
      each(
        (origins, more, rank) =>
          route([...headers, ...origins], action, answerPolicies(action), [...more, ...typeOf(action)], rank),
        first + 2 * i + 1,
      ),
    );
  const options = [methodIs("OPTIONS"), ...(cors?.origin ? [cors.origin] : [])];
  const preflight = cors
    ? [route(options, { kind: "respond", status: 204 }, {}, cors.preflight, ranks.preflight)]
    : [];
  return {
    route,
    each,
    early: [...answered(ofServer, ranks.server), ...preflight, ...answered(own, ranks.answers)],
    isAnswered: [...ofServer, ...own].some(({ headers }) => headers.length === 0),
  };
}

/** As in nginx, redirects of a snippet do not have the port of the request. */
export const answerPolicies = ({ kind }: Action): RoutePolicies =>
  kind === "redirect" ? { nginxPhases: { location: { stripPort: true } } } : {};

/** The type of an answer with a text, as in ingress-nginx. */
export const typeOf = (action: Action): Headers =>
  action.kind === "respond" && action.body !== undefined
    ? [{ name: "Content-Type", value: "text/html" }]
    : [];

/** The routes of a location in evaluation order. */
export function routesOf(
  location: NginxLocation,
  match: PathMatch,
  side: NginxSide,
  context: NginxHostContext,
): readonly Route[] {
  const notes = new Notes(location.of.ingress, context.report);
  const snippets = {
    ofServer: side.snippet?.effects ?? [],
    own: snippetEffects(location.of, context, notes),
  };
  const access = readAccess(location, context, snippets, notes);
  const redirect = readRedirect(location.of, notes);
  const forward = readForward(location, access, snippets, side, context, notes);
  const { route, each, early, isAnswered } = frameOf(location, match, snippets, side, context, notes);
  const respond = (status: number): readonly Route[] => [
    route([], { kind: "respond", status }, {}, [], ranks.last),
  ];
  if (side.tls.refused) return respond(403);
  if ((location.of.refusal ?? notes.refusal) !== undefined) return respond(503);
  if (isAnswered) return early;

  if (redirect?.kind === "respond") {
    const to = [{ name: "Location", value: redirect.location.replaceAll("%", "%%") }];
    const action = { kind: "respond", status: redirect.status } as const;
    return [...early, ...each((headers, more, rank) => route(headers, action, {}, [...more, ...to], rank))];
  }
  if (redirect) return [...early, ...each((headers, more, rank) => route(headers, redirect, {}, more, rank))];
  if (!side.secure && redirectsToHttps(location, side.tls.isAsked, context)) {
    const { action, location: how } = httpsRedirect(location.of, context);
    const policies = { nginxPhases: { location: how } };
    return [...early, ...each((headers, more, rank) => route(headers, action, policies, more, rank))];
  }
  if (!side.secure && side.tls.tls?.clientValidation) return respond(403);

  if (!forward.choices) {
    const action = { kind: "respond", status: location.backend ? 503 : 404 } as const;
    const policies = { ...access.policies, nginxPhases: access.phases };
    return [...early, ...each((headers, more, rank) => route(headers, action, policies, more, rank))];
  }
  return [
    ...early,
    ...forward.choices.flatMap(({ headers, action }, i) =>
      forward.variants.flatMap(({ headers: more, policies }, j) =>
        each(
          (origins, answers, rank) =>
            route([...headers, ...more, ...origins], action, policies, answers, rank),
          // A canary's conditions rank first. For each condition, the route for allowed origins ranks before the other
          // one.
          (headers.length > 0 ? ranks.choices + 10 * i : ranks.last - 10) + 2 * j + 1,
        ),
      ),
    ),
  ];
}

interface Forward {
  /** The policies of the route, for requests with the headers; the last one is for all requests. */
  readonly variants: readonly {
    readonly headers: readonly HeaderMatch[];
    readonly policies: RoutePolicies;
  }[];
  /** Absent if the location has no Service, or if its Service can't be used. */
  readonly choices?: readonly { readonly headers: readonly HeaderMatch[]; readonly action: Action }[];
}

/** Reads how requests of a location are forwarded. */
function readForward(
  location: NginxLocation,
  access: NginxAccess,
  snippets: { readonly own: readonly SnippetEffect[]; readonly ofServer: readonly SnippetEffect[] },
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
  const options = readClusterOptions(location, side.secure, snippets.own, context, notes);
  const mirrors = readMirrors(location, context, notes);
  const requests = requestHeaders(location, side.secure, context, {
    rewritten: rewrite !== undefined,
    remove: [...access.remove, ...(side.tls.headers.length > 0 ? certificateHeaders : [])],
    snippet: [...snippets.ofServer, ...snippets.own],
    certificate: side.secure ? side.tls.headers : [],
  });
  const errorPages = readErrorPages(location, context, notes);
  const answers = readAnswerChanges(location, [...snippets.ofServer, ...snippets.own], context.config, notes);
  const { retry, timeout, upgraded } = readTimes(location.of, context.config, notes);
  const policies = present({
    ...readAnnotatedPolicies({ annotations: ingress.meta.annotations, settings: context.reader.settings }),
    ...access.policies,
    ...readSession(location, side.secure),
    pathRewrite: rewrite,
    retry,
    timeout,
    websocket: true as const,
    requestHeaders: requests,
    nginxPhases: {
      ...access.phases,
      ...readBodies(location, context, notes),
      ...(context.config.options["use-forwarded-headers"] ? {} : { originalForwarded: true as const }),
      ...(answers ? { answers } : {}),
      ...(errorPages ? { errorPages } : {}),
    },
  });
  const choices = backendsOf(location, side, context, options, requests)?.map(({ headers, backends }) => ({
    headers,
    action: { kind: "forward" as const, backends, ...(mirrors.length > 0 ? { mirrors } : {}) },
  }));
  const variants = [
    ...(upgraded ? [{ headers: [isWebsocket], policies: { ...policies, timeout: upgraded } }] : []),
    { headers: [], policies },
  ];
  return { variants, ...(choices ? { choices } : {}) };
}

const isWebsocket: HeaderMatch = {
  name: "upgrade",
  kind: "exact",
  value: "websocket",
  invert: false,
  ignoreCase: true,
  treatMissingAsEmpty: false,
};

/** Removes members that are undefined. */
const present = (
  policies: { readonly [N in keyof RoutePolicies]: RoutePolicies[N] | undefined },
): RoutePolicies => Object.fromEntries(Object.entries(policies).filter(([, value]) => value !== undefined));

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
  headers.set.length + headers.remove.length + (headers.add?.length ?? 0) > 0
    ? { ...policies, responseHeaders: headers }
    : policies;

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
  policies: RoutePolicies = {},
): Route => ({
  match: { path, headers: [], queries: [] },
  action,
  policies: headers ? withHeaders(policies, headers) : policies,
  insecure: "serve",
  rank: 1,
  from: ingress.ref,
  field,
});
