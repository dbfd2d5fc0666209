import type { HttpConnectionManager, ScopedRouteConfiguration, TypedExtensionConfig } from "../gen/envoy.js";
import { configSource } from "./config-source.js";

/**
 * Route tables in parts, so that a change of one host sends a sixteenth. Which part a host is in does not depend on
 * other hosts: its four bits are parities, each of how many characters of the name are of one class. Envoy works out the
 * same by four regular expressions, which see each character once (CEL has neither arithmetic on text nor a hash),
 * notes it in a header before it looks for the route, and finds the part by that header (scoped routes).
 */
export const shardCount = 16;

/** The header that names the part; a client's own is overwritten, and backends do not get it. */
export const shardHeader = "x-isoline-shard";

/** Characters that flip a bit. Digits are coded in binary; letters in runs, as CEL takes only small expressions. */
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

/** The route table that a name is that of a part of; undefined: it is that of a whole one. */
export const tableOfPart = (name: string): string | undefined => /^(.+)\/[01]{4}$/.exec(name)?.[1];

const isEven = (i: number): string =>
  `request.host.matches('(?i)^([${others[i]}]|[${flipping[i]}][${others[i]}]*[${flipping[i]}])*(:|$)')`;

const value = (table: string): string =>
  `${table}/${flipping.map((_, i) => `%CEL(${isEven(i)}?'0':'1')%`).join("")}`;

/** What of a connection manager makes it find its routes in one table. */
export const wholeRoutes = (table: string): Pick<HttpConnectionManager, "rds"> => ({
  rds: { config_source: configSource, route_config_name: table },
});

/** The frame of a part of a route table; backends do not get the header that names it. */
export const partOf = (frame: string): string =>
  `${frame.slice(0, -1)},"request_headers_to_remove":${JSON.stringify([shardHeader])}}`;

/** What of a connection manager makes it find its routes in the parts of a table. */
export function scopedRoutes(
  table: string,
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
      rds_config_source: configSource,
      scoped_rds: { scoped_rds_config_source: configSource },
    },
  };
}

/** Tells Envoy which part of a table a value of the header stands for. */
export const shardScopes = (table: string): ReadonlyMap<string, ScopedRouteConfiguration> =>
  new Map(
    Array.from({ length: shardCount }, (_, shard) => {
      const name = shardName(table, shard);
      return [name, { name, route_configuration_name: name, key: { fragments: [{ string_key: name }] } }];
    }),
  );
