/** Whether a host name or wildcard is below `*.x`, by one or more labels. */
export const isUnder = (hostname: string, wildcard: string): boolean =>
  wildcard.startsWith("*.") && hostname.length >= wildcard.length && hostname.endsWith(wildcard.slice(1));

/** A listener that a route may have hosts on; an empty hostname matches any host. */
interface Meeting {
  readonly listener: string;
  /** Hostnames of the other listeners on the port. */
  readonly rivals: readonly string[];
}

/**
 * The hosts of a route on a listener: the intersection of their hostnames, without the hosts of a closer listener
 * (listener isolation). `*` is any host. Gateway API, HTTPRouteSpec.hostnames and Listener.hostname.
 */
export function hostsOf(hostnames: readonly string[], { listener, rivals }: Meeting): readonly string[] {
  if (hostnames.length === 0) return [listener || "*"];
  const found = new Set<string>();
  for (const hostname of hostnames) {
    const host = meet(hostname, listener);
    if (host && (host === listener || !rivals.some((rival) => isCloser(rival, listener, host))))
      found.add(host);
  }
  return [...found];
}

function meet(hostname: string, listener: string): string | undefined {
  if (listener === "" || hostname === listener || isUnder(hostname, listener)) return hostname;
  return isUnder(listener, hostname) ? listener : undefined;
}

const isCloser = (rival: string, listener: string, host: string): boolean =>
  rival === host || (isUnder(host, rival) && rival.length > listener.length);

/** The wildcards above a host name, the closest first: `*.b.c` and `*.c` for `a.b.c`; then `*`, any host. */
export function widerThan(host: string): string[] {
  const labels = host.split(".").slice(1);
  return [...labels.map((_, i) => `*.${labels.slice(i).join(".")}`), "*"].filter((wider) => wider !== host);
}
