import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Any, Cluster } from "../../src/gen/envoy.js";
import { checkProto } from "../support/proto.js";

const CLUSTER = "envoy.config.cluster.v3.Cluster";
const TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext";

const tls = (members: object) => ({
  name: "a",
  transport_socket: { name: "tls", typed_config: { "@type": TLS, ...members } },
});

describe("src/gen/envoy.ts", () => {
  it("is the output of scripts/gen-xds.mjs for protos/", () => {
    const script = 'import { generate } from "./scripts/gen-xds.mjs"; process.stdout.write(generate());';
    const made = execFileSync(process.execPath, ["--input-type=module", "--eval", script], {
      cwd: new URL("../..", import.meta.url),
      encoding: "utf8",
      maxBuffer: 1 << 24,
    });
    expect(readFileSync(new URL("../../src/gen/envoy.ts", import.meta.url), "utf8") === made).toBe(true);
  });

  it("has the type of a Cluster that checkProto parses", () => {
    const typed_config: Any = { "@type": TLS, sni: "example.com" };
    const cluster: Cluster = {
      name: "a",
      type: "EDS",
      connect_timeout: "0.25s",
      per_connection_buffer_limit_bytes: 32_768,
      transport_socket: { name: "tls", typed_config },
    };
    expect(checkProto(CLUSTER, cluster)).toEqual([]);
  });

  it("refuses fields and values that Envoy does not have", () => {
    // @ts-expect-error: a misspelt field
    const field: Cluster = { conect_timeout: "1s" };
    // @ts-expect-error: a duration without its unit
    const duration: Cluster = { connect_timeout: "1" };
    // @ts-expect-error: a misspelt field inside an Any
    const inside: Any = { "@type": TLS, snii: "x" };
    for (const cluster of [field, duration, { transport_socket: { typed_config: inside } }]) {
      expect(checkProto(CLUSTER, cluster)).toHaveLength(1);
    }
  });
});

describe("checkProto", () => {
  it.each([
    ["a duration", { connect_timeout: "1.5s" }],
    ["an undefined member", { connect_timeout: undefined }],
    ["a wrapper", { per_connection_buffer_limit_bytes: 1 }],
    ["a Struct", { metadata: { filter_metadata: { "envoy.lb": { a: 1, b: [true, null] } } } }],
    ["an Any", tls({ sni: "x" })],
  ])("accepts %s", (_, cluster) => {
    expect(checkProto(CLUSTER, cluster)).toEqual([]);
  });

  it.each([
    ["a bad duration", { connect_timeout: "1500ms" }, /duration/i],
    ["a negative uint32", { per_connection_buffer_limit_bytes: -1 }, /-1/],
    ["an unknown enum value", { type: "NOPE" }, /NOPE/],
    ["an unknown field", { conect_timeout: "1s" }, /conect_timeout/],
    ["an unknown field in an Any", tls({ snii: "x" }), /snii/],
    ["two of a oneof", { type: "EDS", cluster_type: { name: "x" } }, /oneof|discovery/i],
  ])("refuses %s", (_, cluster, message) => {
    expect(checkProto(CLUSTER, cluster)).toEqual([expect.stringMatching(message)]);
  });
});
