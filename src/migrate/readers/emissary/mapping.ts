import { quoteRegex } from "../../../graph/matches/order.js";
import { type Conversion, partOf } from "../../conversion.js";
import type { Field } from "../../field.js";
import {
  anyCasePrefix,
  exact,
  header,
  matchOf,
  method,
  methods,
  prefix,
  query,
  regex,
} from "../../matches.js";
import {
  type HeaderChanges,
  noFilters,
  type Redirect,
  type RouteFilters,
  type SourceBackend,
  type SourceBalancing,
  type SourceRewrite,
} from "../../model.js";
import { substitutionOf } from "../../rewrites.js";
import type { SourceObject } from "../../source.js";

export type MappingMatch = ReturnType<typeof matchOf>;

/** The match of a Mapping. `problem` describes what the match cannot express. */
export function mappingMatch(spec: Field): { match: MappingMatch; prefix: string; problem?: string } {
  const text = spec.at("prefix").text() ?? "/";
  const isRegex = spec.at("prefix_regex").flag() ?? false;
  const isExact = spec.at("prefix_exact").flag() ?? false;
  const anyCase = spec.at("case_sensitive").flag() === false;
  const headers = [
    ...valuesOf(spec.at("headers")).map(([name, value]) =>
      value === true ? header(name, "present") : header(name, "exact", value),
    ),
    ...spec
      .at("v2BoolHeaders")
      .texts()
      .map((name) => header(name, "present")),
    ...spec
      .at("regex_headers")
      .record()
      .map(([name, value]) => header(name, "regex", value)),
  ];
  const queries = [
    ...valuesOf(spec.at("query_parameters")).map(([name, value]) =>
      value === true ? query(name, "present") : query(name, "exact", value),
    ),
    ...spec
      .at("v2BoolQueryParameters")
      .texts()
      .map((name) => query(name, "present")),
    ...spec
      .at("regex_query_parameters")
      .record()
      .map(([name, value]) => query(name, "regex", value)),
  ];
  const asked = spec.at("method").text();
  const isPattern = spec.at("method_regex").flag() ?? false;
  const problem =
    asked !== undefined && (isPattern || !methods.includes(asked.toUpperCase()))
      ? `the method ${asked} can't be said`
      : undefined;
  if (asked !== undefined && problem === undefined) headers.push(method(asked));
  const path = isRegex
    ? regex(anyCase ? `(?i)${text}` : text)
    : anyCase
      ? isExact
        ? regex(`(?i)${quoteRegex(text)}`)
        : anyCasePrefix(text)
      : isExact
        ? exact(text)
        : prefix(text);
  return {
    match: matchOf(path, headers, queries),
    prefix: text,
    ...(problem === undefined ? {} : { problem }),
  };
}

/** Texts by name; `true` matches any value. */
const valuesOf = (field: Field): [string, string | true][] =>
  field.entries().flatMap(([name, value]): [string, string | true][] => {
    const found = value.use();
    if (found === true) return [[name, true]];
    const text = value.text();
    return text === undefined ? [] : [[name, text]];
  });

/** Parses `[http[s]://]NAME[.NAMESPACE][:PORT]`; undefined if it is no Service of the Kubernetes cluster. */
export function serviceOf(
  text: string,
  namespace: string,
): (SourceBackend & { readonly isTls: boolean; readonly port: number }) | undefined {
  const [, scheme, host = "", port] = /^(?:(https?):\/\/)?([^:/]+)(?::(\d+))?\/?$/.exec(text.trim()) ?? [];
  const [name = "", own = namespace, svc, ...rest] = host.split(".");
  const isService =
    svc === undefined || (svc === "svc" && (rest.length === 0 || rest.join(".") === "cluster.local"));
  if (!/^[a-z0-9-]+$/.test(name) || !isService) return undefined;
  const isTls = scheme === "https";
  return { namespace: own, name, port: Number(port ?? (isTls ? 443 : 80)), isTls };
}

/** The filters of the routes of a Mapping. */
export function mappingFilters(
  object: SourceObject,
  usualTimeout: number,
  hosts: readonly string[],
  conversion: Conversion,
): RouteFilters {
  const spec = object.root.at("spec");
  const note = (field: Field, message: string): void =>
    conversion.remark("warning", partOf(object, field), message, { hosts });
  const timeout = spec.at("timeout_ms").number() ?? usualTimeout;
  const idle = spec.at("idle_timeout_ms").number();
  const retryOn = spec.at("retry_policy", "retry_on").text();
  const perTry = spec.at("retry_policy", "per_try_timeout").text();
  const rewrite = rewriteOf(spec);
  const host = spec.at("host_rewrite").text();
  const cors = corsOf(spec.at("cors"));
  const balancing = balancingOf(spec.at("load_balancer"), (message) =>
    note(spec.at("load_balancer"), message),
  );
  const upgrades = spec.at("allow_upgrade").texts();
  return {
    ...noFilters(timeout === 0 ? "infinity" : `${timeout}ms`),
    ...(idle === undefined || idle === 0 ? {} : { idle: `${idle}ms` }),
    ...(retryOn
      ? {
          retry: {
            count: spec.at("retry_policy", "num_retries").number() ?? 1,
            on: retryOn.split(",").map((one) => one.trim()),
            ...(perTry === undefined ? {} : { perTry }),
          },
        }
      : {}),
    ...(rewrite ? { rewrite } : {}),
    ...(host === undefined ? {} : { host }),
    ...(cors ? { cors } : {}),
    ...(balancing ? { balancing } : {}),
    requestHeaders: headersOf(spec, "request"),
    responseHeaders: headersOf(spec, "response"),
    websockets: upgrades.includes("websocket") || (spec.at("use_websocket").flag() ?? false),
  };
}

/** By default, the prefix is removed. `regex_rewrite` has precedence over `rewrite`. */
function rewriteOf(spec: Field): SourceRewrite | undefined {
  const text = spec.at("rewrite").text();
  const own = spec.at("prefix").text() ?? "/";
  const regex = spec.at("regex_rewrite");
  if (regex.given) return substitutionOf(regex.at("pattern"), regex.at("substitution"));
  if (spec.at("prefix_regex").flag() || text === "") return undefined;
  const value = text ?? "/";
  if (value === own) return undefined;
  return {
    kind: spec.at("prefix_exact").flag() || spec.at("case_sensitive").flag() === false ? "full" : "prefix",
    value,
  };
}

/** A value is a text or an object with `append`; appending is the default. */
function headersOf(spec: Field, of: "request" | "response"): HeaderChanges {
  const set: [string, string][] = [];
  const add: [string, string][] = [];
  for (const [name, field] of spec.at(`add_${of}_headers`).entries()) {
    const inner = field.at("value");
    const value = inner.given ? inner.text() : field.text();
    if (value === undefined) continue;
    (field.at("append").flag() === false ? set : add).push([name, value]);
  }
  const removed = spec.at(`remove_${of}_headers`);
  const single = typeof removed.use() === "string" ? removed.text() : undefined;
  return { set, add, remove: single === undefined ? removed.texts() : [single] };
}

/** A list is a YAML list or a comma-separated text. */
const listOf = (field: Field): string[] =>
  typeof field.use() === "string" ? (field.text() ?? "").split(",").map((one) => one.trim()) : field.texts();

function corsOf(field: Field): RouteFilters["cors"] {
  if (!field.given) return undefined;
  const maxAge = field.at("max_age").text();
  const methodsOf = listOf(field.at("methods"));
  const cors = {
    allowOrigin: listOf(field.at("origins")),
    allowMethods: methodsOf.length > 0 ? methodsOf : ["GET"],
    allowHeaders: listOf(field.at("headers")),
    exposeHeaders: listOf(field.at("exposed_headers")),
    allowCredentials: field.at("credentials").flag() ?? false,
    ...(maxAge === undefined ? {} : { maxAge: `${Number(maxAge)}s` }),
  };
  return cors.allowOrigin.length > 0 ? cors : undefined;
}

function balancingOf(field: Field, note: (message: string) => void): SourceBalancing | undefined {
  const policy = field.at("policy").text();
  const headerName = field.at("header").text();
  const isSource = field.at("source_ip").flag() ?? false;
  const cookie = field.at("cookie").seen();
  if (headerName !== undefined) return { strategy: "RequestHash", hash: [{ header: headerName }] };
  if (isSource) return { strategy: "RequestHash", hash: [{ source: true }] };
  if (cookie) {
    note("the cookie is X-Contour-Session-Affinity for the path /; sessions are dealt anew");
    return { strategy: "Cookie" };
  }
  return policy === "least_request" ? { strategy: "WeightedLeastRequest" } : undefined;
}

export function redirectOf(spec: Field, match: MappingMatch): Redirect | undefined {
  if (!spec.at("host_redirect").flag()) return undefined;
  const service = spec.at("service").text() ?? "";
  const [, scheme, hostname = "", port] = /^(?:(https?):\/\/)?([^:/]+)(?::(\d+))?/.exec(service) ?? [];
  const whole = spec.at("path_redirect").text();
  const replaced = spec.at("prefix_redirect").text();
  return {
    ...(scheme === "http" || scheme === "https" ? { scheme } : {}),
    hostname,
    ...(port === undefined ? {} : { port: Number(port) }),
    status: spec.at("redirect_response_code").number() ?? 301,
    ...(whole === undefined
      ? replaced === undefined
        ? {}
        : {
            path: {
              kind: match.path.kind === "prefix" ? ("prefix" as const) : ("full" as const),
              value: replaced,
            },
          }
      : { path: { kind: "full" as const, value: whole } }),
  };
}
