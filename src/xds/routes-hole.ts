import type { PollTimes } from "../schema/polls.js";
import { scopedRoutes, wholeRoutes } from "./route-shards.js";

/**
 * The members by which a connection manager finds the routes of a table. Compiled fragments have a hole in their place: whether a table
 * is served in parts is decided when fragments are linked, and whether an Envoy can be given parts when it is answered.
 */
export interface TableRoutes {
  readonly table: string;
  readonly inParts: boolean;
  /** JSON of the members, without braces. */
  readonly json: string;
  /** The same for an Envoy that takes whole tables only. */
  readonly wholeJson: string;
}

/** JSON text, or what fills a hole in it. */
export type Piece = string | TableRoutes;

/** The name of the member in place of the routes: no field of Envoy's has a control character in its name. */
const holeName = "\u001a";

/**
 * A hole for the routes of a table, among the members of a connection manager. Its value is a list: names that users choose, those of
 * access log fields, have strings.
 */
export const routesHole = (table: string): object => ({ [holeName]: [table] });

/** What users write is in JSON strings, where quotes are escaped, so that no text of theirs is taken for a hole. */
const hole = /"\\u001a":\[("[^"\\]*")\]/;

/** The JSON of a fragment with its holes filled; `routesOf` gives the routes of a table. */
export function filled(
  json: string,
  routesOf: (table: string) => TableRoutes,
): readonly [string, ...Piece[]] {
  const [first = "", ...rest] = json.split(hole);
  return [first, ...rest.map((part, i) => (i % 2 === 1 ? part : routesOf(JSON.parse(part) as string)))];
}

/** How connection managers find the routes of tables, those of `split` in parts; one object for each table. */
export function routesIn(split: ReadonlySet<string>, polls?: PollTimes): (table: string) => TableRoutes {
  const known = new Map<string, TableRoutes>();
  return (table) => {
    const found = known.get(table) ?? tableRoutes(table, split.has(table), polls);
    known.set(table, found);
    return found;
  };
}

function tableRoutes(table: string, inParts: boolean, polls: PollTimes | undefined): TableRoutes {
  const wholeJson = members(wholeRoutes(table, polls));
  return { table, inParts, json: inParts ? members(scopedRoutes(table, polls)) : wholeJson, wholeJson };
}

const members = (of: object): string => JSON.stringify(of).slice(1, -1);

/** The text of a piece, as the newest Envoys get it. */
export const textOf = (piece: Piece): string => (typeof piece === "string" ? piece : piece.json);

/** The text of a piece for an Envoy that takes whole tables only. */
export const wholeTextOf = (piece: Piece): string => (typeof piece === "string" ? piece : piece.wholeJson);
