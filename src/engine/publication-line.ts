import type { LogFields } from "../log/log.js";
import { plural } from "../schema/words.js";
import type { Cause } from "./published-changes.js";
import type { Published } from "./publisher.js";

const maxHosts = 10;
const maxCauses = 5;

/** The line of the log about a publication, with its event and fields. */
export function publicationLine({
  sequence,
  changedAt,
  publishedAt,
  causes,
  change,
}: Published): [string, "published" | "endpoints-published", LogFields] {
  const { hosts = [], hostCount = 0, types = [], onlyEndpoints = false } = change ?? {};
  const from = causes.length > 0 ? ` of ${causes.slice(0, maxCauses).map(shownCause).join("; ")}` : "";
  const shown = hosts.slice(0, maxHosts).join(", ");
  const more = hostCount > maxHosts && shown !== "" ? ", …" : "";
  const what =
    hostCount > 0 ? `${plural(hostCount, "host")}${shown ? `: ${shown}${more}` : ""}` : types.join(", ");
  const text = change ? what || "no host" : "the same content as before the restart";
  return [
    `published ${sequence}${from}: ${text}`,
    onlyEndpoints ? "endpoints-published" : "published",
    {
      sequence,
      causes: causes.map(({ source, revision, by, commit, objects }) => ({
        source,
        revision,
        by,
        commit,
        objects,
      })),
      hosts,
      hostCount,
      types,
      seconds: Math.max(0, publishedAt - changedAt) / 1000,
    },
  ];
}

function shownCause({ source, revision, by, commit, objects = [] }: Cause): string {
  const what = revision === undefined ? source : `${source} revision ${revision}`;
  const who = [by ? `by ${by}` : "", commit ? `commit ${commit.slice(0, 12)}` : ""]
    .filter(Boolean)
    .join(", ");
  const named = objects.length > 0 ? ` (${objects.join(", ")})` : "";
  return `${what || "the cluster"}${who ? ` ${who}` : ""}${named}`;
}
