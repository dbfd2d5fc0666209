import type { Reader } from "../../core/reader.js";
import { addressesOnce, isOlder, othersWith } from "./addresses.js";
import { addressesOf, type GatewayView, viewOf } from "./gateway.js";
import type { GatewayListener } from "./gateway-listener.js";
import { familyOf, type ListenerProblem } from "./ports.js";

/** Ports that older Gateways have at an address of a Gateway, by the name of the Gateway's Envoy listener. */
type TakenPorts = ReadonlyMap<string, ListenerProblem>;

/**
 * The problems of a listener: its own, and that of its port at the Gateway's addresses. That one is not part of the view, as the addresses are not.
 */
export function problemsOf(
  { envoy, problems }: GatewayListener,
  view: GatewayView,
  reader: Reader,
): readonly ListenerProblem[] {
  const taken = envoy === undefined ? undefined : takenPorts(view, reader).get(envoy);
  return taken ? [...problems, taken] : problems;
}

/** Whether Envoy listens for a listener: it is valid, and its port is free at the Gateway's addresses. */
export const isListening = ({ envoy, ready }: GatewayListener, view: GatewayView, reader: Reader): boolean =>
  ready && envoy !== undefined && !takenPorts(view, reader).has(envoy);

/** An address and port belong to one Envoy listener. Of several Gateways of a namespace, the oldest has them. */
const takenPorts = (view: GatewayView, reader: Reader): TakenPorts =>
  reader.unitCache.once(readTakenPorts, view.gateway.ref, view, reader);

function readTakenPorts(view: GatewayView, reader: Reader): TakenPorts {
  const found = new Map<string, ListenerProblem>();
  if (view.isMain) return found;
  for (const address of addressesOf(view, reader)?.list ?? []) {
    const owners = ownersOf(address, view, reader);
    for (const listener of view.listeners) {
      const { envoy, spec } = listener;
      const owner = envoy === undefined ? undefined : owners.get(socketOf(listener));
      if (envoy === undefined || owner === undefined) continue;
      const message = `port ${spec.port} of address ${address} is in use by a listener of ${owner}; use another port or address`;
      found.set(envoy, { type: "Accepted", reason: "PortUnavailable", message });
    }
  }
  return found;
}

/** Who has ports of an address before a Gateway: `tcp 80` or `udp 53`, and the owner as text. */
function ownersOf(address: string, { gateway }: GatewayView, reader: Reader): ReadonlyMap<string, string> {
  const owners = new Map<string, string>();
  const { http, https, stats, health, metrics } = reader.settings;
  for (const one of [http, https, stats, health, metrics])
    if (one.address === address && one.port !== undefined) owners.set(`tcp ${one.port}`, "the settings");
  // An address of the pool has no older owner.
  if (!gateway.spec.addresses.some(({ value }) => value === address)) return owners;
  for (const other of othersWith(gateway, address, reader)) {
    if (!isOlder(other, gateway) || !addressesOnce(other, reader).list.includes(address)) continue;
    const { namespace, name } = other.meta;
    const older = viewOf(namespace, name, reader);
    for (const listener of older?.listeners ?? [])
      if (older && isListening(listener, older, reader))
        owners.set(socketOf(listener), `Gateway ${namespace}/${name}`);
  }
  return owners;
}

const socketOf = ({ spec }: GatewayListener): string =>
  `${familyOf(spec) === "udp" ? "udp" : "tcp"} ${spec.port}`;
