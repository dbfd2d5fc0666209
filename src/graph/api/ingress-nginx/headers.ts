import { canonicalHeader, headerNameProblem, headerValueProblem } from "../../../schema/header-names.js";
import { readSnippet, type SnippetEffect } from "../../../schema/nginx-snippet.js";
import type { HeadersPolicy } from "../../policies/header-values.js";
import type { AnnotatedIngress, NginxHostContext, Notes } from "./annotated-ingress.js";
import type { NginxLocation } from "./locations.js";

type Header = { readonly name: string; readonly value: string };

/** Escapes text for Envoy's header format, so that it is sent unchanged. */
const literal = (text: string): string => text.replaceAll("%", "%%");
const clientAddress = "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%";

/** The effects of the configuration snippet of an Ingress. A directive that is not supported refuses its paths. */
export function snippetEffects(
  { values }: AnnotatedIngress,
  context: NginxHostContext,
  notes: Notes,
): readonly SnippetEffect[] {
  return effectsOf("configuration-snippet", values["configuration-snippet"], context, notes);
}

/** Envoy refuses a route table with a list of more than 1000 headers. */
const maxEffects = 200;

export function effectsOf(
  annotation: "configuration-snippet" | "server-snippet",
  text: string | undefined,
  { config }: NginxHostContext,
  notes: Notes,
): readonly SnippetEffect[] {
  if (text === undefined) return [];
  if (!config.options["allow-snippet-annotations"]) {
    notes.refuse(
      annotation,
      `${annotation} requires allow-snippet-annotations in the ConfigMap of ingress-nginx`,
      "NginxReferenceUnresolved",
    );
    return [];
  }
  const { effects, unknown } = readSnippet(text, annotation === "server-snippet");
  const wrong = effects.find(
    (one) => "name" in one && headerNameProblem(canonicalHeader(one.name)) !== undefined,
  );
  const value = effects.find((one) => "value" in one && headerValueProblem(one.value) !== undefined);
  if (unknown.length === 0 && !wrong && !value && effects.length <= maxEffects) return effects;
  if (effects.length > maxEffects)
    notes.refuse(annotation, `${annotation} has more than ${maxEffects} directives`);
  const what = unknown.length > 0 ? unknown.slice(0, 5).join(", ") : "a header that Envoy does not take";
  notes.refuse(
    annotation,
    `${annotation} has what Isoline does not read (${what}), which may restrict access`,
  );
  return effects;
}

/** The header policy of requests to the backend. */
export function requestHeaders(
  { of: { values } }: NginxLocation,
  secure: boolean,
  { config: { options } }: NginxHostContext,
  parts: {
    readonly rewritten: boolean;
    readonly remove: readonly string[];
    readonly snippet: readonly SnippetEffect[];
    readonly certificate: readonly Header[];
  },
): HeadersPolicy {
  const scheme = secure ? "https" : "http";
  const forwarded: readonly Header[] = options["use-forwarded-headers"]
    ? []
    : [
        { name: "X-Forwarded-Host", value: "%REQ(:AUTHORITY)%" },
        { name: "X-Forwarded-Port", value: secure ? "443" : "80" },
        { name: "X-Forwarded-Proto", value: scheme },
        { name: "X-Forwarded-Scheme", value: scheme },
        { name: "X-Scheme", value: scheme },
        ...(options["compute-full-forwarded-for"] ? [] : [{ name: "X-Forwarded-For", value: clientAddress }]),
      ];
  const prefix = values["x-forwarded-prefix"];
  const set = new Map<string, string>();
  const all: readonly Header[] = [
    { name: "X-Real-Ip", value: clientAddress },
    ...forwarded,
    ...(prefix && parts.rewritten ? [{ name: "X-Forwarded-Prefix", value: literal(prefix) }] : []),
    ...(options["proxy-add-original-uri-header"] ? [{ name: "X-Original-Uri", value: "%REQ(:PATH)%" }] : []),
    ...parts.certificate,
    ...valuesOf(parts.snippet, "set-request"),
  ];
  for (const { name, value } of all) set.set(canonicalHeader(name), value);
  const host = values["upstream-vhost"];
  return {
    set: sorted(set),
    remove: unique(["Proxy", ...parts.remove, ...namesOf(parts.snippet, "remove-request")]),
    ...(host ? { host } : {}),
  };
}

const year = 31_536_000;

/** The header policy of every response, including those that Envoy generates. */
export function responseHeaders(
  secure: boolean,
  { config: { options } }: NginxHostContext,
  parts: { readonly more: readonly Header[]; readonly snippet: readonly SnippetEffect[] },
): HeadersPolicy {
  const set = new Map<string, string>();
  if (secure && options.hsts !== false) {
    const subdomains = options["hsts-include-subdomains"] === false ? "" : "; includeSubDomains";
    const preload = options["hsts-preload"] ? "; preload" : "";
    const age = options["hsts-max-age"] ?? year;
    set.set("Strict-Transport-Security", `max-age=${age}${subdomains}${preload}`);
  }
  for (const { name, value } of [...parts.more, ...valuesOf(parts.snippet, "set-response")])
    set.set(canonicalHeader(name), value);
  return {
    set: sorted(set),
    remove: unique([...(options["hide-headers"] ?? []), ...namesOf(parts.snippet, "remove-response")]),
  };
}

const valuesOf = (
  effects: readonly SnippetEffect[],
  kind: "set-request" | "set-response",
): readonly Header[] =>
  effects.flatMap((one) => (one.kind === kind ? [{ name: one.name, value: literal(one.value) }] : []));

const namesOf = (
  effects: readonly SnippetEffect[],
  kind: "remove-request" | "remove-response",
): readonly string[] => effects.flatMap((one) => (one.kind === kind ? [one.name] : []));

const sorted = (set: ReadonlyMap<string, string>): readonly Header[] =>
  [...set].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => ({ name, value }));

const unique = (names: readonly string[]): readonly string[] =>
  [...new Set(names.map(canonicalHeader))].filter((name) => headerNameProblem(name) === undefined).sort();
