import type { SettingsSpec } from "../../schema/settings.js";
import type { PathMatch } from "./match-types.js";

/** To Envoy, a path of slashes alone has one at either end. */
export const mergeSlashes = (path: string): string =>
  /^\/{2,}$/.test(path) ? "//" : path.replace(/\/{2,}/g, "/");

/** Escaped slashes and backslashes, which Envoy may be asked to treat apart. */
export const hasEscapedSlash = (path: string): boolean => /%(?:2f|5c)/i.test(path);
export const unescapeSlashes = (path: string): string => path.replace(/%2f/gi, "/").replace(/%5c/gi, "\\");

/** Whether text can be the path of a route: Envoy refuses a whole table for some that can't. */
export const isPath = (path: string): boolean => path.startsWith("/") && !notInPaths.test(path);
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const notInPaths = /[\u0000-\u0020\u007f?#]/;

/** A path without the slashes at its end; a regular expression would look at each slash of it many times. */
export function trimSlashes(path: string): string {
  let end = path.length;
  while (path[end - 1] === "/") end--;
  return path.slice(0, end);
}

/** A path of ours to send requests to: it begins with a slash, has no empty segments, and `.` and `..` are resolved. */
export const cleanPath = (path: string): string => resolveDots(`/${path}`.replace(/\/{2,}/g, "/"));

function resolveDots(path: string): string {
  const kept: string[] = [];
  const segments = path.split("/").slice(1);
  for (const [i, segment] of segments.entries()) {
    const last = i === segments.length - 1;
    if (segment === "..") kept.pop();
    if (segment !== "." && segment !== "..") kept.push(segment);
    else if (last) kept.push("");
  }
  return `/${kept.join("/")}`;
}

/** Segments of letters, digits and the like, as nearly all paths have: there is nothing to do to them. */
const plainPath = /^\/(?:[\w~-][\w.~-]*(?:\/|$))*$/;

/**
 * Resolves `.` and `..` (with path parameters, which go too), and escapes what is to be escaped and nothing else.
 * Undefined when Envoy refuses the path. The rules are those that Envoy 1.40 was seen to follow.
 */
export function normalizePath(path: string): string | undefined {
  if (plainPath.test(path)) return path;
  const bare = path.replace(/(?<=\/)(\.\.?);[^/]*/g, "$1");
  if (bare.includes("%00")) return undefined;
  return resolveDots(normalizeEscapes(bare.replaceAll("\\", "/")));
}

const unreserved = /^[A-Za-z0-9._~-]$/;
const noEscape = "\0";

/** A `%` that is no escape must not become one by what is decoded after it. */
const normalizeEscapes = (path: string): string =>
  path
    .replace(/%(?![0-9a-f]{2})/gi, noEscape)
    .replace(/["<>^`{|}]/g, encodeURIComponent)
    .replace(/%[0-9a-f]{2}/gi, (code) => {
      const character = String.fromCharCode(Number.parseInt(code.slice(1), 16));
      return unreserved.test(character) ? character : code;
    })
    .split(noEscape)
    .reduce((start, rest) => start + (/^[0-9a-f]{2}/i.test(rest) ? "%25" : "%") + rest);

/** Why a path can match no request, once Envoy has normalised that; undefined when it can. */
export function unreachablePath(
  { kind, value }: PathMatch,
  { escapedSlashes }: Pick<SettingsSpec, "escapedSlashes">,
): string | undefined {
  if (kind === "regex") return undefined;
  if (escapedSlashes !== "keep" && hasEscapedSlash(value))
    return `${JSON.stringify(value)} can never match: with escapedSlashes ${escapedSlashes} no path has %2f or %5c when Envoy looks for a route`;
  return normalizePath(value) === value
    ? undefined
    : `${JSON.stringify(value)} can never match: Envoy escapes and resolves paths (%41, {, .., ;) before it looks for a route`;
}
