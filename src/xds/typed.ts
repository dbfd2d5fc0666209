import type { Any, HttpConnectionManager, Typed, TypeUrls } from "../gen/envoy.js";

/** A typed configuration if it has that type. */
export const typed = <U extends keyof TypeUrls>(config: Any | undefined, type: U): Typed<U> | undefined =>
  config?.["@type"] === type ? (config as Typed<U>) : undefined;

/** The configuration of an HTTP filter of a connection manager. */
export const httpFilter = <U extends keyof TypeUrls>(
  manager: HttpConnectionManager | undefined,
  name: string,
  type: U,
): Typed<U> | undefined =>
  typed(manager?.http_filters?.find((filter) => filter.name === name)?.typed_config, type);
