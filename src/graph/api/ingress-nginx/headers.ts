import { canonicalHeader, headerNameProblem } from "../../../schema/header-names.js";
import type { SnippetEffect } from "../../../schema/nginx-snippet.js";
import { headerOf, type SnippetValue } from "../../../schema/nginx-snippet-values.js";
import type { HeadersPolicy } from "../../policies/header-values.js";
import type { NginxHostContext } from "./annotated-ingress.js";
import { clientAddress, literal } from "./header-formats.js";
import type { NginxLocation } from "./locations.js";
import { formatValue } from "./snippets.js";

type Header = { readonly name: string; readonly value: string };

/** The header policy of requests to the backend. */
export function requestHeaders(
  { of: { values } }: NginxLocation,
  secure: boolean,
  context: NginxHostContext,
  parts: {
    readonly rewritten: boolean;
    readonly remove: readonly string[];
    readonly snippet: readonly SnippetEffect[];
    readonly certificate: readonly Header[];
  },
): HeadersPolicy {
  const { options } = context.config;
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
  ];
  for (const { name, value } of all) set.set(canonicalHeader(name), value);
  const remove = new Set(["Proxy", ...parts.remove].map(canonicalHeader));
  const add = applySnippet(parts.snippet, { set, remove }, { host: context.alias ?? context.host, secure });
  const host = values["upstream-vhost"];
  return {
    set: sorted(set),
    ...(add.length > 0 ? { add } : {}),
    remove: unique([...remove]),
    ...(host ? { host } : {}),
  };
}

/** Applies the request headers of a snippet to those that ingress-nginx sets itself. Returns headers to add. */
function applySnippet(
  snippet: readonly SnippetEffect[],
  { set, remove }: { readonly set: Map<string, string>; readonly remove: Set<string> },
  place: Parameters<typeof formatValue>[1],
): readonly Header[] {
  const usual = new Set([...set.keys(), ...alwaysSent]);
  const add: Header[] = [];
  for (const effect of snippet) {
    if (effect.kind === "remove-request") remove.add(canonicalHeader(effect.name));
    if (effect.kind !== "set-request") continue;
    const name = canonicalHeader(effect.name);
    if (isOwnValue(effect.value, name)) remove.delete(name);
    // nginx sends a header that it sets anyway once more.
    else if (usual.has(name)) add.push({ name, value: formatValue(effect.value, place) });
    else {
      set.set(name, formatValue(effect.value, place));
      // Without a value the header is absent, whatever the client sent.
      if (effect.value.some((part) => "variable" in part)) remove.add(name);
    }
  }
  return add;
}

/** Headers that ingress-nginx sends to every backend beside those that are set above. */
const alwaysSent = new Set(["X-Request-Id", "X-Original-Forwarded-For", "X-Original-Forwarded-Host"]);

/** Whether a value is that of the same header of the request. */
function isOwnValue([part, ...rest]: SnippetValue, name: string): boolean {
  return (
    rest.length === 0 &&
    part !== undefined &&
    "variable" in part &&
    canonicalHeader(headerOf(part.variable) ?? "") === name
  );
}

const year = 31_536_000;

/** The header policy of every response, including those that Envoy generates. */
export function responseHeaders(
  secure: boolean,
  { config: { options }, host, alias }: NginxHostContext,
  parts: { readonly more: readonly Header[]; readonly snippet: readonly SnippetEffect[] },
): HeadersPolicy {
  const set = new Map<string, string>();
  if (secure && options.hsts !== false) {
    const subdomains = options["hsts-include-subdomains"] === false ? "" : "; includeSubDomains";
    const preload = options["hsts-preload"] ? "; preload" : "";
    const age = options["hsts-max-age"] ?? year;
    set.set("Strict-Transport-Security", `max-age=${age}${subdomains}${preload}`);
  }
  for (const { name, value } of parts.more) set.set(canonicalHeader(name), value);
  const add: Header[] = [];
  const remove: string[] = [...(options["hide-headers"] ?? [])];
  for (const effect of parts.snippet) {
    if (effect.kind === "remove-response") remove.push(effect.name);
    if (effect.kind !== "set-response") continue;
    const name = canonicalHeader(effect.name);
    const value = formatValue(effect.value, { host: alias ?? host, secure });
    if (effect.replaces) set.set(name, value);
    else add.push({ name, value });
  }
  return { set: sorted(set), ...(add.length > 0 ? { add } : {}), remove: unique(remove) };
}

const sorted = (set: ReadonlyMap<string, string>): readonly Header[] =>
  [...set].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => ({ name, value }));

const unique = (names: readonly string[]): readonly string[] =>
  [...new Set(names.map(canonicalHeader))].filter((name) => headerNameProblem(name) === undefined).sort();
