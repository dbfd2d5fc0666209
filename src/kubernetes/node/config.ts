import { readFileSync, statSync } from "node:fs";
import type { Agent } from "node:http";
import type { RequestOptions } from "node:https";
import { homedir } from "node:os";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import { readOne } from "../../documents/documents.js";
import type { Log } from "../../log/log.js";
import { isRecord } from "../../schema/issues.js";
import { messageOf } from "../../schema/words.js";
import { CredentialsError } from "../failures.js";

export interface KubeOptions {
  /** Default: `$KUBECONFIG`, then `~/.kube/config`, then the pod's own service account. */
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** A Kubernetes cluster to read; the name is empty for a single one. */
export interface KubeTarget extends KubeOptions {
  readonly name: string;
}

/** Address of an API server, with the certificates and headers of requests. */
export interface Access {
  readonly server: URL;
  readonly options: RequestOptions;
  /** The agent of the configured proxy, if any. */
  readonly proxy: Agent | undefined;
}

/** Credentials are kept for this time: each renewal may run a program. */
const keepMs = 10_000;
/** Minimum interval between checks of the files. */
const lookMs = 1000;
/** Minimum interval between reloads after a refusal. */
const renewMs = 5000;
/** Time limit of a program that prints credentials. */
const credentialsMs = 25_000;

type Loaded = {
  readonly config: KubeConfig;
  readonly server: string;
  /** The file with the user's token, if the kubeconfig names one. */
  readonly tokenFile: string | undefined;
};

/**
 * A kubeconfig whose files, tokens and certificates may change while it is in use. If a file can no longer be read,
 * its last content stays in use. The context of the start stays, even if the file's current context changes.
 */
export class RenewedKubeConfig {
  /**
   * Loads the client library only when it is needed: it costs half a second and 100 MB.
   *
   * @throws Error when the configuration can't be read or has no such context.
   */
  static async load(options: KubeOptions, log: Log): Promise<RenewedKubeConfig> {
    const { KubeConfig: Config } = await import("./client.js");
    const files = filesOf(options);
    const make = (context: string | undefined): Loaded => read(new Config(), options, files, context);
    const first = make(options.context);
    return new RenewedKubeConfig(make, first, files, log);
  }

  readonly #context: string;
  #loaded: Loaded;
  #seen: string;
  #checkedAt = 0;
  #renewedAt = 0;
  #access: { readonly until: number; readonly access: Promise<Access> } | undefined;
  #token = "";
  #complaint = "";
  #proxy: { readonly key: string; readonly agent: Agent } | undefined;

  private constructor(
    private readonly make: (context: string) => Loaded,
    first: Loaded,
    private readonly files: readonly string[],
    private readonly log: Log,
  ) {
    this.#loaded = first;
    this.#context = first.config.getCurrentContext();
    this.#seen = stateOf(files);
  }

  get server(): string {
    return this.#loaded.server;
  }

  /**
   * The current access for requests; concurrent requests share the output of a credentials program.
   *
   * @throws CredentialsError
   */
  access(): Promise<Access> {
    const now = Date.now();
    if (now - this.#checkedAt >= lookMs) {
      this.#checkedAt = now;
      if (stateOf(this.files) !== this.#seen) this.#reload();
    }
    if (this.#access && now < this.#access.until) return this.#access.access;
    const access = this.#make();
    const made = { until: now + keepMs, access };
    this.#access = made;
    // A failure is not kept.
    access.catch(() => {
      if (this.#access === made) this.#access = undefined;
    });
    return access;
  }

  /** Reloads everything after the server refused the credentials. Returns false if the last reload is too recent. */
  renew(): boolean {
    const now = Date.now();
    if (now - this.#renewedAt < renewMs) return false;
    this.#renewedAt = now;
    this.#reload();
    return true;
  }

  #reload(): void {
    const seen = stateOf(this.files);
    try {
      const { server } = this.#loaded;
      // A new configuration has no cached tokens of the old one.
      this.#loaded = this.make(this.#context);
      this.#seen = seen;
      this.#access = undefined;
      if (this.server !== server)
        this.log(`the kubeconfig has another server: ${this.server}, before ${server}`, "kube-credentials");
      this.#complaint = "";
    } catch (error) {
      this.#complain(`the kubeconfig can't be read again: ${messageOf(error)}; its last content is used`);
    }
  }

  #complain(line: string): void {
    if (line === this.#complaint) return;
    this.#complaint = line;
    this.log(`kube-credentials: ${line}`, "kube-credentials");
  }

  async #make(): Promise<Access> {
    const { config, server, tokenFile } = this.#loaded;
    const options: RequestOptions = {};
    try {
      await inTime(config.applyToHTTPSOptions(options), credentialsMs);
      // The library does not support this field.
      if (tokenFile !== undefined)
        options.headers = {
          ...(options.headers as object),
          Authorization: `Bearer ${this.#readToken(tokenFile)}`,
        };
    } catch (error) {
      throw new CredentialsError(`${messageOf(error).trim()}; check the user of the kubeconfig's context`);
    }
    const { agent, ...rest } = options;
    return { server: new URL(server), options: rest, proxy: this.#proxyOf(agent as Agent | undefined, rest) };
  }

  #readToken(file: string): string {
    try {
      this.#token = readFileSync(file, "utf8").trim();
    } catch (error) {
      if (!this.#token) throw error;
      this.#complain(`${messageOf(error)}; the last token is used`);
    }
    return this.#token;
  }

  /** The library creates an agent for each request; it is kept while its parameters stay the same. */
  #proxyOf(agent: Agent | undefined, { ca, cert, key, servername }: RequestOptions): Agent | undefined {
    const { proxyUrl } = this.#loaded.config.getCurrentCluster() ?? {};
    if (!proxyUrl || !agent) return undefined;
    const made = [proxyUrl, ca, cert, key, servername].map(String).join("\n");
    if (this.#proxy?.key !== made) this.#proxy = { key: made, agent };
    return this.#proxy.agent;
  }
}

/** The files of a kubeconfig; none in a pod. */
function filesOf({ kubeconfig }: KubeOptions): string[] {
  if (kubeconfig) return [kubeconfig];
  const named = (process.env.KUBECONFIG ?? "").split(delimiter).filter((file) => file !== "");
  return named.length > 0 ? named : [join(process.env.HOME ?? homedir(), ".kube", "config")];
}

function read(
  config: KubeConfig,
  { kubeconfig }: KubeOptions,
  files: readonly string[],
  context: string | undefined,
): Loaded {
  if (kubeconfig) config.loadFromFile(kubeconfig);
  else config.loadFromDefault();
  if (context !== undefined) {
    const names = config.getContexts().map(({ name }) => name);
    if (!names.includes(context))
      throw new Error(`the kubeconfig has no context ${JSON.stringify(context)}; it has ${names.join(", ")}`);
    config.setCurrentContext(context);
  }
  const cluster = config.getCurrentCluster();
  if (!cluster)
    throw new Error("the kubeconfig has no current context, and this is not a pod; use --kubeconfig");
  const user = config.getCurrentUser()?.name;
  return {
    config,
    server: cluster.server,
    tokenFile: user === undefined ? undefined : tokenFileOf(user, files),
  };
}

/** `tokenFile` of a user, relative to the file that names it; the first file that names the user counts. */
function tokenFileOf(name: string, files: readonly string[]): string | undefined {
  for (const file of files) {
    if (stateOf([file]) === "") continue;
    const content = readOne(readFileSync(file, "utf8"))?.value;
    const users = isRecord(content) && Array.isArray(content.users) ? content.users : [];
    const user = users.filter(isRecord).find((one) => one.name === name)?.user;
    if (!isRecord(user) || typeof user.tokenFile !== "string") continue;
    return isAbsolute(user.tokenFile) ? user.tokenFile : join(dirname(file), user.tokenFile);
  }
  return undefined;
}

/** A text that changes with the files. */
function stateOf(files: readonly string[]): string {
  return files
    .map((file) => {
      try {
        const { ino, size, mtimeMs } = statSync(file);
        return `${ino} ${size} ${mtimeMs}`;
      } catch {
        return "";
      }
    })
    .join();
}

async function inTime(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`its program printed no credentials in ${ms / 1000} s`)), ms);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
