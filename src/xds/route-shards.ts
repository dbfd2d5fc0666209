import type { HttpConnectionManager, ScopedRouteConfiguration, TypedExtensionConfig } from "../gen/envoy.js";
import type { PollTimes } from "../schema/polls.js";
import { configSource } from "./config-source.js";

/**
 * Route tables are sent in parts, so that a change of one host sends a sixteenth. The part of a host does not depend
 * on other hosts: it is a number of four bits, and each bit is the parity of the number of characters in one class.
 * Envoy computes the same number with four regular expressions, which visit each character once (CEL has neither
 * arithmetic on text nor a hash). It sets a header with the number before it selects the route, and selects the part
 * by that header (scoped routes).
 */
export const shardCount = 16;

/**
 * The header with the number of the part. It overwrites a header of the client, and is removed before a request goes
 * to a backend.
 */
export const shardHeader = "x-isoline-shard";

/**
 * Characters that flip a bit. Digits have a binary code; letters are in runs, because CEL accepts only small
 * expressions.
 */
const flipping = ["13579n-z", "2-36-7g-mt-z", "4-7d-fj-mq-sw-z", "89b-ce-fh-il-mo-pu-vy-z"];
const others = ["a-m02468._-", "a-fn-s014589._-", "a-cg-in-pt-v0-389._-", "adgjknq-twx0-7._-"];

/** The bits of each ASCII character of a host, as a number. */
const codes = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code).toLowerCase();
  return flipping.reduce((bits, set, i) => bits | (new RegExp(`[${set}]`).test(character) ? 1 << i : 0), 0);
});

const textOf = (shard: number): string => flipping.map((_, i) => (shard >> i) & 1).join("");

/** The part of an exact host name. */
export function shardOf(host: string): number {
  let bits = 0;
  for (let i = 0; i < host.length; i++) bits ^= codes[host.charCodeAt(i)] ?? 0;
  return bits;
}

/** The name of a part of a route table. */
export const shardName = (table: string, shard: number): string => `${table}/${textOf(shard)}`;

/** The route table of a part, by the name of the part; undefined for the name of a whole table. */
export const tableOfPart = (name: string): string | undefined => /^(.+)\/[01]{4}$/.exec(name)?.[1];

const isEven = (i: number): string =>
  `request.host.matches('(?i)^([${others[i]}]|[${flipping[i]}][${others[i]}]*[${flipping[i]}])*(:|$)')`;

const value = (table: string): string =>
  `${table}/${flipping.map((_, i) => `%CEL(${isEven(i)}?'0':'1')%`).join("")}`;

/** The fields of a connection manager that select one whole route table. */
export const wholeRoutes = (table: string, polls?: PollTimes): Pick<HttpConnectionManager, "rds"> => ({
  rds: { config_source: configSource(polls), route_config_name: table },
});

/** The JSON of a part of a route table without virtual hosts. It removes the part header from requests to backends. */
export const partOf = (frame: string): string =>
  `${frame.slice(0, -1)},"request_headers_to_remove":${JSON.stringify([shardHeader])}}`;

/** The fields of a connection manager that select the parts of a table. */
export function scopedRoutes(
  table: string,
  polls?: PollTimes,
): Pick<HttpConnectionManager, "scoped_routes" | "early_header_mutation_extensions"> {
  const noteShard: TypedExtensionConfig = {
    name: "envoy.http.early_header_mutation.header_mutation",
    typed_config: {
      "@type":
        "type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
      mutations: [
        {
          append: {
            header: { key: shardHeader, value: value(table) },
            append_action: "OVERWRITE_IF_EXISTS_OR_ADD",
          },
        },
      ],
    },
  };
  return {
    early_header_mutation_extensions: [noteShard],
    scoped_routes: {
      name: table,
      scope_key_builder: {
        fragments: [{ header_value_extractor: { name: shardHeader, index: 0, element_separator: "," } }],
      },
      rds_config_source: configSource(polls),
      scoped_rds: { scoped_rds_config_source: configSource(polls) },
    },
  };
}

/** The scopes of a table: the part for each value of the header. */
export const shardScopes = (table: string): ReadonlyMap<string, ScopedRouteConfiguration> =>
  new Map(
    Array.from({ length: shardCount }, (_, shard) => {
      const name = shardName(table, shard);
      return [name, { name, route_configuration_name: name, key: { fragments: [{ string_key: name }] } }];
    }),
  );
