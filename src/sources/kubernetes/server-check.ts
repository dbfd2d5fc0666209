import { type ApiServerState, apiServerState, type Transport } from "../../kubernetes/api.js";
import { OtherClusterError } from "../../kubernetes/failures.js";
import { isOlderVersion } from "../../kubernetes/resource-version.js";
import type { KindFollower } from "./follow.js";

interface ServerCheckOptions {
  readonly transport: Transport;
  /** The API server's URL, for messages. */
  readonly server: string;
  now(): number;
  /** The uid of the followed cluster; empty before it is known. */
  cluster(): string;
  setCluster(uid: string): void;
  followers(): readonly Pick<KindFollower, "version" | "relist">[];
}

/** Kinds that begin a watch within this time share one check of the server. */
const compareMs = 1000;
/** After a failed check, watches are delayed by a new check at most this often. */
const compareAgainMs = 5000;

/**
 * Checks whether the state of an API server is older than the known state, and whether the server still belongs to the
 * same cluster.
 */
export class ServerCheck {
  #compared: { readonly until: number; readonly done: Promise<unknown> } | undefined;
  /** The uid of the cluster that answers, if it is not the followed one. */
  #other = "";

  constructor(private readonly options: ServerCheckOptions) {}

  /**
   * Checks the current version of the server. A server that was restored from a backup may be behind the known
   * version, and would then keep a watch silent until its versions have passed it: in that case everything is listed
   * again. Versions are shared by all kinds, so one check is enough. `strict`: an error of the check is thrown, too.
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

  /** Returns the error, if any. */
  async #ask(signal: AbortSignal): Promise<unknown> {
    // Watches may continue meanwhile and move their versions.
    const followers = this.options.followers();
    const known = followers.map(({ version }) => version);
    if (known.every((version) => version === "")) return undefined;
    try {
      const place = await apiServerState(this.options.transport, signal);
      this.#check(place);
      for (const [i, follower] of followers.entries())
        if (isOlderVersion(place.resourceVersion, known[i] ?? "")) follower.relist();
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
        `the API server ${server} belongs to another cluster (uid of kube-system: ${uid}) than the followed one (${followed}); check the server of the kubeconfig, or confirm the change with: isoline accept-shrink Namespace`,
      );
    if (uid && !followed) setCluster(uid);
  }

  /** Follows the cluster that answers from now on. */
  accept(): void {
    this.options.setCluster(this.#other);
    this.#compared = undefined;
  }
}
