import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Raw, Transport } from "../kubernetes/api.js";
import type { Member } from "../kubernetes/clusters.js";
import { Lease } from "../kubernetes/lease.js";
import type { FailingStatus } from "../kubernetes/status-failures.js";
import { StatusWriter } from "../kubernetes/status-writer.js";
import { checkKeyPair } from "../platform/key-pair.js";
import { isRecord } from "../schema/issues.js";
import type { Finding, Ref } from "../schema/meta.js";
import { settingsOf } from "../server/publisher.js";
import { statuses } from "../status/status.js";
import type { Store } from "../store/store.js";

/** How statuses are written back. */
export interface StatusOptions {
  /** The Service of the Envoys, `namespace/name`: its addresses are those of every object. */
  readonly envoyService?: string;
  /** Undefined: this process writes without asking others. */
  readonly lease?: { readonly namespace?: string; readonly name: string };
}

/** Writes statuses to a cluster, if this replica has the lease. */
export class StatusService {
  readonly #writer: StatusWriter;
  readonly #lease: Lease | undefined;
  #addresses = "";

  constructor(
    private readonly options: StatusOptions & {
      readonly transport: Transport;
      readonly store: Store;
      /** Which of several clusters this is. */
      readonly member?: Member;
      ready(): boolean;
      /** About objects that the store does not hold. */
      findings(): readonly Finding[];
      /** A write failed with this status code; 0 when there was no answer that can be read. */
      failed(kind: string, code: number): void;
      log(line: string): void;
    },
  ) {
    const { transport, store, lease, log } = options;
    const times = {
      now: Date.now,
      sleep: (ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal }).catch(() => undefined),
    };
    this.#lease = lease && this.#leaseOf(lease, times);
    this.#writer = new StatusWriter({
      transport,
      failed: (kind, code) => options.failed(kind, code),
      log,
      ...times,
      leads: () => options.ready() && (this.#lease?.leads ?? true),
      desired: () => {
        const settings = settingsOf(store);
        const ingressStatusAddress = settings.ingressStatusAddress || this.#addresses;
        return statuses(store, { ...settings, ingressStatusAddress }, Date.now(), {
          others: options.findings(),
          ...(options.member ? { member: options.member } : {}),
          checkKeyPair,
        });
      },
    });
  }

  #leaseOf(
    { name, namespace = podNamespace() }: NonNullable<StatusOptions["lease"]>,
    times: Pick<ConstructorParameters<typeof Lease>[0], "now" | "sleep">,
  ): Lease {
    const { transport, log } = this.options;
    return new Lease({
      transport,
      name,
      namespace,
      identity: `${hostname()}_${randomBytes(4).toString("hex")}`,
      log,
      ...times,
      changed: (leads) => {
        log(leads ? "writing statuses, as this replica has the lease" : "another replica writes statuses");
        this.#writer.poke();
      },
    });
  }

  /** Takes note of an object as it was read; undefined when it is gone. */
  observe(ref: Ref, raw: Raw | undefined): void {
    if (raw) this.#writer.observe(ref, raw);
    else this.#writer.forget(ref);
    if (ref !== `Service/${this.options.envoyService}`) return;
    const addresses = addressesOf(raw);
    if (addresses === this.#addresses) return;
    this.#addresses = addresses;
    this.#writer.poke();
  }

  poke(): void {
    this.#writer.poke();
  }

  /** Objects whose status can't be written. */
  get failing(): readonly FailingStatus[] {
    return this.#writer.failing;
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#writer.run(signal), this.#lease?.run(signal)]);
  }
}

/** `status.loadBalancer.ingress` of a Service, as the setting `ingressStatusAddress` has it. */
function addressesOf(raw: Raw | undefined): string {
  const balancer = isRecord(raw?.status) ? raw.status.loadBalancer : undefined;
  const ingress = isRecord(balancer) && Array.isArray(balancer.ingress) ? balancer.ingress : [];
  return ingress
    .filter(isRecord)
    .flatMap(({ ip, hostname: name }) => ip || name || [])
    .join(",");
}

function podNamespace(): string {
  try {
    return readFileSync("/var/run/secrets/kubernetes.io/serviceaccount/namespace", "utf8").trim();
  } catch {
    return "projectcontour";
  }
}
