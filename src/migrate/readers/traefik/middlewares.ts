import type { PathMatch } from "../../../graph/matches/match-types.js";
import { plainSubstitution } from "../../../graph/policies/path-rewrite.js";
import { type Conversion, partOf } from "../../conversion.js";
import type { Field } from "../../field.js";
import type { AccessRule, Cors, HeaderChanges, Redirect, SourcePart, SourceRewrite } from "../../model.js";
import { goSubstitution, withoutPrefixes, withoutPrefixRegex } from "../../rewrites.js";
import type { SourceObject } from "../../source.js";
import { middlewareTable } from "./table.js";

/** The effects of middlewares on a route. */
export interface AppliedMiddlewares {
  readonly parts: SourcePart[];
  readonly access: AccessRule[];
  readonly request: { set: [string, string][]; remove: string[] };
  readonly response: { set: [string, string][]; remove: string[] };
  rewrite?: SourceRewrite;
  redirect?: Redirect;
  cors?: Cors;
  retries?: number;
  host?: string;
  closed: boolean;
}

export interface MiddlewareRef {
  readonly name: string;
  readonly namespace: string;
  /** The place that names the middleware. */
  readonly part: SourcePart;
}

export const group = "traefik.io";

/** The route that middlewares are applied to. */
interface Target {
  readonly path: PathMatch;
  readonly hosts: readonly string[];
  readonly conversion: Conversion;
}

export function applyMiddlewares(refs: readonly MiddlewareRef[], target: Target): AppliedMiddlewares {
  const applied: AppliedMiddlewares = {
    parts: [],
    access: [],
    request: { set: [], remove: [] },
    response: { set: [], remove: [] },
    closed: false,
  };
  for (const ref of refs) applyRef(ref, target, applied, []);
  return applied;
}

function applyRef(
  ref: MiddlewareRef,
  target: Target,
  applied: AppliedMiddlewares,
  within: readonly SourceObject[],
): void {
  const { conversion, hosts } = target;
  const middleware = conversion.find(group, "Middleware", ref.namespace, ref.name);
  const problem = refProblem(ref, middleware, within);
  if (!middleware || problem) {
    applied.closed = true;
    const { message = "", todo = "" } = problem ?? {};
    conversion.remark("error", ref.part, `${message}; answered 503`, { hosts, closes: true, todo });
    return;
  }
  conversion.take(middleware, middlewareTable);
  applied.parts.push(partOf(middleware));
  for (const [kind, field] of middleware.root.at("spec").entries()) {
    if (kind === "chain")
      for (const one of field.at("middlewares").items())
        applyRef(refOf(one, middleware), target, applied, [...within, middleware]);
    else apply(kind, field, middleware, target, applied);
  }
}

function refProblem(
  { name, namespace }: MiddlewareRef,
  middleware: SourceObject | undefined,
  within: readonly SourceObject[],
): { message: string; todo: string } | undefined {
  if (name.includes("@"))
    return {
      message: `the middleware ${name} is of another provider`,
      todo: "write by hand what it does, and remove it from the source",
    };
  if (!middleware)
    return { message: `Middleware ${namespace}/${name} is not among the input`, todo: "give it, too" };
  return within.includes(middleware)
    ? { message: "a chain of middlewares comes back to itself", todo: "mend the source" }
    : undefined;
}

export const refOf = (field: Field, owner: SourceObject): MiddlewareRef => {
  field.use();
  return {
    name: field.at("name").text() ?? "",
    namespace: field.at("namespace").text() || owner.namespace,
    part: partOf(owner, field),
  };
};

function apply(
  kind: string,
  field: Field,
  owner: SourceObject,
  target: Target,
  applied: AppliedMiddlewares,
): void {
  switch (kind) {
    case "stripPrefix":
      stripPrefix(field.at("prefixes").texts(), target, applied, partOf(owner, field));
      return;
    case "addPrefix":
      addPrefix(field.at("prefix").text() ?? "", target, applied, partOf(owner, field));
      return;
    case "replacePath":
      applied.rewrite = { kind: "full", value: field.at("path").text() ?? "/" };
      return;
    case "replacePathRegex":
      replacePathRegex(field, target, applied, partOf(owner, field));
      return;
    case "stripPrefixRegex":
      stripPrefixRegex(field, target, applied, partOf(owner, field));
      return;
    case "redirectScheme":
      redirectScheme(field, applied);
      return;
    case "headers":
      headers(field, target, applied, partOf(owner, field));
      return;
    case "ipAllowList":
    case "ipWhiteList":
      addresses(field, target, applied, partOf(owner, field));
      return;
    case "retry":
      applied.retries = Math.max(0, (field.at("attempts").number() ?? 1) - 1);
      return;
    default:
      return;
  }
}

/** Removes the first prefix that the path has. */
function stripPrefix(
  prefixes: readonly string[],
  target: Target,
  applied: AppliedMiddlewares,
  part: SourcePart,
): void {
  const { kind, value } = target.path;
  const found = prefixes.find((prefix) => value.startsWith(prefix));
  const isPartial =
    kind === "regex" || (kind === "prefix" && prefixes.some((prefix) => prefix.startsWith(value)));
  if (!found && !isPartial) return;
  if (!found) {
    setRewrite(withoutPrefixes(prefixes), target, applied, part);
    target.conversion.remark("info", part, "X-Forwarded-Prefix is not set", { hosts: target.hosts });
    return;
  }
  const rest = value.slice(found.length);
  const left = rest.startsWith("/") ? rest : `/${rest}`;
  setRewrite({ kind: kind === "exact" ? "full" : "prefix", value: left }, target, applied, part);
  applied.request.set.push(["X-Forwarded-Prefix", found]);
}

function stripPrefixRegex(field: Field, target: Target, applied: AppliedMiddlewares, part: SourcePart): void {
  const [only = "", ...more] = field.at("regex").texts();
  setRewrite(more.length === 0 ? withoutPrefixRegex(only) : undefined, target, applied, part);
}

function replacePathRegex(field: Field, target: Target, applied: AppliedMiddlewares, part: SourcePart): void {
  const regex = field.at("regex").text() ?? "";
  setRewrite(goSubstitution(regex, field.at("replacement").text() ?? ""), target, applied, part);
}

/** Sets the only rewrite of a route: a second one would depend on the result of the first. */
function setRewrite(
  rewrite: SourceRewrite | undefined,
  { hosts, conversion }: Target,
  applied: AppliedMiddlewares,
  part: SourcePart,
): void {
  if (rewrite && !applied.rewrite) {
    applied.rewrite = rewrite;
    return;
  }
  applied.closed = true;
  const what = rewrite ? "a rewrite after another one" : "a rewrite by this regular expression";
  const todo = "let the backend take the whole path";
  conversion.remark("error", part, `${what} can't be said; answered 503`, { hosts, closes: true, todo });
}

function addPrefix(prefix: string, target: Target, applied: AppliedMiddlewares, part: SourcePart): void {
  const { kind, value } = target.path;
  const text = (prefix.startsWith("/") ? prefix : `/${prefix}`).replace(/\/$/, "");
  const { rewrite } = applied;
  if (rewrite?.kind === "regex" || (!rewrite && kind === "regex")) {
    const whole = { kind: "regex", regex: "^", replacement: plainSubstitution(text) } as const;
    setRewrite(whole, target, applied, part);
    return;
  }
  const isWhole = rewrite?.kind === "full" || kind === "exact";
  applied.rewrite = { kind: isWhole ? "full" : "prefix", value: `${text}${rewrite?.value ?? value}` };
}

function redirectScheme(field: Field, applied: AppliedMiddlewares): void {
  const scheme = field.at("scheme").text() === "http" ? "http" : "https";
  const port = Number(field.at("port").text() ?? "");
  const isPermanent = field.at("permanent").flag() ?? false;
  applied.redirect ??= {
    scheme,
    status: isPermanent ? 301 : 302,
    ...(Number.isInteger(port) && port > 0 && port !== 443 ? { port } : {}),
  };
}

/** Response headers by field. */
const securityHeaders = [
  ["customFrameOptionsValue", "X-Frame-Options"],
  ["customBrowserXSSValue", "X-XSS-Protection"],
  ["contentSecurityPolicy", "Content-Security-Policy"],
  ["contentSecurityPolicyReportOnly", "Content-Security-Policy-Report-Only"],
  ["referrerPolicy", "Referrer-Policy"],
  ["permissionsPolicy", "Permissions-Policy"],
] as const;

function headers(
  field: Field,
  { hosts, conversion }: Target,
  applied: AppliedMiddlewares,
  part: SourcePart,
): void {
  for (const [name, value] of field.at("customRequestHeaders").record()) {
    if (name.toLowerCase() === "host") applied.host = value;
    else addTo(applied.request, name, value);
  }
  for (const [name, value] of field.at("customResponseHeaders").record())
    addTo(applied.response, name, value);
  for (const [name, header] of securityHeaders) {
    const value = field.at(name).text();
    if (value) addTo(applied.response, header, value);
  }
  if (field.at("frameDeny").flag() && !field.at("customFrameOptionsValue").given)
    addTo(applied.response, "X-Frame-Options", "DENY");
  if (field.at("contentTypeNosniff").flag()) addTo(applied.response, "X-Content-Type-Options", "nosniff");
  if (field.at("browserXssFilter").flag()) addTo(applied.response, "X-XSS-Protection", "1; mode=block");
  const seconds = field.at("stsSeconds").number() ?? 0;
  const subdomains = field.at("stsIncludeSubdomains").flag() ? "; includeSubDomains" : "";
  const preload = field.at("stsPreload").flag() ? "; preload" : "";
  if (seconds > 0)
    addTo(applied.response, "Strict-Transport-Security", `max-age=${seconds}${subdomains}${preload}`);
  if (field.at("sslRedirect").flag()) applied.redirect ??= { scheme: "https", status: 301 };
  const allowed = field
    .at("allowedHosts")
    .texts()
    .map((host) => host.toLowerCase());
  const other = allowed.length > 0 ? hosts.find((host) => !allowed.includes(host)) : undefined;
  if (other !== undefined) {
    applied.closed = true;
    conversion.remark("error", part, `allowedHosts does not have ${other}; answered 503`, {
      hosts,
      closes: true,
    });
  }
  const cors = corsOf(field);
  if (cors) applied.cors = cors;
}

const addTo = (changes: { set: [string, string][]; remove: string[] }, name: string, value: string): void =>
  void (value === "" ? changes.remove.push(name) : changes.set.push([name, value]));

function corsOf(field: Field): Cors | undefined {
  const allowOrigin = [
    ...field.at("accessControlAllowOriginList").texts(),
    ...field.at("accessControlAllowOriginListRegex").texts(),
  ];
  const allowMethods = field.at("accessControlAllowMethods").texts();
  const allowHeaders = field.at("accessControlAllowHeaders").texts();
  const exposeHeaders = field.at("accessControlExposeHeaders").texts();
  const allowCredentials = field.at("accessControlAllowCredentials").flag() ?? false;
  const age = field.at("accessControlMaxAge").number();
  if (allowOrigin.length === 0) return undefined;
  return {
    allowOrigin,
    allowMethods: allowMethods.length > 0 ? allowMethods : ["GET", "POST", "HEAD"],
    allowHeaders,
    exposeHeaders,
    allowCredentials,
    ...(age === undefined ? {} : { maxAge: `${age}s` }),
  };
}

function addresses(
  field: Field,
  { hosts, conversion }: Target,
  applied: AppliedMiddlewares,
  part: SourcePart,
): void {
  const depth = field.at("ipStrategy", "depth").number() ?? 0;
  const ranges = field.at("sourceRange").texts();
  const full = (one: string): string => (one.includes("/") ? one : `${one}/${one.includes(":") ? 128 : 32}`);
  if (depth > 0)
    conversion.remark("warning", part, `the address is the one ${depth} from the right of X-Forwarded-For`, {
      hosts,
      todo: `set network.numTrustedHops: ${depth}`,
    });
  if (ranges.length === 0) {
    applied.closed = true;
    conversion.remark("error", part, "an empty list of addresses lets nobody in; answered 503", {
      hosts,
      closes: true,
    });
    return;
  }
  applied.access.push({
    part,
    kind: "addresses",
    allow: ranges.map(full),
    deny: [],
    source: depth > 0 ? "Remote" : "Peer",
  });
}

export const changesOf = ({ set, remove }: AppliedMiddlewares["request"]): HeaderChanges => ({
  set,
  add: [],
  remove,
});
