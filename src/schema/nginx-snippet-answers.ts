import { headerOf } from "./nginx-snippet-values.js";

/** A condition of `if`, or of `rewrite`. */
export interface SnippetCondition {
  /** `path`: the path without the query; `uri`: with it; `host`: without a port. */
  readonly subject: "path" | "uri" | "host" | "method" | "scheme" | { readonly header: string };
  /** A regular expression is to be found somewhere in the subject; one of a path has to match the whole path. */
  readonly is: "equal" | "matches";
  readonly value: string;
  readonly ignoreCase: boolean;
  readonly negate: boolean;
}

/** The target of a redirect. Absent parts are those of the request. */
export interface SnippetTarget {
  readonly scheme?: "http" | "https";
  readonly host?: string;
  readonly port?: number;
  /** A path without its query: the query of the request is dropped. */
  readonly path?: string;
  /** In place of `path`: what becomes of the path of the request, whose query stays. */
  readonly rewrite?: { readonly pattern: string; readonly substitution: string };
}

export interface SnippetAnswer {
  readonly status: number;
  readonly body?: string;
  readonly target?: SnippetTarget;
}

interface Read {
  readonly when: readonly SnippetCondition[];
  readonly answer: SnippetAnswer;
}

const redirects = new Set([301, 302, 303, 307, 308]);

/** Reads `return CODE [TEXT]`, `return CODE URL`, and `rewrite RE URL redirect|permanent`. */
export function readAnswer([directive, ...words]: readonly string[]): Read | undefined {
  if (directive === "rewrite") return readRewrite(words);
  if (directive !== "return" || words.length === 0 || words.length > 2) return undefined;
  const [first = "", second] = words;
  if (!/^\d{3}$/.test(first)) {
    const target =
      second === undefined && /^(?:https?:|\$scheme)/.test(first) ? readTarget(first) : undefined;
    return target && { when: [], answer: { status: 302, target } };
  }
  const status = Number(first);
  if (redirects.has(status)) {
    const target = second === undefined ? undefined : readTarget(second);
    return target && { when: [], answer: { status, target } };
  }
  // Envoy takes no status below 200; 444 closes the connection, and others below 400 are not for answers.
  if (status === 444 || status > 599 || (status >= 300 && status < 400) || status < 200) return undefined;
  if (second === undefined) return { when: [], answer: { status } };
  if (second.includes("$") || second.length > 4096) return undefined;
  return { when: [], answer: { status, body: second } };
}

const literalPath = /^\/[-._~A-Za-z0-9/%]*$/;

/** A URL with `$scheme`, `$host` and `$request_uri` at their usual places. */
function readTarget(text: string): SnippetTarget | undefined {
  const [, origin = "", rest = ""] =
    /^((?:https?|\$scheme):\/\/[^/$]*(?:\$(?:http_)?host)?(?::\d{1,5})?)?(.*)$/s.exec(text) ?? [];
  const found = origin === "" ? {} : readOrigin(origin);
  if (!found) return undefined;
  if (rest === "$request_uri") return origin === "" ? undefined : found;
  // Envoy always writes a path, and nginx writes none for a URL without one.
  return literalPath.test(rest) ? { ...found, path: rest } : undefined;
}

function readOrigin(text: string): SnippetTarget | undefined {
  const [, scheme = "", host = "", port] = /^(https?|\$scheme):\/\/(.*?)(?::(\d{1,5}))?$/.exec(text) ?? [];
  const isOwn = host === "$host" || host === "$http_host";
  if (!isOwn && !/^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(host)) return undefined;
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) return undefined;
  return {
    ...(scheme === "$scheme" ? {} : { scheme: scheme as "https" }),
    ...(isOwn ? {} : { host }),
    ...(port === undefined ? {} : { port: Number(port) }),
  };
}

function readRewrite([expression = "", target = "", flag, ...rest]: readonly string[]): Read | undefined {
  const isAbsolute = /^https?:\/\//.test(target);
  const status =
    flag === "permanent" ? 301 : flag === "redirect" || (flag === undefined && isAbsolute) ? 302 : 0;
  const path = pathExpression(expression);
  if (status === 0 || rest.length > 0 || path === undefined || target.includes("?")) return undefined;
  const [, origin = "", text = ""] = /^(https?:\/\/[^/$]*)?(.*)$/s.exec(target) ?? [];
  const found = origin === "" ? {} : readOrigin(origin);
  const substitution = text.replace(/\$(\d)/g, "\\$1");
  // A group at the start could make a path without a slash.
  if (!found || !/^(?:\/|\$1)(?:[-._~A-Za-z0-9/]|\$\d)*$/.test(text)) return undefined;
  if (substitution.startsWith("\\") && !/^\^?\(\//.test(expression)) return undefined;
  const when = { subject: "path", is: "matches", value: path, ignoreCase: false, negate: false } as const;
  return {
    when: [when],
    answer: { status, target: { ...found, rewrite: { pattern: `^${path}$`, substitution } } },
  };
}

/**
 * A regular expression that is to be found in a path, as one for the whole path. Undefined if it could match `?`, where
 * the query begins.
 */
export function pathExpression(expression: string): string | undefined {
  if (/\\[SWDBbAzZQEpPC]|\\x|\(\?|\|/.test(expression)) return undefined;
  const isStart = expression.startsWith("^");
  const isEnd = expression.endsWith("$") && !expression.endsWith("\\$");
  const inner = expression.slice(isStart ? 1 : 0, isEnd ? -1 : undefined);
  let isBounded = true;
  const bounded = inner.replace(
    /\\.|\[(\^?)([^\]]*)\]|[.^$]/gs,
    (all, not: string = "", members: string = "") => {
      if (all.startsWith("\\")) return all;
      if (all === ".") return "[^?]";
      isBounded &&= all.startsWith("[") && isPlainClass(members);
      return not === "^" ? `[^?${members}]` : all;
    },
  );
  return isBounded ? `${isStart ? "" : "[^?]*"}${bounded}${isEnd ? "" : "[^?]*"}` : undefined;
}

/** Whether a class consists of letters, digits, `_`, `/`, `.` and `-`, so that it has no `?`. */
const isPlainClass = (members: string): boolean =>
  /^[_/.A-Za-z0-9-]*$/.test(members.replace(/a-z|A-Z|0-9|a-f|A-F/g, "")) &&
  !/[^-]-[^-]/.test(members.replace(/a-z|A-Z|0-9|a-f|A-F/g, ""));

const operators: Readonly<Record<string, Pick<SnippetCondition, "is" | "ignoreCase" | "negate">>> = {
  "=": { is: "equal", ignoreCase: false, negate: false },
  "!=": { is: "equal", ignoreCase: false, negate: true },
  "~": { is: "matches", ignoreCase: false, negate: false },
  "~*": { is: "matches", ignoreCase: true, negate: false },
  "!~": { is: "matches", ignoreCase: false, negate: true },
  "!~*": { is: "matches", ignoreCase: true, negate: true },
};

/** Reads `if ($VARIABLE OPERATOR VALUE)`. */
export function readConditions([directive, ...words]: readonly string[]):
  | readonly SnippetCondition[]
  | undefined {
  const inner = withoutParentheses(words);
  const [variable = "", operator = "", value, ...rest] = inner ?? [];
  const subject = subjectOf(variable);
  const how = operators[operator];
  if (directive !== "if" || !subject || !how || value === undefined || rest.length > 0) return undefined;
  if (value.includes("$") && how.is === "equal") return undefined;
  if (subject !== "path" || how.is === "equal") return [{ subject, value, ...how }];
  const whole = pathExpression(value);
  return whole === undefined ? undefined : [{ subject, value: whole, ...how }];
}

/** `(` and `)` are words of their own, or part of the first and last word. */
function withoutParentheses(words: readonly string[]): readonly string[] | undefined {
  const [first = "", ...rest] = words;
  const last = rest.pop();
  if (!first.startsWith("(") || !last?.endsWith(")")) return undefined;
  return [first.slice(1), ...rest, last.slice(0, -1)].filter(
    (word, at, all) => word !== "" || (at > 0 && at < all.length - 1),
  );
}

const subjects: Readonly<Record<string, SnippetCondition["subject"]>> = {
  $uri: "path",
  $document_uri: "path",
  $request_uri: "uri",
  $host: "host",
  $request_method: "method",
  $scheme: "scheme",
};

function subjectOf(variable: string): SnippetCondition["subject"] | undefined {
  const header = variable.startsWith("$") ? headerOf(variable.slice(1).toLowerCase()) : undefined;
  return subjects[variable] ?? (header && header !== "host" ? { header } : undefined);
}
