import type { Field } from "./field.js";
import type {
  Name,
  Remark,
  RemarkSeverity,
  SourceBackend,
  SourcePart,
  SourceRoute,
  SourceSite,
  TcpPort,
} from "./model.js";
import type { SourceObject } from "./source.js";
import type { KindTable } from "./table.js";

/** The target API, the names in the result, and the classes of the input. */
export interface MigrateOptions {
  readonly to: "httpproxy" | "gateway";
  /** The `ingressClassName` of the HTTPProxies. */
  readonly ingressClass?: string;
  /** The name of the Gateway that `to: gateway` writes. */
  readonly gateway: Name;
  /** The peer of Ingresses without a class. */
  readonly from?: string;
  /** The ConfigMap of ingress-nginx. Without it, the usual names and labels count. */
  readonly configMap?: Name;
  /** Class names of the peer `from`, in addition to its usual one. */
  readonly classes: readonly string[];
}

/** An object that the result needs in addition to its routes. */
export interface ResultObject {
  readonly part: SourcePart;
  readonly object: Readonly<Record<string, unknown>>;
}

interface RemarkOptions {
  readonly todo?: string;
  readonly hosts?: readonly string[];
  readonly closes?: boolean;
}

/** The state of a conversion: the input, and the routes, sites and remarks that readers made from it. */
export class Conversion {
  readonly routes: SourceRoute[] = [];
  readonly sites: SourceSite[] = [];
  readonly tcpPorts: TcpPort[] = [];
  readonly results: ResultObject[] = [];
  readonly remarks: Remark[] = [];
  readonly taken = new Map<SourceObject, KindTable>();
  readonly leftOut: { readonly object: SourceObject; readonly reason: string }[] = [];
  /** Objects that Isoline serves but that must be left out, because a policy for them is not converted. */
  readonly withheld = new Set<SourceObject>();
  readonly #byName = new Map<string, SourceObject>();
  readonly #byKind = new Map<string, SourceObject[]>();

  constructor(
    objects: readonly SourceObject[],
    readonly options: MigrateOptions,
    /** Receives the number of converted objects. */
    private readonly taking: (done: number) => void = () => undefined,
  ) {
    for (const object of objects) {
      const { kind, namespace, name } = object;
      this.#byName.set(`${groupOf(object)}|${kind}|${namespace}|${name}`, object);
      const same = this.#byKind.get(`${groupOf(object)}|${kind}`);
      if (same) same.push(object);
      else this.#byKind.set(`${groupOf(object)}|${kind}`, [object]);
    }
  }

  ofKind(group: string, kind: string): readonly SourceObject[] {
    return this.#byKind.get(`${group}|${kind}`) ?? [];
  }

  find(group: string, kind: string, namespace: string, name: string): SourceObject | undefined {
    return this.#byName.get(`${group}|${kind}|${namespace}|${name}`);
  }

  /** Marks an object as converted. The table evaluates its fields. */
  take(object: SourceObject, table: KindTable): void {
    this.taken.set(object, table);
    this.taking(this.taken.size);
  }

  leaveOut(object: SourceObject, reason: string): void {
    this.leftOut.push({ object, reason });
  }

  remark(
    severity: RemarkSeverity,
    { object, path }: SourcePart,
    message: string,
    { todo, hosts = [], closes = false }: RemarkOptions = {},
  ): void {
    this.remarks.push({
      severity,
      about: object.ref,
      path,
      message,
      hosts,
      closes,
      ...(todo === undefined ? {} : { todo }),
    });
  }

  /** The number of a port. A named port is looked up in the Services of the input; undefined if it is not found. */
  portNumber({
    namespace,
    name,
    port,
  }: Pick<SourceBackend, "namespace" | "name" | "port">): number | undefined {
    if (typeof port === "number") return port;
    const service = this.find("", "Service", namespace, name);
    const found = service?.root
      .at("spec", "ports")
      .items()
      .find((one) => one.at("name").text() === port);
    return found?.at("port").number();
  }

  /** The port of a Service of the input that has only one port; otherwise undefined. */
  onlyPort(namespace: string, name: string): number | undefined {
    const ports = this.find("", "Service", namespace, name)?.root.at("spec", "ports").items() ?? [];
    return ports.length === 1 ? ports[0]?.at("port").number() : undefined;
  }
}

/** Traefik's group before version 3 has the same API. */
const groupOf = ({ group }: SourceObject): string => (group === "traefik.containo.us" ? "traefik.io" : group);

export const partOf = (object: SourceObject, field?: Field): SourcePart => ({
  object,
  path: field?.pathText ?? "",
});
