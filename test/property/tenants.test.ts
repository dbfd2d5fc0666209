import { isDeepStrictEqual } from "node:util";
import { describe, expect, it } from "vitest";
import { widerThan } from "../../src/graph/api/gateway/hostnames.js";
import { hostUnit } from "../../src/graph/core/keys.js";
import type { Route, Site, Sites } from "../../src/graph/core/nodes.js";
import { createReport } from "../../src/graph/core/reader.js";
import { StoreReader } from "../../src/graph/core/store-reader.js";
import { buildVirtualHost } from "../../src/graph/core/virtual-host.js";
import { kindOf, namespaceOf, type Ref } from "../../src/schema/meta.js";
import { type KubeObject, parseObject } from "../../src/schema/object.js";
import { parseSettings, settingsRef } from "../../src/schema/settings.js";
import { createMemoryStore } from "../../src/store/memory.js";
import type { Store } from "../../src/store/store.js";
import { update } from "../../src/update.js";
import { closedCluster } from "../../src/xds/filter-chain.js";
import type { Manifest } from "../support/backend.js";
import { platform } from "../support/compile.js";
import { fc } from "../support/fast-check.js";
import { gatewaySettings } from "../support/gateway.js";
import {
  sharedGateway,
  tenantBackground,
  tenantHosts,
  tenantName,
  tenantObject,
  tenantSettings,
} from "../support/tenants.js";

/**
 * The objects of one tenant (`evil`) do not change the answers of another tenant's hosts (`shop`), except by the rules of
 * sharing in docs/security.md. Each rule is a predicate here.
 */
const shop = "shop";
const evil = "evil";
const hosts = [...tenantHosts, "*"];

type Objects = readonly KubeObject[];

/** Rule 1: a tenant names the other one in an include, a Secret, an annotation or a grant, or delegates a certificate to all. */
const letsIn = (objects: Objects, other: string): boolean =>
  new RegExp(`"${other}["/]`).test(JSON.stringify(objects)) ||
  objects.some(({ kind }) => kind === "TLSCertificateDelegation");

/** Rule 2: `evil` claims the host, or a wildcard that a listener's hostname may narrow to it, with a kind that may share it. */
const claims = (objects: Objects, host: string): boolean =>
  objects.some((object) => {
    switch (object.kind) {
      case "HTTPProxy":
      case "IngressRoute":
        return object.spec.virtualhost?.fqdn === host;
      case "Ingress":
        return (
          (object.spec.rules ?? []).some((rule) => (rule.host || "*") === host) ||
          (host === "*" && object.spec.defaultBackend !== undefined)
        );
      case "HTTPRoute":
      case "GRPCRoute":
      case "TLSRoute":
        return (
          object.spec.hostnames.length === 0 ||
          [host, ...widerThan(host)].some((one) => object.spec.hostnames.includes(one))
        );
      case "TCPRoute":
        return true;
      default:
        return false;
    }
  });

/** Rule 3: roots of a host in several namespaces are all refused, and so are its Ingresses. */
const areDuplicates = (one: Objects, other: Objects, host: string): boolean =>
  [one, other].every((objects) =>
    objects.some(
      ({ kind, spec }) =>
        (kind === "HTTPProxy" || kind === "IngressRoute") && spec.virtualhost?.fqdn === host,
    ),
  );

const ranks: Readonly<Record<string, number>> = { HTTPProxy: 1, IngressRoute: 1, Ingress: 2 };

/**
 * Rule 4: routes of the Gateway API precede roots, and roots precede Ingresses. Among Ingresses, those with a rule for the
 * host are first, then the oldest.
 */
function comesFirst(a: Ref, b: Ref, host: string, store: Store): boolean | undefined {
  const [first, second] = [ranks[kindOf(a)] ?? 0, ranks[kindOf(b)] ?? 0];
  if (first !== second) return first < second;
  if (kindOf(a) !== "Ingress") return undefined;
  const place = (ref: Ref): string => {
    const object = store.object(ref);
    return `${object && claims([object], host) ? 0 : 1} ${object?.meta.created} ${ref}`;
  };
  return place(a) < place(b);
}

const sitesOf = (store: Store, host: string): Sites => {
  const settings = store.object(settingsRef);
  if (settings?.kind !== "Settings") throw new Error("there are no settings");
  const reader = new StoreReader(store, settings.spec, { checkKeyPair });
  return buildVirtualHost(host, reader, createReport()).sites;
};

const checked = new Map<string, string | undefined>();
const checkKeyPair = (certificate: string, key: string): string | undefined => {
  const pair = certificate + key;
  if (!checked.has(pair)) checked.set(pair, platform.checkKeyPair(certificate, key));
  return checked.get(pair);
};

const tables = ["ingress_http", "ingress_https", "ingress_fallbackcert", "https-1443", "https-1444"];

/** The placeholder of a host without routes, which blocks wildcards: it answers 404, or closes the connection. */
const isClosed = (json: string): boolean => json.includes('"routes":[]') || json.includes(closedCluster);

/** The configuration of a host: its virtual hosts and filter chains, and their clusters and Secrets. */
function linked(store: Store, host: string): string {
  const own = tables.flatMap((group) =>
    (["virtual-host", "filter-chain"] as const).flatMap((type) => {
      const found = store.resource(type, group, host);
      return found && !isClosed(found.json) ? [`${type} ${group} ${found.json}`] : [];
    }),
  );
  const named = [...new Set(own.join().match(/"(?:shop|evil|infra|extension)\/[^"]*"/g))].flatMap(
    (quoted) => {
      const name = quoted.slice(1, -1);
      const cluster = store.resource("cluster", "", name);
      const endpoints = store.resource("endpoints", "", cluster?.endpoints ?? "");
      return [name, cluster?.json, endpoints?.json, store.resource("secret", "", name)?.json];
    },
  );
  return JSON.stringify([own, named]);
}

interface World {
  readonly objects: Objects;
  readonly store: Store;
  readonly sites: ReadonlyMap<string, Sites>;
  readonly linked: ReadonlyMap<string, string>;
}

/** The routes of the objects with the highest precedence; those of a root include its children. */
const ofOwner = ({ terms: { owner }, routes }: Site): Route[] =>
  routes.filter(({ from }) => (ranks[kindOf(owner)] === 1 ? ranks[kindOf(from)] === 1 : from === owner));

/** Checks the rules for a host that both tenants claim. */
function checkShared(host: string, alone: World, theirs: World, both: Store): void {
  for (const [listener, site] of sitesOf(both, host)) {
    const where = `${host} on ${listener}`;
    const own = alone.sites.get(host)?.get(listener);
    const other = theirs.sites.get(host)?.get(listener);
    // A host may use an object of the other tenant, because its `tcpproxy` may include one.
    const isHelped = letsIn(theirs.objects, shop) && own?.terms.owner !== site.terms.owner;
    const chain = both.resource("filter-chain", listener, host)?.json ?? "";
    checkUnmixed(where, site, isHelped ? "" : chain);
    if (areDuplicates(alone.objects, theirs.objects, host)) {
      expect(ranks[kindOf(site.terms.owner)], `${where} is served in spite of two roots`).toBeUndefined();
      continue;
    }
    if (isHelped) continue;
    const possible = [own, other].flatMap((one) => one?.terms ?? []);
    expect(
      possible.some((terms) => isDeepStrictEqual(terms, site.terms)),
      `${where} has terms that none asks for`,
    ).toBe(true);
    if (own && other) checkOwner(host, site, [own, other], both);
    else expect(site, where).toEqual(own ?? other);
    checkTold(host, site, both);
  }
}

/** A chain's certificate and content belong to one tenant, and so do a route and its backends. */
function checkUnmixed(where: string, { routes, terms }: Site, chain: string): void {
  const isMixed = terms.kind !== "http" && chain.includes('"shop/') && chain.includes('"evil/');
  expect(isMixed, `${where} has a mixed chain`).toBe(false);
  for (const { from, action } of routes)
    for (const { cluster } of action.kind === "forward" ? action.backends : [])
      expect(cluster.namespace, `${from} of ${where}`).toBe(namespaceOf(from));
}

function checkOwner(host: string, site: Site, [own, other]: readonly [Site, Site], both: Store): void {
  const ownFirst = comesFirst(own.terms.owner, other.terms.owner, host, both);
  if (ownFirst === undefined) return;
  const owner = ownFirst ? own : other;
  expect(site.terms, host).toEqual(owner.terms);
  expect(ofOwner(site), `routes of the owner of ${host}`).toEqual(ofOwner(owner));
}

/** The findings name the owner of a host and the objects with routes beside it, without their contents. */
function checkTold(host: string, { terms: { owner }, routes }: Site, store: Store): void {
  // A root stands for the children that it includes.
  const guests = routes.flatMap(({ from }) =>
    namespaceOf(from) === namespaceOf(owner) || ranks[kindOf(from)] === 1 ? [] : from,
  );
  if (guests.length === 0) return;
  const findings = (store.unit(hostUnit(host))?.findings ?? []).filter(({ reason }) =>
    ["HostShared", "HostOfAnotherNamespace"].includes(reason),
  );
  const told = findings.map(({ about }) => about);
  expect(told, host).toEqual(expect.arrayContaining([owner, ...guests]));
  for (const { message, path } of findings) expect(message + (path ?? ""), host).not.toContain("spec.r");
}

function parse(manifest: Manifest): KubeObject {
  const parsed = parseObject(manifest);
  if ("object" in parsed) return parsed.object;
  throw new Error(`an object of the test is not valid: ${JSON.stringify([manifest, parsed])}`);
}

const background = [
  ...tenantBackground(shop, "10.0.0.1", "ca.crt"),
  ...tenantBackground(evil, "10.0.0.2", "stranger.crt"),
  ...sharedGateway,
].map(parse);

const worldOf = (settings: KubeObject, objects: Objects): World => {
  const store = createMemoryStore();
  update(store, [settings, ...background, ...objects], { checkKeyPair });
  const perHost = <T>(read: (store: Store, host: string) => T): ReadonlyMap<string, T> =>
    new Map(hosts.map((host) => [host, read(store, host)]));
  return { objects, store, sites: perHost(sitesOf), linked: perHost(linked) };
};

/** Sets of up to four objects with different refs. */
const setsOf = (namespace: string, other: string, seed: number, count: number): Objects[] =>
  fc
    .sample(
      fc
        .integer({ min: 1, max: 4 })
        .chain((size) =>
          fc.tuple(...Array.from({ length: size }, (_, i) => tenantObject(namespace, other, tenantName(i)))),
        ),
      { numRuns: count, seed },
    )
    .map((set) => set.map((one) => parse(one as Manifest)));

/** Whether a tenant has the host: with a root or an Ingress, or with an attached route. */
const isHeld = ({ objects, sites }: World, host: string): boolean =>
  claims(
    objects.filter(({ kind }) => kind in ranks),
    host,
  ) || (sites.get(host)?.size ?? 0) > 0;

const variants: readonly [string, Manifest, (host: string, own: World) => boolean][] = [
  ["no setting", {}, () => false],
  ["a Gateway", gatewaySettings, () => false],
  [
    "hostOwners",
    {
      ...gatewaySettings,
      hostOwners: ["x.test", "y.test", "*.w.test"].map((host) => ({ host, namespaces: [shop] })),
    },
    (host) => host !== "*",
  ],
  [
    "rootNamespaces",
    { ...gatewaySettings, rootNamespaces: [shop] },
    (host, own) => host !== "*" && [host, ...widerThan(host)].some((one) => one !== "*" && isHeld(own, one)),
  ],
];

/** 5,000 pairs in total for each variant of settings. */
describe(`a tenant of a random pair never changes the answers of the other's hosts (SEED=${fc.seed})`, () => {
  it.each(variants)("with %s", (_, fields, isKept) => {
    const { settings } = parseSettings({ ...tenantSettings, ...fields });
    const own = setsOf(shop, evil, fc.seed, fc.runs(100)).filter((objects) => !letsIn(objects, evil));
    const theirs = setsOf(evil, shop, -fc.seed, fc.runs(50)).map((objects) => worldOf(settings, objects));
    for (const alone of own.map((objects) => worldOf(settings, objects))) {
      const both = alone.store;
      for (const { objects, ...world } of theirs) {
        update(both, objects, { checkKeyPair });
        for (const host of hosts) {
          const context = JSON.stringify([host, alone.objects, objects]);
          if (!claims(objects, host) || isKept(host, alone))
            expect(linked(both, host), context).toBe(alone.linked.get(host));
          else checkShared(host, alone, { objects, ...world }, both);
        }
        const gone = objects.map(({ ref }) => ({ gone: ref }));
        update(both, gone, { checkKeyPair });
      }
      for (const host of hosts) expect(linked(both, host), host).toBe(alone.linked.get(host));
    }
  });
});
