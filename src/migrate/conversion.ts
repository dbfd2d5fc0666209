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

/** What objects are converted to, and how the result is named. */
export interface MigrateOptions {
  readonly to: "httpproxy" | "gateway";
  /** `ingressClassName` of HTTPProxies. */
  readonly ingressClass?: string;
  /** Of the Gateway that is written with `to: gateway`. */
  readonly gateway: Name;
  /** The peer that Ingresses without a class are of. */
  readonly from?: string;
  /** Names of classes that a peer is installed under beside its usual one. */
  readonly classes: readonly string[];
}

/** An object beside routes that the result needs. */
export interface ResultObject {
  readonly part: SourcePart;
  readonly object: Readonly<Record<string, unknown>>;
}

interface RemarkOptions {
  readonly todo?: string;
  readonly hosts?: readonly string[];
  readonly closes?: boolean;
}

/** What is known while objects are converted: the input, and what readers have made of it. */
export class Conversion {
  readonly routes: SourceRoute[] = [];
  readonly sites: SourceSite[] = [];
  readonly tcpPorts: TcpPort[] = [];
  readonly results: ResultObject[] = [];
  readonly remarks: Remark[] = [];
  readonly taken = new Map<SourceObject, KindTable>();
  readonly leftOut: { readonly object: SourceObject; readonly reason: string }[] = [];
  /** Objects that Isoline serves, and that must not be kept as they are. */
  readonly withheld = new Set<SourceObject>();
  readonly #byName = new Map<string, SourceObject>();
  readonly #byKind = new Map<string, SourceObject[]>();

  constructor(
    objects: readonly SourceObject[],
    readonly options: MigrateOptions,
    /** Told of how many objects are converted. */
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

  /** The object is converted, and its fields are judged by the table. */
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

  /** The number of a port, which for a name is that of the Service among the input; undefined where it is not known. */
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

  /** The only port of a Service among the input. */
  onlyPort(namespace: string, name: string): number | undefined {
    const ports = this.find("", "Service", namespace, name)?.root.at("spec", "ports").items() ?? [];
    return ports.length === 1 ? ports[0]?.at("port").number() : undefined;
  }
}

/** Traefik's group before version 3 is the same API. */
const groupOf = ({ group }: SourceObject): string => (group === "traefik.containo.us" ? "traefik.io" : group);

export const partOf = (object: SourceObject, field?: Field): SourcePart => ({
  object,
  path: field?.pathText ?? "",
});
