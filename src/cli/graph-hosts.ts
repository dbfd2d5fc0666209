import { type HostNode, hostNodes } from "../explain/graph.js";
import { originsIn } from "../explain/origins.js";
import type { ListenerChoice } from "../explain/request.js";
import { servedHosts } from "../explain/served-hosts.js";
import { checkKeyPair } from "../platform/key-pair.js";
import { isRecord } from "../schema/issues.js";
import type { Explainer, ExplainerOptions } from "./explain.js";
import { askServer } from "./server-url.js";

interface Wanted {
  /** One host; without it all. */
  readonly host?: string | undefined;
  readonly gateway?: string | undefined;
  readonly address?: string | undefined;
  /** With a request for each route. */
  readonly requests?: boolean;
}

/** Hosts of files, a cluster or a running server. @throws Error when a server can't be reached or refuses, or serves no such host. */
export async function hostsOf(
  { compiled }: Explainer,
  options: ExplainerOptions,
  wanted: Wanted,
): Promise<readonly HostNode[]> {
  if (!compiled) return servedBy(options.xds ?? "", options, wanted);
  const { snapshot, store, settings } = compiled;
  const all = servedHosts(snapshot);
  const host = wanted.host?.toLowerCase();
  const names = host === undefined ? all : all.filter((name) => name === host);
  if (host !== undefined && names.length === 0)
    throw new Error(`${host} is not served; isoline explain says why, and what is`);
  const { requests = false } = wanted;
  const origins = originsIn(store, settings.spec, { checkKeyPair });
  return some(hostNodes(names, snapshot, origins, { requests, choice: choiceOf(wanted) }), wanted);
}

const choiceOf = ({ gateway, address }: Wanted): ListenerChoice => ({
  ...(gateway === undefined ? {} : { gateway }),
  ...(address === undefined ? {} : { address }),
});

/** @throws Error if nothing is left of a choice. */
function some(nodes: readonly HostNode[], { host, gateway, address }: Wanted): readonly HostNode[] {
  if (nodes.length > 0 || (gateway === undefined && address === undefined)) return nodes;
  const of = [
    gateway === undefined ? [] : `Gateway ${gateway}`,
    address === undefined ? [] : `address ${address}`,
  ];
  throw new Error(
    `${host ?? "no host"} is ${host === undefined ? "" : "not "}served by ${of.flat().join(" at ")}; isoline graph without the option shows what is`,
  );
}

/** All pages of the graph of a server, or the host that is wanted. */
async function servedBy(
  server: string,
  options: ExplainerOptions,
  wanted: Wanted,
): Promise<readonly HostNode[]> {
  const { host, requests } = wanted;
  const hosts: HostNode[] = [];
  for (let after: string | undefined = ""; after !== undefined; ) {
    const query = new URLSearchParams({
      ...(host === undefined ? { after, limit: "20" } : { host }),
      ...choiceOf(wanted),
      ...(requests ? { requests: "" } : {}),
    });
    const page = await askServer("--xds", server, `graph?${query}`, options);
    if (!isRecord(page) || !Array.isArray(page.hosts))
      throw new Error(`${server}: the answer is no graph of hosts`);
    hosts.push(...(page.hosts as HostNode[]));
    after = typeof page.next === "string" ? page.next : undefined;
  }
  return some(hosts, wanted);
}
