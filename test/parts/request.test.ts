import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import {
  maxRequestBytes,
  RequestError,
  readBody,
  readDiscoveryRequest,
  shortRequest,
} from "../../src/server/request.js";
import { fc } from "../support/fast-check.js";

const real = readFileSync(new URL("../support/discovery-request.json", import.meta.url));
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const post = (body: Uint8Array, encoding?: string): Request =>
  new Request("http://isoline.test/", {
    method: "POST",
    body: body as Uint8Array<ArrayBuffer>,
    ...(encoding ? { headers: { "content-encoding": encoding } } : {}),
  });

/** A request as large as a real one, so that it is scanned and not parsed. */
const withVersion = (version: string, names: readonly string[]) => ({
  ...(JSON.parse(real.toString()) as object),
  version_info: version,
  resource_names: names,
  type_url: "type.googleapis.com/envoy.config.cluster.v3.Cluster",
});

describe("readDiscoveryRequest", () => {
  it("reads what a real Envoy sends", () => {
    expect(readDiscoveryRequest(real)).toEqual({
      node: "test",
      version: "",
      names: [],
      envoy: { major: 1, minor: 40 },
    });
  });

  it("reads the same from the short form as from the whole", () => {
    const one = {
      node: "a",
      version: "1-b",
      names: ["c", "d"],
      envoy: { major: 1, minor: 36 },
      xdsCluster: "e.test:1",
    };
    for (const request of [one, readDiscoveryRequest(real), { node: "", version: "", names: [] }]) {
      const short = bytes(shortRequest(request));
      expect(readDiscoveryRequest(short)).toEqual(request);
      expect(short.length).toBeLessThan(300);
    }
  });

  it("reads the same from the ends as from the whole, whatever the text", () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.array(fc.string({ unit: "binary" })),
        fc.string(),
        (version, names, node) => {
          const value = { ...withVersion(version, names), node: { id: node, padding: "x".repeat(6000) } };
          const { type_url: url, node: described, ...rest } = value;
          const text = JSON.stringify({ node: described, ...rest, type_url: url });
          const parsed = JSON.parse(new TextDecoder().decode(bytes(text))) as typeof value;
          const expected = {
            node: parsed.node.id,
            version: parsed.version_info,
            names: parsed.resource_names,
          };
          const read = (): unknown => readDiscoveryRequest(bytes(text));
          if (version.length > 128 || /\p{Cc}/u.test(node)) expect(read).toThrow(RequestError);
          else expect(read()).toEqual(expected);
        },
      ),
    );
  });

  it.each([
    ["as Envoy writes it", `"cluster":"c","metadata":{"isoline":{"xds_cluster":"xds.test"}}`, "xds.test"],
    [
      "with spaces",
      `"cluster" : "c" , "metadata" : { "isoline" : { "xds_cluster" : "xds.test" } }`,
      "xds.test",
    ],
    ["beside other metadata", `"metadata":{"site":"x","isoline":{"xds_cluster":"xds.test"}}`, "xds.test"],
    ["of another kind", `"metadata":{"isoline":{"xds_cluster":7}}`, undefined],
    ["elsewhere in the node", `"cluster":"c","locality":{"isoline":{"xds_cluster":"xds.test"}}`, undefined],
    ["twice", `"metadata":{"isoline":{"xds_cluster":"a"}},"metadata":{"isoline":{"xds_cluster":"b"}}`, "b"],
  ])("reads the name of the xDS cluster %s", (_, fields, xdsCluster) => {
    const text = `{"node":{"id":"a",${fields},"p":"${"x".repeat(9000)}"},"type_url":"t"}`;
    expect(readDiscoveryRequest(bytes(text)).xdsCluster).toBe(xdsCluster);
  });

  it.each(["a b", 'a\\"b', "", "x".repeat(254), "é"])("refuses %j as the name of the xDS cluster", (name) => {
    const text = `{"node":{"id":"a","metadata":{"isoline":{"xds_cluster":"${name}"}}}}`;
    expect(() => readDiscoveryRequest(bytes(text))).toThrow(/xds_cluster/);
  });

  it("is not taken in by fields inside the node", () => {
    const text = `{"node":{"id":"a","metadata":{"x":{},"version_info":"no"},"p":"${"x".repeat(9000)}"},"type_url":"t"}`;
    expect(readDiscoveryRequest(bytes(text))).toEqual({ node: "a", version: "", names: [] });
  });

  it.each(["", "null", "[]", "{", '{"version_info":1}', '{"resource_names":"x"}', '{"node":{"id":"a\\nb"}}'])(
    "refuses %s with a request error",
    (text) => {
      expect(() => readDiscoveryRequest(bytes(text))).toThrow(RequestError);
    },
  );

  it("refuses more names than an Envoy asks for", () => {
    const names = Array.from({ length: 513 }, (_, i) => `n${i}`);
    expect(() => readDiscoveryRequest(bytes(JSON.stringify({ resource_names: names })))).toThrow(/512/);
  });
});

describe("readBody", () => {
  it("unpacks gzip", async () => {
    expect(await readBody(post(gzipSync(real), "gzip"))).toEqual(new Uint8Array(real));
  });

  it("ends a gzip bomb at the limit", async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    await expect(readBody(post(bomb, "gzip"))).rejects.toMatchObject({ status: 413 });
  });

  it("refuses what is too large, not gzip, or of another encoding", async () => {
    await expect(readBody(post(new Uint8Array(maxRequestBytes + 1)))).rejects.toMatchObject({ status: 413 });
    await expect(readBody(post(bytes("plain"), "gzip"))).rejects.toMatchObject({ status: 400 });
    await expect(readBody(post(bytes("x"), "br"))).rejects.toMatchObject({ status: 415 });
  });
});
