import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findEnvoy } from "../../src/dev/envoy.js";
import { regexProgramSize } from "../../src/graph/matches/regex.js";
import { regexes } from "../support/regexes.js";

const folder = mkdtempSync(join(tmpdir(), "isoline-regex-"));
let envoy = "";
beforeAll(async () => {
  envoy = await findEnvoy((line) => process.stderr.write(`${line}\n`));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A configuration with which Envoy refuses every regular expression and reports the size of its program. */
const bootstrap = (regex: string): object => ({
  layered_runtime: { layers: [{ name: "a", static_layer: { "re2.max_program_size.error_level": 1 } }] },
  static_resources: {
    listeners: [
      {
        name: "a",
        address: { socket_address: { address: "127.0.0.1", port_value: 1 } },
        filter_chains: [
          {
            filters: [
              {
                name: "envoy.filters.network.http_connection_manager",
                typed_config: {
                  "@type":
                    "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                  stat_prefix: "a",
                  route_config: {
                    virtual_hosts: [
                      {
                        name: "a",
                        domains: ["*"],
                        routes: [{ match: { safe_regex: { regex } }, direct_response: { status: 200 } }],
                      },
                    ],
                  },
                },
              },
            ],
          },
        ],
      },
    ],
  },
});

function programSize(regex: string): number {
  const file = join(folder, "envoy.json");
  writeFileSync(file, JSON.stringify(bootstrap(regex)));
  const args = ["--mode", "validate", "-c", file, "-l", "error"];
  const { stderr } = spawnSync(envoy, args, { encoding: "utf8" });
  const size = /RE2 program size of (\d+)/.exec(stderr)?.[1];
  if (size === undefined) throw new Error(stderr);
  return Number(size);
}

describe("the program of a regular expression", () => {
  it.each(regexes)("is at most as large in Envoy as computed: %s", (regex) => {
    expect(programSize(regex)).toBeLessThanOrEqual(regexProgramSize(regex));
  });
});
