/** Whether a host name or wildcard is below `*.x`, by one or more labels. */
export const isUnder = (hostname: string, wildcard: string): boolean =>
  wildcard.startsWith("*.") && hostname.length >= wildcard.length && hostname.endsWith(wildcard.slice(1));

/** A listener that a route may have hosts on; an empty hostname matches any host. */
interface Meeting {
  readonly listener: string;
  /** Hostnames of the other listeners on the port; the hostname of this one has no effect. */
  readonly rivals: ReadonlySet<string>;
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
    if (host && (host === listener || !isTaken(host, listener, rivals))) found.add(host);
  }
  return [...found];
}

function meet(hostname: string, listener: string): string | undefined {
  if (listener === "" || hostname === listener || isUnder(hostname, listener)) return hostname;
  return isUnder(listener, hostname) ? listener : undefined;
}

/** Whether a listener has one of the hostnames. */
export const meets = (hostnames: readonly string[], listener: string): boolean =>
  hostnames.length === 0 || hostnames.some((hostname) => meet(hostname, listener) !== undefined);

/** Whether a rival is closer to a host. The number of rivals does not matter: a host has few wider wildcards. */
function isTaken(host: string, listener: string, rivals: ReadonlySet<string>): boolean {
  if (rivals.size === 0) return false;
  return (
    rivals.has(host) || widerThan(host).some((wider) => wider.length > listener.length && rivals.has(wider))
  );
}

/** The wildcards above a host name, the closest first: `*.b.c` and `*.c` for `a.b.c`; then `*`, any host. */
export function widerThan(host: string): string[] {
  const labels = host.split(".").slice(1);
  return [...labels.map((_, i) => `*.${labels.slice(i).join(".")}`), "*"].filter((wider) => wider !== host);
}
