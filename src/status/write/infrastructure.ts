import { isOfFleet } from "../../graph/api/gateway/selector.js";
import { ApiError, type Raw, sendJson, type Transport } from "../../kubernetes/api.js";
import type { Log } from "../../log/log.js";
import { gatewayGroup } from "../../schema/gateway.js";
import { isRecord } from "../../schema/issues.js";
import { type Ref, refOf } from "../../schema/meta.js";
import { settingsOf } from "../../schema/stored-settings.js";
import type { Store } from "../../store/store.js";
import { contentHash } from "../../xds/hash.js";

/** A failed write is tried again after so long. */
const retryMs = 30_000;
/** The longest name of an object. */
const maxName = 253;

interface InfrastructureOptions {
  readonly transport: Transport;
  readonly store: Store;
  readonly manager: string;
  /** Whether this replica writes. */
  leads(): boolean;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  readonly log: Log;
}

/**
 * Makes a ServiceAccount for each Gateway of a class, with the labels and annotations of `spec.infrastructure` (the setting
 * `gateway.infrastructure`). It belongs to its Gateway: Kubernetes removes it with that.
 */
export class Infrastructure {
  /** Gateways as they were read, and what was applied for them. */
  readonly #gateways = new Map<Ref, { readonly uid: string; applied?: string }>();
  readonly #due = new Set<Ref>();
  #wake: (() => void) | undefined;

  constructor(private readonly options: InfrastructureOptions) {}

  /** Takes note of a Gateway as it was read; undefined when it is gone. */
  observe(ref: Ref, raw: Raw | undefined): void {
    const uid = isRecord(raw?.metadata) ? raw.metadata.uid : undefined;
    if (typeof uid !== "string") {
      this.#gateways.delete(ref);
      this.#due.delete(ref);
      return;
    }
    const known = this.#gateways.get(ref);
    if (known?.uid !== uid) this.#gateways.set(ref, { uid });
    this.touch(ref);
  }

  /** Takes note that a Gateway, or whether it is served, may be another. */
  touch(ref: Ref): void {
    if (!this.#gateways.has(ref)) return;
    this.#due.add(ref);
    this.#wake?.();
  }

  /** The settings, or who writes, may be others. */
  touchAll(): void {
    for (const ref of this.#gateways.keys()) this.touch(ref);
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const failed = await this.#work(signal);
      const over = new AbortController();
      this.#wake = () => over.abort();
      if (this.#due.size === failed.size)
        await this.options.sleep(
          failed.size > 0 || !this.options.leads() ? retryMs : 2 ** 30,
          AbortSignal.any([signal, over.signal]),
        );
      this.#wake = undefined;
    }
  }

  /** Returns the Gateways for which nothing could be written. */
  async #work(signal: AbortSignal): Promise<ReadonlySet<Ref>> {
    const failed = new Set<Ref>();
    if (!this.options.leads()) return new Set(this.#due);
    for (const ref of [...this.#due]) {
      if (signal.aborted) break;
      this.#due.delete(ref);
      try {
        await this.#apply(ref, signal);
      } catch (error) {
        if (signal.aborted) break;
        failed.add(ref);
        this.#due.add(ref);
        const why = error instanceof ApiError ? `${error.status} ${error.message}` : String(error);
        this.options.log(`can't write the ServiceAccount of ${ref}: ${why}`, "status-not-written");
      }
    }
    return failed;
  }

  async #apply(ref: Ref, signal: AbortSignal): Promise<void> {
    const known = this.#gateways.get(ref);
    const object = known && this.#objectOf(ref, known.uid);
    if (!object) return;
    const digest = contentHash(JSON.stringify(object));
    if (known.applied === digest) return;
    const { namespace, name } = object.metadata;
    const query = `fieldManager=${encodeURIComponent(this.options.manager)}&force=true`;
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${encodeURIComponent(name)}?${query}`;
    await sendJson(this.options.transport, "PATCH", path, object, signal, {
      contentType: "application/apply-patch+yaml",
    });
    known.applied = digest;
  }

  /** Undefined where the Gateway is not served, or the setting asks for nothing. */
  #objectOf(ref: Ref, uid: string) {
    const { store } = this.options;
    const settings = settingsOf(store);
    const { controllerName, infrastructure } = settings.gateway;
    const gateway = store.object(ref);
    if (infrastructure !== "serviceAccount" || gateway?.kind !== "Gateway") return undefined;
    const gatewayClass = store.object(refOf("GatewayClass", "", gateway.spec.gatewayClassName));
    if (gatewayClass?.kind !== "GatewayClass" || gatewayClass.spec.controllerName !== controllerName)
      return undefined;
    if (!isOfFleet(gateway.spec, settings)) return undefined;
    const { namespace, name } = gateway.meta;
    const { labels, annotations } = gateway.spec.infrastructure ?? { labels: {}, annotations: {} };
    return {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: {
        namespace,
        name: `${name}-isoline`.slice(0, maxName),
        labels: { ...labels, [`${gatewayGroup}/gateway-name`]: name },
        annotations,
        ownerReferences: [{ apiVersion: `${gatewayGroup}/v1`, kind: "Gateway", name, uid }],
      },
      automountServiceAccountToken: false,
    };
  }
}
