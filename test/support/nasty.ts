import type { Manifest } from "./backend.js";

/** A seeded generator of numbers in [0, 1) (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const big = "x".repeat(20_000);

/** Values that Envoy refuses (some with the whole table) or that it should never receive. */
export const nastyValues: readonly unknown[] = [
  // Regexes that are not RE2, too large, or not one line of text.
  ...[
    "(?=a)b",
    "(a)\\1",
    "/a{1001}",
    "((a{100}){100}){100}",
    "[",
    "*a",
    "/\\u0041",
    "/\\C",
    `/(?:${"a|".repeat(3000)}b)`,
  ],
  // Header values and names.
  ...[
    "a\r\nx: y",
    "a\nb",
    "a\0b",
    big,
    "100%",
    "%NOPE%",
    "%FILE_CONTENT(/etc/passwd)%",
    "%ENVIRONMENT(HOME)%",
  ],
  ...[
    "%REQ(authorization)%",
    "%DYNAMIC_METADATA(a:b)%",
    "host",
    "Host",
    ":path",
    ":authority",
    "content-length",
  ],
  ...["transfer-encoding", "connection", "a b", "ä", "", " ", "\t", "\u2028", "\ud800", "\u0000"],
  // Hosts.
  ...[
    "*",
    "*.*.test",
    "a.*.test",
    "*.test",
    "A.Test",
    "bücher.test",
    "a b.test",
    "a.test.",
    "-a.test",
    "a..b",
    "a:80",
  ],
  // Paths, rewrites and redirects.
  ...[
    "no-slash",
    "/a\0b",
    "/a?b=c",
    "/a#b",
    "//",
    "/..",
    "/%2f",
    "/a b",
    "javascript:alert(1)",
    "//evil.test",
    "/a\r\nb",
  ],
  // Durations and numbers, also as text.
  ...["-1s", "5m", "1e12s", "infinity", "0s", "1000000h", "1.5.5s", "s", "1 s", "99999999999999999999s"],
  ...[-1, 0, 1, 99, 600, 65_535, 65_536, 70_000, 4_294_967_295, 4_294_967_296, 2 ** 53, -0.5, 1e308],
  // Names and references.
  ...["../x", "a/b/c", "__proto__", "constructor", "toString", "hasOwnProperty", "other/secret", "nowhere"],
  ...["bogus", "5xx", "gateway-error,,", "application/json", "$HOME", "{{x}}", "$(id)", "`id`", "\\9"],
  // Addresses.
  ...[
    "10.0.0.0/33",
    "::/129",
    "300.1.1.1",
    "127.1",
    "0x7f.1",
    "169.254.169.254",
    "::ffff:127.0.0.1",
    "localhost",
  ],
  // Other types.
  ...[null, true, false, [], {}, [[]], [null], { a: 1 }, [""], [{}], "true", "1"],
];

const isContainer = (value: unknown): value is Record<string, unknown> | unknown[] =>
  typeof value === "object" && value !== null;

/** Every place inside a value, as its container and key. */
function places(
  value: unknown,
  found: [Record<string, unknown>, string][] = [],
): [Record<string, unknown>, string][] {
  if (!isContainer(value)) return found;
  for (const [key, inner] of Object.entries(value)) {
    found.push([value as Record<string, unknown>, key]);
    places(inner, found);
  }
  return found;
}

/**
 * A copy of an object with one to three values in its `spec` or `data` replaced by nasty ones, duplicated or removed.
 */
export function mutate(object: Manifest, next: () => number): Manifest {
  const copy = structuredClone(object) as Record<string, unknown>;
  const times = 1 + Math.floor(next() * 3);
  for (let i = 0; i < times; i++) {
    const all = [
      ...places(copy.spec),
      ...places(copy.data),
      ...places(copy.endpoints),
      ...places(copy.ports),
    ];
    const [container, key] = all[Math.floor(next() * all.length)] ?? [];
    if (!container || key === undefined) return copy;
    const how = next();
    if (how < 0.8) container[key] = structuredClone(nastyValues[Math.floor(next() * nastyValues.length)]);
    else if (how < 0.9) delete container[key];
    else if (Array.isArray(container[key]))
      container[key] = [...(container[key] as unknown[]), ...(container[key] as unknown[])];
    else container[`${key}2`] = container[key];
  }
  return copy;
}
