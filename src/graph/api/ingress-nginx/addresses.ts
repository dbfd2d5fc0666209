import type { NginxAnnotation } from "../../../schema/ingress-nginx.js";
import type { SnippetEffect } from "../../../schema/nginx-snippet.js";
import type { RoutePolicies } from "../../policies/index.js";
import { type IpFilter, type IpRange, readRange } from "../../policies/ip-filter.js";
import type { NginxHostContext, Notes } from "./annotated-ingress.js";
import type { NginxLocation } from "./locations.js";

/** A rule of nginx: the first one with the client's address decides. Without a range: any address. */
interface Rule {
  readonly allow: boolean;
  readonly range?: IpRange;
}

type Snippets = { readonly own: readonly SnippetEffect[]; readonly ofServer: readonly SnippetEffect[] };

const anyAddress: readonly IpRange[] = [
  { remote: true, address: "0.0.0.0", prefixLength: 0 },
  { remote: true, address: "::", prefixLength: 0 },
];

/** Reads the address lists of a location, and `allow` and `deny` of its snippets. */
export function readAddresses(
  { of: { values } }: NginxLocation,
  { config: { options } }: NginxHostContext,
  snippets: Snippets,
  notes: Notes,
): RoutePolicies["ipFilter"] {
  const [allowName, allow] = values["allowlist-source-range"]
    ? (["allowlist-source-range", values["allowlist-source-range"]] as const)
    : ([
        "whitelist-source-range",
        values["whitelist-source-range"] ?? options["whitelist-source-range"],
      ] as const);
  const deny = values["denylist-source-range"] ?? options["denylist-source-range"];
  const denied = readRanges(deny, "denylist-source-range", notes) ?? [];
  const allowed = readRanges(allow, allowName, notes);
  const own: readonly Rule[] = [
    ...denied.map((range) => ({ allow: false, range })),
    ...(allowed ?? []).map((range) => ({ allow: true, range })),
    ...(allowed ? [{ allow: false }] : []),
    ...rulesOf("configuration-snippet", snippets.own, notes),
  ];
  // As in nginx, a location with rules of its own does not have those of its server.
  const rules = own.length > 0 ? own : rulesOf("server-snippet", snippets.ofServer, notes);
  const filter = filterOf(rules, notes);
  const blocked = readRanges(options["block-cidrs"]?.join(","), "denylist-source-range", notes) ?? [];
  if (blocked.length === 0) return filter;
  if (!filter) return { allow: false, ranges: blocked };
  return filter.allow
    ? { ...filter, except: [...(filter.except ?? []), ...blocked] }
    : { ...filter, ranges: [...filter.ranges, ...blocked] };
}

function rulesOf(
  annotation: "configuration-snippet" | "server-snippet",
  effects: readonly SnippetEffect[],
  notes: Notes,
): readonly Rule[] {
  return effects.flatMap((effect): readonly Rule[] => {
    if (effect.kind !== "address") return [];
    if (effect.range === "all") return [{ allow: effect.allow }];
    const ranges = readRanges(effect.range, annotation, notes) ?? [];
    return ranges.map((range) => ({ allow: effect.allow, range }));
  });
}

/** The filter with the effect of rules. A refused address after an allowed one has no equivalent. */
function filterOf(rules: readonly Rule[], notes: Notes): IpFilter | undefined {
  const denied: IpRange[] = [];
  const allowed: IpRange[] = [];
  for (const { allow, range } of rules) {
    if (!range && allow) break;
    if (!range) {
      if (allowed.length === 0) return { allow: false, ranges: anyAddress };
      return { allow: true, ranges: allowed, ...(denied.length > 0 ? { except: denied } : {}) };
    }
    if (allow) allowed.push(range);
    else if (allowed.length === 0) denied.push(range);
    else
      return notes.refuse(
        "configuration-snippet",
        "a snippet refuses an address after it allows others, which Envoy can't",
      );
  }
  return denied.length > 0 ? { allow: false, ranges: denied } : undefined;
}

/** Reads comma-separated addresses and CIDRs. One invalid entry refuses the whole list. */
function readRanges(
  text: string | undefined,
  annotation: NginxAnnotation,
  notes: Notes,
): readonly IpRange[] | undefined {
  if (!text) return undefined;
  const ranges: IpRange[] = [];
  for (const part of text.split(",").map((one) => one.trim())) {
    if (part === "") continue;
    const range = readRange(part);
    if (!range)
      return notes.refuse(
        annotation,
        `${annotation}: ${JSON.stringify(part.slice(0, 80))} is no address or CIDR`,
      );
    ranges.push({ remote: true, ...range });
  }
  return ranges.length > 0 ? ranges : notes.refuse(annotation, `${annotation} holds no address`);
}
