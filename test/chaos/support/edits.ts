import {
  type Backend,
  backendNames,
  hostTo,
  otherServices,
  secretNamed,
  serviceTo,
  sliceTo,
  tlsHostTo,
} from "./objects.js";
import { pick, type Random } from "./random.js";
import type { Rig } from "./rig.js";

const hosts = Array.from({ length: 12 }, (_, i) => `soak-${i}.test`);
const moving = ["moving-0", "moving-1", "moving-2"] as const;
const extras = Array.from({ length: 10 }, (_, i) => `extra-${i}.test`);

/** The objects before the edits. */
export const editedObjects = {
  objects: [
    ...backendNames.flatMap((name) => serviceTo(name, name)),
    ...moving.flatMap((name) => serviceTo(name, "a")),
    ...otherServices,
    ...hosts.map((host) => hostTo(host, "a")),
  ],
  asked: Object.fromEntries(hosts.map((host) => [host, "a" as const])),
};

/** Random edits like those of an ordinary day: each changes one object, and the expected answers of its hosts. */
export class Edits {
  readonly #serviceOf = new Map<string, string>(hosts.map((host) => [host, "a"]));
  /** Services that a host used recently. */
  readonly #before = new Map<string, readonly string[]>();
  readonly #backendOf = new Map<string, Backend>([
    ...backendNames.map((name) => [name, name] as const),
    ...moving.map((name) => [name, "a"] as const),
  ]);
  readonly #there = new Set<string>();
  #count = 0;

  constructor(private readonly random: Random) {}

  /** Makes the next edit, and resolves when the API server has it. */
  async one(rig: Rig): Promise<void> {
    this.#count++;
    const edit = pick(this.random, [
      this.#switch,
      this.#switch,
      this.#move,
      this.#move,
      this.#annotate,
      this.#comeOrGo,
      this.#comeOrGo,
      this.#renew,
    ]);
    await edit.call(this, rig);
  }

  async #switch(rig: Rig): Promise<void> {
    const host = pick(this.random, hosts);
    const service = pick(this.random, [...this.#backendOf.keys()]);
    this.#before.set(host, [...(this.#before.get(host) ?? []).slice(-5), this.#serviceOf.get(host) ?? ""]);
    this.#serviceOf.set(host, service);
    this.#expect(rig, host);
    await rig.kube.apply(hostTo(host, service));
  }

  async #move(rig: Rig): Promise<void> {
    const service = pick(this.random, moving);
    const backend = pick(this.random, backendNames);
    this.#backendOf.set(service, backend);
    for (const [host, name] of this.#serviceOf)
      if (name === service) this.#expect(rig, host);
      else if (this.#before.get(host)?.includes(service)) rig.load.allow(host, backend);
    await rig.kube.apply(sliceTo(service, backend));
  }

  /** An edit without an effect on traffic. */
  async #annotate({ kube }: Rig): Promise<void> {
    const host = pick(this.random, hosts);
    const { metadata, ...object } = hostTo(host, this.#serviceOf.get(host) ?? "");
    await kube.apply({
      ...object,
      metadata: { ...(metadata as object), annotations: { n: String(this.#count) } },
    });
  }

  async #comeOrGo({ kube }: Rig): Promise<void> {
    const host = pick(this.random, extras);
    if (this.#there.delete(host)) return kube.remove(hostTo(host, "a"));
    this.#there.add(host);
    if (this.random() < 0.5) return kube.apply(hostTo(host, "a"));
    await kube.apply(secretNamed("soak"), tlsHostTo(host, "a", "soak"));
  }

  /** An edit that writes a certificate again with another label. */
  async #renew({ kube }: Rig): Promise<void> {
    const { metadata, ...secret } = secretNamed("soak");
    await kube.apply({
      ...secret,
      metadata: { ...(metadata as object), labels: { n: String(this.#count) } },
    });
  }

  #expect(rig: Rig, host: string): void {
    const backend = this.#backendOf.get(this.#serviceOf.get(host) ?? "");
    if (backend) rig.load.expect(host, backend);
  }
}
