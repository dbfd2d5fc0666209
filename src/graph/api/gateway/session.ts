import { digest, formatDigest } from "../../../schema/digest.js";
import { durationMs } from "../../../schema/duration.js";
import type { SessionFields } from "../../../schema/gateway-rules.js";
import { headerNameProblem } from "../../../schema/header-names.js";
import type { Backend, Route } from "../../core/nodes.js";
import type { PathMatch } from "../../matches/match-types.js";
import type { Session } from "../../policies/session.js";
import type { GatewayRouteContext } from "./problems.js";

/** The session persistence of a rule. */
export interface RuleSession {
  readonly fields: SessionFields;
  /** Distinguishes the rule, so that rules do not share sessions: its name, else its index. */
  readonly rule: string;
}

/** Reads `sessionPersistence` of a rule. Undefined, with a finding, if Envoy does not support it: then the rule has no sessions. */
export function readSession(
  { leaveOut }: GatewayRouteContext,
  fields: SessionFields | undefined,
  rule: { readonly key: string; readonly backends: number },
  path: string,
): RuleSession | undefined {
  if (!fields) return undefined;
  const problem = sessionProblem(fields, rule.backends);
  if (!problem) return { fields, rule: rule.key };
  const message = `${problem.message}; the rule is served without sessions`;
  leaveOut("UnsupportedValue", message, `${path}.${problem.field}`);
  return undefined;
}

function sessionProblem(
  { type, sessionName, absoluteTimeout }: SessionFields,
  backends: number,
): { readonly field: string; readonly message: string } | undefined {
  const name = sessionName ? headerNameProblem(sessionName) : undefined;
  if (name) return { field: "sessionName", message: `the name of a cookie or header: ${name}` };
  const ms = absoluteTimeout === undefined ? undefined : durationMs(absoluteTimeout);
  if (type === "Header") {
    if (ms !== undefined)
      return { field: "absoluteTimeout", message: "sessions of type Header have no time limit in Envoy" };
    if (backends > 1)
      return {
        field: "type",
        message: "a rule with several backendRefs can only have sessions of type Cookie",
      };
  }
  if (ms !== undefined && (ms === 0 || ms % 1000 !== 0))
    return { field: "absoluteTimeout", message: "must be whole seconds, at least 1s" };
  return undefined;
}

/**
 * Adds a session to each backend of a rule. The cookie of each backend of each rule has a name of its own: Envoy selects
 * the backend by the name, and the endpoint by the value. It stays the same when weights or other backends change.
 */
export function withSessions(
  backends: readonly Backend[],
  { fields, rule }: RuleSession,
  { route }: GatewayRouteContext,
  matched: PathMatch,
): readonly Backend[] {
  const { type, sessionName = "", absoluteTimeout, cookieConfig } = fields;
  const found = new Map<string, number>();
  return backends.map((backend): Backend => {
    const { namespace, service, port } = backend.cluster;
    const target = `${namespace}/${service}/${port}`;
    // A Service that the rule lists more than once has a session for each entry.
    const nth = found.get(target) ?? 0;
    found.set(target, nth + 1);
    const of = type === "Header" ? [route.ref, rule] : [route.ref, rule, `${target} ${nth}`];
    const id = formatDigest(digest(...of)).slice(0, 8);
    if (type === "Header") {
      const session: Session = { kind: "header", name: sessionName || `isoline-session-${id}` };
      return { ...backend, policies: { ...backend.policies, session } };
    }
    const session: Session = {
      kind: "cookie",
      name: `${sessionName || "isoline-session"}-${id}`,
      path: cookiePath(matched),
      ...(absoluteTimeout === undefined ? {} : { seconds: durationMs(absoluteTimeout) / 1000 }),
      ...(cookieConfig?.lifetimeType === "Permanent" ? {} : { isSessionCookie: true }),
    };
    return { ...backend, policies: { ...backend.policies, session } };
  });
}

/**
 * The path of a cookie for a match (GEP-1619): that of the match, of a regular expression the longest beginning of whole
 * segments without operators.
 */
export function cookiePath({ kind, value }: PathMatch): string {
  if (kind !== "regex" && /^[!#-+\-./0-:<-~]+$/.test(value)) return value;
  const [, literal = "", next = ""] = /^\^?((?:\/[A-Za-z0-9_~-]*)*)(.?)/s.exec(value) ?? [];
  if (kind === "regex" && value.includes("|")) return "/";
  // An operator such as `*` applies to the character before it.
  const certain = /[?*+{]/.test(next) ? literal.slice(0, -1) : literal;
  return certain.slice(0, next === "" ? undefined : certain.lastIndexOf("/")) || "/";
}

/**
 * The routes that keep clients at the backend of their session, before a route that selects one by weight. Only for
 * several backends.
 */
export function sessionRoutes(route: Route): readonly Route[] {
  const { action, match } = route;
  if (action.kind !== "forward" || action.backends.length + (action.lost ?? 0) < 2) return [route];
  const { lost: _, ...rest } = action;
  const kept = action.backends.flatMap((backend): readonly Route[] => {
    const { session } = backend.policies;
    if (!session) return [];
    const header = {
      name: "cookie",
      kind: "regex" as const,
      value: `(?:.*;\\s*)?${session.name}=.*`,
      invert: false,
      ignoreCase: false,
      treatMissingAsEmpty: false,
    };
    return [
      {
        ...route,
        match: { ...match, headers: [...match.headers, header] },
        action: { ...rest, backends: [{ ...backend, weight: 1 }] },
      },
    ];
  });
  return [...kept, route];
}

/** Cookies of a listener with TLS are sent over TLS only. */
export function secured(route: Route): Route {
  const { action } = route;
  if (action.kind !== "forward" || !action.backends.some(({ policies }) => policies.session)) return route;
  const backends = action.backends.map((backend): Backend => {
    const { session } = backend.policies;
    if (session?.kind !== "cookie") return backend;
    return { ...backend, policies: { ...backend.policies, session: { ...session, secure: true } } };
  });
  return { ...route, action: { ...action, backends } };
}
