import { isRecord } from "../schema/issues.js";
import { namespaceOf, type Ref, refOf } from "../schema/meta.js";
import type { KubeObject } from "../schema/object.js";

/** The ports of a Service that the objects of an input reference. */
export interface ReferencedPorts {
  readonly numbers: ReadonlySet<number>;
  readonly names: ReadonlySet<string>;
}

/** The references of the objects of an input. */
export interface References {
  /** The key is the ref of a Service. */
  readonly ports: ReadonlyMap<Ref, ReferencedPorts>;
  /** Secrets and ConfigMaps with CA certificates and revocation lists, and Services of ExtensionServices. */
  readonly restricting: ReadonlySet<Ref>;
}

interface Found {
  readonly ports: Map<Ref, { readonly numbers: Set<number>; readonly names: Set<string> }>;
  readonly restricting: Set<Ref>;
}

/**
 * Collects references by their form, which is the same in all kinds: a map with `name` and `port`, in its own `namespace`
 * or in the namespace of its object. Another map of this form is harmless: it only adds an unused port.
 */
export function referencesOf(objects: Iterable<KubeObject>): References {
  const found: Found = { ports: new Map(), restricting: new Set() };
  for (const object of objects)
    if (object.kind !== "Settings" && object.kind !== "Service") walk(object.spec, object, found);
  return found;
}

function walk(value: unknown, object: KubeObject, found: Found): void {
  if (Array.isArray(value)) for (const one of value) walk(one, object, found);
  if (!isRecord(value)) return;
  addService(value, object, found);
  for (const [key, child] of Object.entries(value)) {
    if (restrictingKeys.has(key) && typeof child === "string") addSecret(child, object, found);
    else if (key === "caCertificateRefs" && Array.isArray(child)) addAuthorities(child, object, found);
    else walk(child, object, found);
  }
}

const restrictingKeys: ReadonlySet<string> = new Set(["caSecret", "caCertificate", "crlSecret"]);

function addService(value: Readonly<Record<string, unknown>>, object: KubeObject, found: Found): void {
  const { name, port, healthPort, namespace } = value;
  if (typeof name !== "string" || port === undefined) return;
  const own = typeof namespace === "string" && namespace !== "" ? namespace : object.meta.namespace;
  const ref = refOf("Service", own, name);
  const ports = found.ports.get(ref) ?? { numbers: new Set(), names: new Set() };
  for (const one of [port, healthPort, ...(isRecord(port) ? [port.number, port.name] : [])])
    if (typeof one === "number") ports.numbers.add(one);
    else if (typeof one === "string" && one !== "") ports.names.add(one);
  found.ports.set(ref, ports);
  if (object.kind === "ExtensionService") found.restricting.add(ref);
}

function addSecret(text: string, object: KubeObject, { restricting }: Found): void {
  const [first = "", second] = text.split("/");
  restricting.add(refOf("Secret", second === undefined ? object.meta.namespace : first, second ?? first));
}

function addAuthorities(refs: readonly unknown[], object: KubeObject, { restricting }: Found): void {
  for (const ref of refs)
    if (isRecord(ref))
      restricting.add(
        refOf(String(ref.kind), String(ref.namespace || namespaceOf(object.ref)), String(ref.name)),
      );
}
