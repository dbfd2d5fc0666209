interface Address {
  readonly address: string;
  readonly port: number;
}

interface ListenerSettings {
  readonly http: Address;
  readonly https: Address;
  readonly stats: Address;
}

const defaults = { https: 8443, http: 8080, stats: 8002 } as const;
type Name = keyof typeof defaults;

const everywhere = ["0.0.0.0", "::"];
const overlaps = (a: Address, b: Address): boolean =>
  a.port === b.port &&
  (a.address === b.address || everywhere.includes(a.address) || everywhere.includes(b.address));

/**
 * Envoy refuses a listener on an address that another one has: the one whose port is not its default goes back to it.
 * `problems` name the settings' keys.
 */
export function separatePorts<T extends ListenerSettings>(
  spec: T,
): { readonly spec: T; readonly problems: readonly { readonly path: string; readonly message: string }[] } {
  const problems: { path: string; message: string }[] = [];
  let now = spec;
  for (const name of Object.keys(defaults) as Name[]) {
    const others = (Object.keys(defaults) as Name[]).filter((other) => other !== name);
    const clash = others.find((other) => overlaps(now[other], now[name]));
    if (clash === undefined || now[name].port === defaults[name]) continue;
    const message = `${now[name].port} is the port of ${clash}, too; the default (${defaults[name]}) is used`;
    problems.push({ path: `${name}.port`, message });
    now = { ...now, [name]: { ...now[name], port: defaults[name] } };
  }
  return { spec: now, problems };
}

/** Whether an address is that of one of the listeners for traffic. */
export const isTrafficAddress = ({ http, https }: ListenerSettings, at: Address): boolean =>
  overlaps(http, at) || overlaps(https, at);
