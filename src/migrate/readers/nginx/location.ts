import { partOf } from "../../conversion.js";
import type { SourceBackend, SourcePart } from "../../model.js";
import type { IngressAnnotations, IngressPath } from "../ingress-rules.js";
import type { NginxConfig } from "./config-map.js";

/** A second Service of a path, and the conditions for its requests. */
export interface Canary {
  readonly part: SourcePart;
  readonly backend: SourceBackend | undefined;
  readonly header?: string;
  readonly value?: string;
  readonly pattern?: string;
  readonly cookie?: string;
  readonly weight: number;
  readonly total: number;
}

/** A path of a host, with the canary that shares it. */
export interface Location extends IngressPath {
  readonly annotations: IngressAnnotations;
  readonly canary?: Canary;
  /** The path `/` that nginx adds to a host without one. */
  readonly isAdded?: true;
}

/** The properties of a host that are determined before its paths are converted. */
export interface NginxHost {
  readonly host: string;
  readonly config: NginxConfig;
  readonly hasTls: boolean;
  /** Whether an Ingress restricts the whole host in a way that cannot be converted. */
  readonly isClosed: boolean;
  /** Whether the host is in regex mode: all its paths are case-insensitive regular expressions. */
  readonly isRegex: boolean;
  /** In regex mode: whether prefixes can express all paths. */
  readonly isUsual: boolean;
  readonly locations: readonly Location[];
}

export const partsOf = ({ object, field, canary }: Location, { config }: NginxHost): SourcePart[] => [
  partOf(object, field),
  ...(canary ? [canary.part] : []),
  ...(config.object ? [partOf(config.object)] : []),
];

/** Exact paths first, then longer paths. In regex mode, longer paths first. */
export const precedenceOf = ({ path, type }: Location, { isRegex }: NginxHost): number =>
  (type === "Exact" && !isRegex ? -100_000 : 0) - path.length;
