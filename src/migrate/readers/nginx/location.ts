import { partOf } from "../../conversion.js";
import type { SourceBackend, SourcePart } from "../../model.js";
import type { IngressAnnotations, IngressPath } from "../ingress-rules.js";

/** A second Service of a path, and which requests it gets. */
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

/** What is known of a host before its paths are converted. */
export interface NginxHost {
  readonly host: string;
  readonly hasTls: boolean;
  /** An Ingress restricts all of it in a way that can't be kept. */
  readonly isClosed: boolean;
  /** All paths are regular expressions, in any case of letters. */
  readonly isRegex: boolean;
  /** Of a host in that mode: all paths have a form that a prefix says as well. */
  readonly isUsual: boolean;
  readonly locations: readonly Location[];
}

export const partsOf = ({ object, field, canary }: Location): SourcePart[] => [
  partOf(object, field),
  ...(canary ? [canary.part] : []),
];

/** Exact before the others, longer text first; of a host in regex mode longer text first. */
export const precedenceOf = ({ path, type }: Location, { isRegex }: NginxHost): number =>
  (type === "Exact" && !isRegex ? -100_000 : 0) - path.length;
