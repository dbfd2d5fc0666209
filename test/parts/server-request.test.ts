import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { RequestError, readDiscoveryRequest } from "../../src/server/request.js";
import { fc } from "../support/fast-check.js";

const real = readFileSync(new URL("../support/discovery-request.json", import.meta.url), "utf8");
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const padding = `"padding":"${"x".repeat(6000)}"`;

type Read =
  | { node: string; version: string; names: unknown[]; envoy?: { major: number; minor: number } }
  | "refused";

/** The release that a real request names; damaged, it may be any number. */
function envoyOf(node: unknown): Pick<Exclude<Read, "refused">, "envoy"> {
  type Build = {
    user_agent_build_version?: { version?: { major_number?: unknown; minor_number?: unknown } };
  };
  const { major_number: major, minor_number: minor } =
    (node as Build | undefined)?.user_agent_build_version?.version ?? {};
  const isNumber = (value: unknown): value is number => Number.isInteger(value) && (value as number) < 10_000;
  return isNumber(major) && isNumber(minor) ? { envoy: { major, minor } } : {};
}

/** What JSON.parse makes of a request; "refused" when a field is not of its type. */
function whole(text: string): Read {
  const value = JSON.parse(text) as Record<string, unknown>;
  const node = value.node as { id?: unknown } | undefined;
  const id = typeof node === "object" && node !== null && !Array.isArray(node) ? (node.id ?? "") : "";
  const { version_info: version = "", resource_names: names = [] } = value;
  const good = typeof id === "string" && typeof version === "string" && Array.isArray(names);
  if (!good || names.some((name) => typeof name !== "string")) return "refused";
  return { node: id as string, version: version as string, names, ...envoyOf(node) };
}

function read(text: string): Read {
  try {
    return readDiscoveryRequest(bytes(text)) as Read;
  } catch (error) {
    if (error instanceof RequestError) return "refused";
    throw error;
  }
}

describe("reading a request from its ends", () => {
  it.each([
    ["a second version_info", `"version_info":"2"`],
    ["a second node", `"node":{"id":"b"}`],
    ["names that are not next to the end", `"resource_names":["z"],"x":{}`],
    ["a version with an escaped name", `"version\\u005finfo":"2","x":{}`],
    ["fields of the same names deeper", `"x":{"version_info":"2","resource_names":["z"]}`],
    ["a brace in a string", `"x":"}","y":{}`],
  ])("reads what JSON.parse reads, with %s", (_, members) => {
    for (const front of ["", `"version_info":"1",`]) {
      for (const names of ["", `"resource_names":["a"],`]) {
        const text = `{${front}"node":{"id":"a",${padding}},${members},${names}"type_url":"t"}`;
        expect(read(text)).toEqual(whole(text));
      }
    }
  });

  it("takes the last id of a node that has two, as JSON.parse does", () => {
    const text = `{"node":{"id":"a","id":"b",${padding}},"type_url":"t"}`;
    expect(read(text)).toEqual({ node: "b", version: "", names: [] });
  });

  it("reads what JSON.parse reads, whatever the members, their order and number", () => {
    const text = fc.oneof(
      fc.constantFrom("a", "}", '"', "\\", "},", '"version_info":"x"', "é", "\u2028", "a}", "]"),
      fc.string({ maxLength: 6 }).filter((s) => !/\p{Cc}/u.test(s)),
    );
    const value = fc.oneof(
      text,
      fc.array(text, { maxLength: 3 }),
      fc.record({ id: text, version_info: text }, { requiredKeys: [] }),
      fc.constantFrom(null, 1, true),
    );
    const name = fc.constantFrom("version_info", "node", "resource_names", "type_url", "id", "x");
    const proper = fc.oneof(
      fc.tuple(fc.constant("version_info"), text),
      fc.tuple(
        fc.constant("node"),
        text.map((id) => ({ id, padding: "x".repeat(6000) })),
      ),
      fc.tuple(fc.constant("resource_names"), fc.array(text, { maxLength: 3 })),
      fc.tuple(fc.constant("type_url"), text),
    );
    const member = fc.oneof(
      { weight: 4, arbitrary: proper },
      { weight: 1, arbitrary: fc.tuple(name, value) },
    );
    const spaces = fc.constantFrom("", " ", "\n");
    const space = fc.array(spaces, { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(member, { maxLength: 7 }), space, (members, [a, b, c, d]) => {
        const first = `"node":{"id":"n",${padding}}`;
        const rest = members.map(([key, v]) => `${JSON.stringify(key)}${a}:${b}${JSON.stringify(v)}`);
        const body = `{${[first, ...rest].join(`${c},`)}${d}}`;
        expect(read(body)).toEqual(whole(body));
      }),
      { numRuns: 2000 },
    );
  });

  it("reads what JSON.parse reads, or refuses, when a real request is damaged", () => {
    const ends = fc.oneof(fc.nat(1200), fc.integer({ min: real.length - 300, max: real.length }));
    fc.assert(
      fc.property(
        ends,
        fc.nat(8),
        fc.constantFrom("", '"', "{", "}", ",", "\\", '"id":"b",'),
        (at, cut, put) => {
          const text = real.slice(0, at) + put + real.slice(at + cut);
          let expected: Read | undefined;
          try {
            expected = whole(text);
          } catch {
            return;
          }
          expect(read(text)).toEqual(expected);
        },
      ),
      { numRuns: 500 },
    );
  });
});
