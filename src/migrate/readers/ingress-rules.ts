import type { Conversion } from "../conversion.js";
import type { Field } from "../field.js";
import type { Name, SourceBackend, SourcePart } from "../model.js";
import { annotationOf, type SourceObject } from "../source.js";
import { carried, changed, ignored, type KindTable } from "../table.js";

/** A path of a rule of an Ingress. */
export interface IngressPath {
  readonly object: SourceObject;
  /** Lower case; `*` is any host. */
  readonly host: string;
  readonly path: string;
  readonly type: "Exact" | "Prefix" | "ImplementationSpecific";
  /** Undefined if the path names no Service. */
  readonly backend: SourceBackend | undefined;
  readonly field: Field;
}

export const ingressFields: KindTable["fields"] = {
  "spec.ingressClassName": ignored,
  "spec.defaultBackend": carried,
  "spec.backend": carried,
  "spec.tls[].hosts": carried,
  "spec.tls[].secretName": carried,
  "spec.rules[].host": carried,
  "spec.rules[].http.paths[].path": carried,
  "spec.rules[].http.paths[].pathType": carried,
  "spec.rules[].http.paths[].backend": carried,
  "spec.rules[].http.paths[].backend.resource": changed(
    "only Services are backends: the path answers 503",
    "warning",
  ),
};

export const classAnnotation = "kubernetes.io/ingress.class";

/** The class of an Ingress; empty if it has none. */
export const classOf = ({ root }: SourceObject): string =>
  root.at("spec", "ingressClassName").text() ??
  root.at("metadata", "annotations", classAnnotation).text() ??
  "";

export const isIngress = ({ kind, group }: SourceObject): boolean =>
  kind === "Ingress" && (group === "networking.k8s.io" || group === "extensions");

/**
 * Whether an Ingress belongs to a peer: by its class, or without a class by annotations of the peer or the option
 * `--from`.
 */
export function isOfPeer(
  object: SourceObject,
  {
    peer,
    prefixes,
    from,
    classes,
  }: { peer: string; prefixes: readonly string[]; from: string | undefined; classes: readonly string[] },
): boolean {
  if (!isIngress(object)) return false;
  const own = classOf(object);
  if (own !== "") return own === peer || (from === peer && classes.includes(own));
  const names = annotationNames(object);
  return from === peer || names.some((name) => prefixes.some((prefix) => name.startsWith(prefix)));
}

const annotationNames = ({ root }: SourceObject): string[] =>
  root
    .at("metadata", "annotations")
    .entries()
    .map(([name]) => name);

export function ingressPaths(object: SourceObject): IngressPath[] {
  return object.root
    .at("spec", "rules")
    .items()
    .flatMap((rule) => {
      const host = rule.at("host").text()?.toLowerCase() || "*";
      return rule
        .at("http", "paths")
        .items()
        .map((field): IngressPath => {
          const type = field.at("pathType").text();
          return {
            object,
            host,
            path: field.at("path").text() || "/",
            type: type === "Exact" || type === "Prefix" ? type : "ImplementationSpecific",
            backend: backendOf(object, field.at("backend")),
            field,
          };
        });
    });
}

/** The hosts of all rules, including rules without paths. */
export const ruleHosts = (object: SourceObject): string[] =>
  object.root
    .at("spec", "rules")
    .items()
    .map((rule) => rule.at("host").text()?.toLowerCase() || "*");

export function backendOf(object: SourceObject, field: Field): SourceBackend | undefined {
  const service = field.at("service");
  const name = service.at("name").text() ?? field.at("serviceName").text();
  const port =
    service.at("port", "number").number() ??
    service.at("port", "name").text() ??
    field.at("servicePort").port();
  field.use();
  return name === undefined || port === undefined
    ? undefined
    : { namespace: object.namespace, name, port: numberOf(port) };
}

const numberOf = (port: number | string): number | string =>
  typeof port === "string" && /^\d+$/.test(port) ? Number(port) : port;

export const defaultBackendOf = (object: SourceObject): SourceBackend | undefined =>
  backendOf(object, object.root.at("spec", "defaultBackend")) ??
  backendOf(object, object.root.at("spec", "backend"));

/** The certificate Secret of each host in `spec.tls`. */
export function tlsHosts(
  object: SourceObject,
): Map<string, { readonly secret: Name | undefined; readonly field: Field }> {
  const hosts = new Map<string, { readonly secret: Name | undefined; readonly field: Field }>();
  for (const field of object.root.at("spec", "tls").items()) {
    const name = field.at("secretName").text();
    const secret = name ? { namespace: object.namespace, name } : undefined;
    for (const host of field.at("hosts").texts()) {
      const lower = host.toLowerCase();
      if (!hosts.has(lower)) hosts.set(lower, { secret, field });
    }
  }
  return hosts;
}

/** Adds sites for the hosts of rules that have a certificate. The first Ingress with a certificate for a host wins. */
export function addSites(object: SourceObject, conversion: Conversion, done: Set<string>): void {
  const named = tlsHosts(object);
  for (const host of new Set(ruleHosts(object))) {
    const found = named.get(host);
    if (!found?.secret || done.has(host)) continue;
    done.add(host);
    conversion.sites.push({
      part: { object, path: found.field.pathText },
      host,
      tls: { kind: "terminate", secret: found.secret },
    });
  }
}

/** Values for all objects, from another object. */
export interface AnnotationDefaults {
  readonly object?: SourceObject;
  defaultOf(annotation: string): Field | undefined;
}

/** The annotations of an object that have one prefix, with defaults for annotations that it lacks. */
export class IngressAnnotations {
  constructor(
    private readonly object: SourceObject,
    private readonly prefix: string,
    private readonly defaults?: AnnotationDefaults,
  ) {}

  /** Undefined if the annotation is absent or empty, and has no default. */
  text(name: string): string | undefined {
    return this.#own(name) ?? (this.defaults?.defaultOf(name)?.text()?.trim() || undefined);
  }

  #own(name: string): string | undefined {
    return annotationOf(this.object, `${this.prefix}${name}`).text()?.trim() || undefined;
  }

  /** Parses the value in the same way as Go's ParseBool. */
  flag(name: string): boolean | undefined {
    const text = this.text(name);
    if (text !== undefined && /^(?:1|t|T|TRUE|true|True)$/.test(text)) return true;
    return text !== undefined && /^(?:0|f|F|FALSE|false|False)$/.test(text) ? false : undefined;
  }

  number(name: string): number | undefined {
    const text = this.text(name);
    return text !== undefined && /^[+-]?\d+$/.test(text) ? Number(text) : undefined;
  }

  list(name: string): string[] {
    return (this.text(name) ?? "")
      .split(",")
      .map((one) => one.trim())
      .filter((one) => one !== "");
  }

  /** The place of the value: the annotation, or the default that applies in its place. */
  partOf(name: string): SourcePart {
    const { object } = this.defaults ?? {};
    const usual = this.#own(name) === undefined ? this.defaults?.defaultOf(name) : undefined;
    return object && usual?.given
      ? { object, path: usual.pathText }
      : { object: this.object, path: annotationOf(this.object, `${this.prefix}${name}`).pathText };
  }
}
