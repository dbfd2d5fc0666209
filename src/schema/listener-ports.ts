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
 * Gives listeners with the same address different ports, because Envoy rejects the second one: a listener whose port is
 * not its default gets its default port. `problems` name the keys of the settings.
 */
export function separatePorts<T extends ListenerSettings>(
  spec: T,
): { readonly spec: T; readonly problems: readonly { readonly path: string; readonly message: string }[] } {
  const problems: { path: string; message: string }[] = [];
  let current = spec;
  for (const name of Object.keys(defaults) as Name[]) {
    const others = (Object.keys(defaults) as Name[]).filter((other) => other !== name);
    const clash = others.find((other) => overlaps(current[other], current[name]));
    if (clash === undefined || current[name].port === defaults[name]) continue;
    const message = `${current[name].port} is also the port of ${clash}; the default (${defaults[name]}) is used`;
    problems.push({ path: `${name}.port`, message });
    current = { ...current, [name]: { ...current[name], port: defaults[name] } };
  }
  return { spec: current, problems };
}

/** Whether a listener for traffic has the address. */
export const isTrafficAddress = ({ http, https }: ListenerSettings, at: Address): boolean =>
  overlaps(http, at) || overlaps(https, at);
