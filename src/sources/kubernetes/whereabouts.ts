import { type ApiServerState, apiServerState, type Transport } from "../../kubernetes/api.js";
import { OtherClusterError } from "../../kubernetes/failures.js";
import { isOlderVersion } from "../../kubernetes/resource-version.js";
import type { KindFollower } from "./follow.js";

interface WhereaboutsOptions {
  readonly transport: Transport;
  /** The API server's URL, for messages. */
  readonly server: string;
  now(): number;
  /** The uid of the cluster that is followed; empty before it is known. */
  cluster(): string;
  setCluster(uid: string): void;
  followers(): readonly Pick<KindFollower, "version" | "listAnew">[];
}

/** Kinds that begin a watch within this time ask the server only once where it is. */
const compareMs = 1000;
/** A server that does not say where it is holds up watches no more often than this. */
const compareAgainMs = 5000;

/** Where an API server is in time, and whether it is still of the same cluster. */
export class Whereabouts {
  #compared: { readonly until: number; readonly done: Promise<unknown> } | undefined;
  /** The cluster that answers, where it is not the one that is followed. */
  #other = "";

  constructor(private readonly options: WhereaboutsOptions) {}

  /**
   * Asks where the server is now. One that was restored from a backup may be before what is known, and would keep a
   * watch from there silent until its numbers have passed it: then everything is listed again. Versions are of all
   * kinds, so that one question is enough. `strict`: an error of the question counts, too.
   *
   * @throws OtherClusterError
   */
  async verify(strict: boolean, signal: AbortSignal): Promise<void> {
    const now = this.options.now();
    if (!this.#compared || now >= this.#compared.until)
      this.#compared = { until: now + compareMs, done: this.#ask(signal) };
    const error = await this.#compared.done;
    if (error !== undefined && (strict || error instanceof OtherClusterError)) throw error;
  }

  /** Returns what is wrong. */
  async #ask(signal: AbortSignal): Promise<unknown> {
    // Watches may go on meanwhile.
    const followers = this.options.followers();
    const known = followers.map(({ version }) => version);
    if (known.every((version) => version === "")) return undefined;
    try {
      const place = await apiServerState(this.options.transport, signal);
      this.#check(place);
      for (const [i, follower] of followers.entries())
        if (isOlderVersion(place.resourceVersion, known[i] ?? "")) follower.listAnew();
      return undefined;
    } catch (error) {
      this.#compared = { until: this.options.now() + compareAgainMs, done: Promise.resolve(error) };
      return error;
    }
  }

  /** @throws OtherClusterError */
  #check({ uid }: ApiServerState): void {
    const { server, cluster, setCluster } = this.options;
    const followed = cluster();
    this.#other = followed && uid && uid !== followed ? uid : "";
    if (this.#other)
      throw new OtherClusterError(
        `the API server ${server} is of another cluster (its kube-system has the uid ${uid}) than the one that was followed (${followed}); check the server of the kubeconfig, or confirm the change with: isoline accept-shrink Namespace`,
      );
    if (uid && !followed) setCluster(uid);
  }

  /** Follows the cluster that answers from now on. */
  accept(): void {
    this.options.setCluster(this.#other);
    this.#compared = undefined;
  }
}
