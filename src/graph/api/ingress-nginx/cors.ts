import type { HeaderMatch } from "../../matches/match-types.js";
import { quoteRegex } from "../../matches/order.js";
import { regexProblem } from "../../matches/regex.js";
import type { AnnotatedIngress } from "./annotated-ingress.js";

type Header = { readonly name: string; readonly value: string };

export interface NginxCors {
  /** Matches the allowed origins. Absent: all requests, with or without an `Origin` header. */
  readonly origin?: HeaderMatch;
  /** Headers of every response to such a request. */
  readonly headers: readonly Header[];
  /** Headers of the response to OPTIONS. */
  readonly preflight: readonly Header[];
}

const usual = {
  methods: "GET, PUT, POST, DELETE, PATCH, OPTIONS",
  headers:
    "DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization",
} as const;

/** Reads `enable-cors` and `cors-*`: the response headers that ingress-nginx adds, and its own response to OPTIONS. */
export function readCors(
  { values }: AnnotatedIngress,
  maxProgramSize: number,
): NginxCors | undefined | "too-large" {
  if (!values["enable-cors"]) return undefined;
  const entries = values["cors-allow-origin"] ?? ["*"];
  const isOpen = entries.includes("*");
  const patterns = entries.flatMap((entry) => originPattern(entry) ?? []);
  if (!isOpen && patterns.length === 0) return undefined;
  const origin = isOpen ? undefined : originMatch(patterns);
  if (origin && regexProblem(origin.value, maxProgramSize) !== undefined) return "too-large";
  const credentials = values["cors-allow-credentials"] ?? true;
  const headers: Header[] = [
    { name: "Access-Control-Allow-Origin", value: isOpen ? "*" : "%REQ(ORIGIN)%" },
    ...(credentials ? [{ name: "Access-Control-Allow-Credentials", value: "true" }] : []),
    ...(values["cors-expose-headers"]
      ? [{ name: "Access-Control-Expose-Headers", value: values["cors-expose-headers"] }]
      : []),
    { name: "Access-Control-Allow-Methods", value: values["cors-allow-methods"] ?? usual.methods },
    { name: "Access-Control-Allow-Headers", value: values["cors-allow-headers"]?.join(",") ?? usual.headers },
    { name: "Access-Control-Max-Age", value: String(values["cors-max-age"] ?? 1_728_000) },
  ];
  return {
    ...(origin ? { origin } : {}),
    headers,
    preflight: [...headers, { name: "Content-Type", value: "text/plain charset=UTF-8" }],
  };
}

const originMatch = (patterns: readonly string[]): HeaderMatch => ({
  name: "origin",
  kind: "regex",
  value: `(?i)(?:${patterns.join("|")})`,
  invert: false,
  ignoreCase: false,
  treatMissingAsEmpty: false,
});

/**
 * A regular expression for an origin; `*.` at the start of its host is one label. Undefined if the entry is no origin.
 */
function originPattern(entry: string): string | undefined {
  if (entry === "null") return "null";
  const [, scheme = "", any, rest = ""] =
    /^([a-z][a-z0-9+.-]*:\/\/)(\*\.)?([A-Za-z0-9.-]+(?::\d{1,5})?)$/i.exec(entry) ?? [];
  return rest === "" ? undefined : `${quoteRegex(scheme)}${any ? "[A-Za-z0-9-]+\\." : ""}${quoteRegex(rest)}`;
}
