import ipaddr from "ipaddr.js";
import type { ErrorCode } from "../../../schema/finding-codes.js";
import type { Ref } from "../../../schema/meta.js";
import { addressKey, gatewaysKey } from "../../core/keys.js";
import { byAge } from "../../core/order.js";
import { objectsOf, type Reader } from "../../core/reader.js";
import type { Gateway } from "./gateway-listener.js";
import { isOfFleet } from "./selector.js";

/** The addresses of a Gateway of a class. */
export interface Addresses {
  /** The IP addresses that Envoy listens on; empty if there is a problem. */
  readonly list: readonly string[];
  readonly problem?: {
    readonly type: "Accepted" | "Programmed";
    readonly reason: ErrorCode;
    readonly message: string;
  };
}

/** The addresses in `spec.addresses` of a Gateway, or one of the pool. */
function gatewayAddresses(gateway: Gateway, reader: Reader): Addresses {
  const { addresses } = gateway.spec;
  const { staticAddresses, addressPool } = reader.settings.gateway;
  const fail = (type: "Accepted" | "Programmed", reason: ErrorCode, message: string): Addresses => ({
    list: [],
    problem: { type, reason, message },
  });
  const foreign = addresses.findIndex(({ type }) => type !== "IPAddress");
  if (foreign >= 0)
    return fail(
      "Accepted",
      "UnsupportedAddress",
      `spec.addresses[${foreign}]: type ${JSON.stringify(addresses[foreign]?.type)} is not supported, only IPAddress is`,
    );
  const asked = addresses.map(({ value }) => value).filter((value) => value !== "");
  const odd = asked.find((value) => usualForm(value) !== value);
  if (odd !== undefined) {
    const usual = usualForm(odd);
    const hint = usual === undefined ? "is no IP address" : `must be written as ${usual}`;
    return fail("Programmed", "AddressNotUsable", `address ${JSON.stringify(odd)} ${hint}`);
  }
  const unusable = asked.find((value) => !staticAddresses.some((network) => isWithin(value, network)));
  if (unusable !== undefined)
    return fail(
      "Programmed",
      "AddressNotUsable",
      `address ${JSON.stringify(unusable)} is in none of the blocks of the setting gateway.staticAddresses`,
    );
  for (const address of asked) {
    const owner = olderOwner(gateway, address, reader);
    if (owner)
      return fail(
        "Programmed",
        "AddressNotUsable",
        `address ${JSON.stringify(address)} is that of Gateway ${owner.meta.namespace}/${owner.meta.name}, which is older; Gateways of different namespaces can't share an address`,
      );
  }
  if (asked.length > 0) return { list: [...new Set(asked)] };
  if (addressPool === undefined)
    return fail(
      "Programmed",
      "AddressNotAssigned",
      "the Gateway has no spec.addresses, and the setting gateway.addressPool is missing",
    );
  const found = poolAddress(gateway, addressPool, reader);
  if (found !== undefined) return { list: [found] };
  return fail(
    "Programmed",
    "AddressNotAssigned",
    `no address of the setting gateway.addressPool (${addressPool}) is free`,
  );
}

/** The addresses of a Gateway, read once per unit. */
export const addressesOnce = (gateway: Gateway, reader: Reader): Addresses =>
  reader.unitCache.once(gatewayAddresses, gateway.ref, gateway, reader);

/**
 * The other Gateways that may have an address: those that ask for it, and if it is an address of the pool all. Only
 * Gateways of classes of this controller.
 */
export function othersWith(gateway: Gateway, address: string, reader: Reader): Gateway[] {
  const { addressPool, controllerName } = reader.settings.gateway;
  const isPooled = addressPool !== undefined && isWithin(address, addressPool);
  const refs = new Set([
    ...reader.claimants(addressKey(address)),
    ...(isPooled ? reader.claimants(gatewaysKey) : []),
  ]);
  refs.delete(gateway.ref);
  const { gatewayRef } = reader.settings;
  return objectsOf("Gateway", [...refs], reader).filter(
    ({ meta, spec }) =>
      !(gatewayRef?.namespace === meta.namespace && gatewayRef.name === meta.name) &&
      isOfFleet(spec, reader.settings) &&
      reader.get("GatewayClass", "", spec.gatewayClassName)?.spec.controllerName === controllerName,
  );
}

/** Whether the older of two Gateways is the first one. */
export const isOlder = (a: Gateway, b: Gateway): boolean => byAge(a, b) < 0;

/** An older Gateway of another namespace that has an address. Whoever has an address gets all its requests. */
const olderOwner = (gateway: Gateway, address: string, reader: Reader): Gateway | undefined =>
  othersWith(gateway, address, reader).find(
    (other) =>
      other.meta.namespace !== gateway.meta.namespace &&
      isOlder(other, gateway) &&
      addressesOnce(other, reader).list.includes(address),
  );

/** The only form of an address that Envoy takes and that is equal for equal addresses: not `10.1`, `0x0a000001`, `FD00::1`. */
const usualForm = (address: string): string | undefined =>
  ipaddr.isValid(address) && !address.includes("%") ? ipaddr.parse(address).toString() : undefined;

export function isWithin(address: string, network: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const ip = ipaddr.parse(address);
  const [base, bits] = ipaddr.parseCIDR(network);
  return ip.kind() === base.kind() && ip.match(base, bits);
}

/** The maximum number of addresses that are used of a pool: an IPv6 pool has more than any number of Gateways. */
const maxPool = 1 << 16;

/**
 * The address of a Gateway in the pool follows from a hash of its name. If two Gateways have the same hash, the older
 * one gets the address, and the younger one gets the next free address. An address stays the same unless an older
 * Gateway with the same hash is added or removed. No state is stored.
 */
function poolAddress(gateway: Gateway, pool: string, reader: Reader): string | undefined {
  const [base, bits] = ipaddr.parseCIDR(pool);
  const bytes = base.toByteArray();
  const size = Math.min(maxPool, 2 ** (bytes.length * 8 - bits));
  // The first address of a block is the network address, the last one is the broadcast address.
  const [first, count] = size > 2 ? [1, size - 2] : [0, size];
  const slotOf = (ref: Ref): number => hash(ref) % count;
  const refs = reader.claimants(gatewaysKey);
  const slots = new Set<number>();
  const isCrowded = refs.some((ref) => slots.size === slots.add(slotOf(ref)).size);
  const addressOf = (slot: number): string => nth(bytes, bits, first + slot);
  const own = slotOf(gateway.ref);
  if (!isCrowded && !isAskedFor(addressOf(own), gateway, reader)) return addressOf(own);
  const slot = slotAmong(gateway, refs, { slotOf, addressOf, count }, reader);
  return slot === undefined ? undefined : addressOf(slot);
}

/** Whether an older Gateway asks for an address in `spec.addresses`. */
const isAskedFor = (address: string, gateway: Gateway, reader: Reader): boolean =>
  objectsOf("Gateway", reader.claimants(addressKey(address)), reader).some((other) =>
    isOlder(other, gateway),
  );

interface Slots {
  readonly count: number;
  slotOf(ref: Ref): number;
  addressOf(slot: number): string;
}

function slotAmong(
  gateway: Gateway,
  refs: readonly Ref[],
  { slotOf, addressOf, count }: Slots,
  reader: Reader,
): number | undefined {
  const taken = new Set<number>();
  for (const one of objectsOf("Gateway", refs, reader).sort(byAge)) {
    if (one.spec.addresses.some(({ value }) => value !== "")) continue;
    let slot = slotOf(one.ref);
    let tries = 0;
    while (tries < count && (taken.has(slot) || isAskedFor(addressOf(slot), one, reader))) {
      slot = (slot + 1) % count;
      tries++;
    }
    if (one.ref === gateway.ref) return tries < count ? slot : undefined;
    if (tries < count) taken.add(slot);
  }
  return undefined;
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}

function nth(base: readonly number[], bits: number, index: number): string {
  const bytes = [...base];
  for (let bit = bits; bit < bytes.length * 8; bit++) {
    const at = bit >> 3;
    bytes[at] = (bytes[at] ?? 0) & ~(0x80 >> (bit & 7));
  }
  let rest = index;
  for (let at = bytes.length - 1; at >= 0 && rest > 0; at--) {
    const sum = (bytes[at] ?? 0) + (rest & 0xff);
    bytes[at] = sum & 0xff;
    rest = (rest >>> 8) + (sum >> 8);
  }
  return ipaddr.fromByteArray(bytes).toString();
}
