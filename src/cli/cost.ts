import { shardCount } from "../xds/route-shards.js";
import { UsageError } from "./usage.js";

/** The options of `isoline cost`, as commander passes them. */
export interface CostCommandOptions {
  readonly envoys: string;
  readonly services: string;
  readonly certificates: string;
  readonly changes: string;
  readonly refreshDelay: string;
  readonly hold: string;
  readonly platform: Platform;
  readonly format: "text" | "json";
}

type Platform = "cloudflare" | "cloudflare-free" | "node";

/** A fleet of Envoys, with the parameters of its polls. */
export interface FleetSize {
  readonly envoys: number;
  readonly services: number;
  /** Certificates with a subscription each (`secrets: sds`); 0 when they are inline. */
  readonly certificates: number;
  /** Publications per day. */
  readonly changes: number;
  /** Seconds. */
  readonly refreshDelay: number;
  /** Seconds that a poll is held; 0: it is answered at once. */
  readonly hold: number;
}

export interface ModeCost {
  readonly endpoints: "eds" | "inline" | "service" | "auto";
  readonly routeShards: number;
  /** Open polls of one Envoy. */
  readonly subscriptions: number;
  /** Each counts on both meters of Cloudflare: that of the Worker and that of its Durable Objects. */
  readonly requestsPerMonth: number;
  /** Durable Objects, because one holds a limited number of polls. */
  readonly objects: number;
  /** Their duration in GB-s. */
  readonly duration: number;
  /** US dollars per month on the paid plan, with its base. */
  readonly dollars: number;
  /** Whether the limits per day of the free plan suffice. */
  readonly fitsFree: boolean;
}

const secondsPerMonth = 30 * 86_400;
/** The mode `auto` is `inline` above this number of clusters, with EDS for those that change. */
const autoClusters = 200;
const autoChanging = 64;
/** The limit of held polls of an object. */
const pollsPerObject = 8000;

/** Public prices of 2026, in US dollars, with what the paid plan includes per month. */
const paid = {
  base: 5,
  worker: { included: 10e6, perMillion: 0.3 },
  object: { included: 1e6, perMillion: 0.15 },
  duration: { included: 400_000, perMillion: 12.5 },
};
/** The limits of the free plan per day. */
const free = { requests: 100_000, duration: 13_000 };
/** The billed memory of an object, whatever it uses. */
const objectGigabytes = 0.128;

const priceOf = (used: number, { included, perMillion }: typeof paid.worker): number =>
  (Math.max(0, used - included) / 1e6) * perMillion;

const edsOf = { inline: () => 0, service: () => 0, eds: (services: number) => services, auto: autoEds };

function autoEds(services: number): number {
  return services > autoClusters ? Math.min(services, autoChanging) : services;
}

/** Requests and prices per month by endpoint mode and number of route shards, with HTTP and HTTPS in use. */
export function costs(size: FleetSize): ModeCost[] {
  const { envoys, services, certificates, changes, refreshDelay, hold } = size;
  // Envoy polls again one to two delays after an answer.
  const between = hold + 1.5 * refreshDelay;
  return (["inline", "service", "eds", "auto"] as const).flatMap((endpoints) =>
    [1, shardCount].map((routeShards) => {
      const tables = 2 * routeShards + (routeShards > 1 ? 1 : 0);
      const subscriptions = 2 + tables + certificates + edsOf[endpoints](services);
      const idle = (subscriptions * secondsPerMonth) / between;
      // A change is one more answer for each affected subscription: clusters, endpoints and a table.
      const woken = hold > 0 ? changes * 30 * 3 : 0;
      const requests = Math.round(envoys * (idle + woken));
      return {
        endpoints,
        routeShards,
        subscriptions,
        requestsPerMonth: requests,
        ...billOf(requests, envoys * subscriptions),
      };
    }),
  );
}

/** The bill for requests and for objects that hold polls around the clock. */
function billOf(requests: number, polls: number) {
  const objects = Math.max(1, Math.ceil(polls / pollsPerObject));
  const duration = Math.round(objects * secondsPerMonth * objectGigabytes);
  const dollars =
    paid.base +
    priceOf(requests, paid.worker) +
    priceOf(requests, paid.object) +
    priceOf(duration, paid.duration);
  const fitsFree = requests / 30 <= free.requests && duration / 30 <= free.duration;
  return { objects, duration, dollars: Math.round(dollars * 100) / 100, fitsFree };
}

type Column = readonly [title: string, text: (cost: ModeCost) => string];

const count = (value: number): string => value.toLocaleString("en");

const common: readonly Column[] = [
  ["endpoints", ({ endpoints }) => endpoints],
  ["routeShards", ({ routeShards }) => String(routeShards)],
  ["open polls per Envoy", ({ subscriptions }) => count(subscriptions)],
  ["requests a month", ({ requestsPerMonth }) => count(requestsPerMonth)],
];
const ofObjects: readonly Column[] = [
  ["objects", ({ objects }) => count(objects)],
  ["GB-s", ({ duration }) => count(duration)],
];
const columns: Readonly<Record<Platform, readonly Column[]>> = {
  node: common,
  cloudflare: [
    ...common,
    ...ofObjects,
    ["$ a month", ({ dollars }) => dollars.toLocaleString("en", { minimumFractionDigits: 2 })],
  ],
  "cloudflare-free": [...common, ...ofObjects, ["fits", ({ fitsFree }) => (fitsFree ? "yes" : "no")]],
};

/**
 * `isoline cost`: the requests of a fleet, and their price.
 *
 * @throws UsageError when a number is not valid.
 */
export function costCommand(options: CostCommandOptions): void {
  const found = costs({
    envoys: numberOf("--envoys", options.envoys, 1),
    services: numberOf("--services", options.services, 0),
    certificates: numberOf("--certificates", options.certificates, 0),
    changes: numberOf("--changes", options.changes, 0),
    refreshDelay: numberOf("--refresh-delay", options.refreshDelay.replace(/s$/, ""), 0.001),
    hold: numberOf("--hold", options.hold.replace(/s$/, ""), 0),
  });
  if (options.format === "json") console.log(JSON.stringify(found));
  else for (const line of table(found, columns[options.platform])) console.log(line);
}

function table(found: readonly ModeCost[], shown: readonly Column[]): string[] {
  const rows = [shown.map(([title]) => title), ...found.map((one) => shown.map(([, text]) => text(one)))];
  const widths = shown.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  "),
  );
}

function numberOf(option: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isFinite(value) && value >= least && value <= 1e9) return value;
  throw new UsageError(`${option} ${text}: expected a number of at least ${least}`);
}
