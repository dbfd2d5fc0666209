import { isAllowedClass, isNginxClass } from "../../graph/core/class.js";
import type { Raw, Transport } from "../../kubernetes/api.js";
import type { Log } from "../../log/log.js";
import { isRecord } from "../../schema/issues.js";
import { type Finding, kindOf, type Ref, refOf } from "../../schema/meta.js";
import { type SettingsSpec, settingsRef } from "../../schema/settings.js";
import { settingsOf } from "../../schema/stored-settings.js";
import type { Store } from "../../store/store.js";
import { hasStatus, type Seen, Statuses, type StatusInput } from "../status.js";
import type { FailingStatus } from "./failures.js";
import { isOfAnotherFleet } from "./fleet.js";
import { Infrastructure } from "./infrastructure.js";
import { Lease } from "./lease.js";
import type { Owner } from "./owned.js";
import { StatusWriter } from "./writer.js";

/** Options for writing statuses. */
export interface StatusOptions {
  /** The Service of the Envoys, `namespace/name`: its addresses are in the status of every object. */
  readonly envoyService?: string;
  /** Undefined: this process writes without coordination. */
  readonly lease?: { readonly namespace: string; readonly name: string };
  /** The field manager of writes; undefined: a name with that of the lease. Two deployments in a cluster differ in it. */
  readonly manager?: string;
}

/** Functions of the runtime. */
export interface StatusRuntime {
  /** Milliseconds since the epoch. */
  now(): number;
  /** The same from a monotonic clock. */
  steadyNow(): number;
  /** Resolves after this many ms, or when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** The identity of this replica in the lease. */
  readonly identity: string;
  checkKeyPair(certificate: string, privateKey: string): string | undefined;
  /** An object is due again after a pause: a runtime that works in turns starts one. */
  due?(): void;
}

/** Writes statuses to a Kubernetes cluster, if this replica has the lease. */
export class StatusService {
  readonly #writer: StatusWriter;
  readonly #statuses: Statuses;
  readonly #lease: Lease | undefined;
  readonly #manager: string;
  readonly #infrastructure: Infrastructure;
  /** Objects whose ingress class was not served when they were last read. */
  readonly #foreign = new Set<Ref>();
  #addresses = "";

  constructor(
    private readonly options: StatusOptions &
      StatusRuntime & {
        readonly transport: Transport;
        readonly store: Store;
        /** Set for one of several Kubernetes clusters. */
        readonly member?: NonNullable<StatusInput["member"]> & { readonly name: string };
        ready(): boolean;
        /** Why the current state of an object could not be read. */
        unread(ref: Ref): readonly Finding[];
        /** Findings about an object that neither its Kubernetes cluster nor the store has. */
        findingsAbout(ref: Ref): readonly Finding[];
        /** A status was written or removed. */
        wrote(kind: string): void;
        /** A write failed with this status code; 0 without a valid response. */
        failed(kind: string, code: number): void;
        readonly log: Log;
      },
  ) {
    const { transport, store, member, lease, log, wrote, failed } = options;
    const { now, sleep, checkKeyPair } = options;
    this.#lease = lease && this.#leaseOf(lease);
    this.#manager = options.manager ?? fieldManager(lease);
    this.#statuses = new Statuses({
      store,
      ...(member ? { member } : {}),
      checkKeyPair,
      others: (ref) => {
        const unread = options.unread(ref);
        return { findings: [...unread, ...options.findingsAbout(ref)], unread: unread.length > 0 };
      },
      seen: (ref) => this.#seen(ref),
    });
    const leads = (): boolean => options.ready() && (this.#lease?.leads ?? true);
    this.#infrastructure = new Infrastructure({
      transport,
      store,
      manager: this.#manager,
      leads,
      sleep,
      log,
    });
    this.#writer = new StatusWriter({
      transport,
      wrote,
      failed,
      log,
      now,
      sleep,
      ...(options.due ? { due: options.due } : {}),
      leads,
      owner: () => this.#owner(),
      verdict: (ref) => {
        const settings = settingsOf(store);
        const ingressStatusAddress = settings.ingressStatusAddress || this.#addresses;
        return this.#statuses.of(ref, { ...settings, ingressStatusAddress }, now());
      },
    });
  }

  #seen(ref: Ref): Seen | undefined {
    const generation = this.#writer.generationOf(ref);
    return generation === undefined ? undefined : { generation, foreign: this.#foreign.has(ref) };
  }

  #owner(): Owner {
    const { store } = this.options;
    const settings = settingsOf(store);
    const {
      gatewayRef,
      gateway: { controllerName: ours, selector },
    } = settings;
    const common: Owner = {
      manager: this.#manager,
      ...(ours === undefined ? {} : { controllerName: ours }),
      ...(selector ? { isElsewhere: (parent) => isOfAnotherFleet(parent, store, settings) } : {}),
    };
    if (!gatewayRef) return common;
    const gateway = store.object(refOf("Gateway", gatewayRef.namespace, gatewayRef.name));
    const gatewayClass =
      gateway?.kind === "Gateway"
        ? store.object(refOf("GatewayClass", "", gateway.spec.gatewayClassName))
        : undefined;
    const controllerName =
      gatewayClass?.kind === "GatewayClass" ? gatewayClass.spec.controllerName : undefined;
    return {
      ...common,
      gateway: { ...gatewayRef, ...(controllerName === undefined ? {} : { controllerName }) },
    };
  }

  #leaseOf({ name, namespace }: NonNullable<StatusOptions["lease"]>): Lease {
    const { transport, log, identity, steadyNow, sleep } = this.options;
    return new Lease({
      transport,
      name,
      namespace,
      identity,
      log,
      now: steadyNow,
      sleep,
      changed: (leads) => {
        log(
          leads ? "writing statuses: this replica has the lease" : "another replica writes statuses",
          "status-lease",
          { leads },
        );
        this.#infrastructure.touchAll();
        this.#writer.poke();
      },
    });
  }

  /** Records an object as it was read; undefined if it does not exist any more. */
  observe(ref: Ref, raw: Raw | undefined): void {
    if (ref === `Service/${this.options.envoyService}`) this.#takeAddresses(addressesOf(raw));
    if (kindOf(ref) === "Gateway") this.#infrastructure.observe(ref, raw);
    if (!hasStatus(kindOf(ref))) return;
    if (raw && isForeign(raw, settingsOf(this.options.store))) this.#foreign.add(ref);
    else this.#foreign.delete(ref);
    if (raw) this.#writer.observe(ref, raw);
    else this.#writer.forget(ref);
  }

  #takeAddresses(addresses: string): void {
    if (addresses === this.#addresses) return;
    this.#addresses = addresses;
    this.#writer.touchAll();
  }

  /** Called when statuses may have changed (`Updated.affected`). */
  touch(refs: Iterable<Ref>): void {
    for (const ref of refs) {
      this.#statuses.touch(ref);
      this.#infrastructure.touch(ref);
      if (ref === settingsRef) this.#infrastructure.touchAll();
      if (ref === settingsRef) this.#writer.touchAll();
      // The ref of a shadowed object ends in `@<cluster>`; in that Kubernetes cluster it has the plain name.
      else this.#writer.touch(ref.split("@", 1)[0] as Ref);
    }
  }

  /** Checks at once whether this replica writes. */
  poke(): void {
    this.#infrastructure.touchAll();
    this.#writer.poke();
  }

  /** The number of objects whose status has to be compared or written. */
  get pending(): number {
    return this.#writer.pending;
  }

  /** Objects whose status can't be written. */
  get failing(): readonly FailingStatus[] {
    return this.#writer.failing;
  }

  /** In place of `run`, without a lease: writes what is due now, with a limited number of attempts. */
  turn(most: number, signal: AbortSignal): Promise<number> {
    return this.#writer.turn(most, signal);
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#writer.run(signal), this.#infrastructure.run(signal), this.#lease?.run(signal)]);
  }
}

/** `status.loadBalancer.ingress` of a Service, in the format of the setting `ingressStatusAddress`. */
function addressesOf(raw: Raw | undefined): string {
  const balancer = isRecord(raw?.status) ? raw.status.loadBalancer : undefined;
  const ingress = isRecord(balancer) && Array.isArray(balancer.ingress) ? balancer.ingress : [];
  return ingress
    .filter(isRecord)
    .flatMap(({ ip, hostname: name }) => ip || name || [])
    .join(",");
}

/** Whether the ingress class of an object, readable or not, is not served. */
function isForeign(raw: Raw, settings: SettingsSpec): boolean {
  const spec = isRecord(raw.spec) ? raw.spec : {};
  const metadata = isRecord(raw.metadata) ? raw.metadata : {};
  const annotations: Record<string, string> = {};
  if (isRecord(metadata.annotations))
    for (const [key, value] of Object.entries(metadata.annotations))
      if (typeof value === "string") annotations[key] = value;
  const named = typeof spec.ingressClassName === "string" ? spec.ingressClassName : undefined;
  if (raw.kind === "ExtensionService") return false;
  const classed = { meta: { annotations } };
  if (raw.kind === "Ingress" && isNginxClass(classed, named, settings)) return false;
  return !isAllowedClass(classed, named, settings);
}

/**
 * From the lease, so that two deployments in a Kubernetes cluster have different managers; the API server allows 128
 * characters.
 */
const fieldManager = (lease: { readonly namespace: string; readonly name: string } | undefined): string =>
  lease ? `isoline:${lease.namespace}/${lease.name}`.slice(0, 128) : "isoline";
