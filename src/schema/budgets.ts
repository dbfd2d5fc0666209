import { z } from "zod";
import { uint32 } from "./fields.js";

/** What the objects of one namespace may make beyond what is written in them. */
export const budgets = z
  .object({
    /** Instructions of one regular expression's program; RE2 itself gives up at some hundred thousand. */
    regexProgramSize: uint32.min(1).max(100_000).default(2000),
    /** Routes by includes, delegations, hosts and matches. */
    routes: uint32.default(4_000),
    /** Of configuration, as JSON. */
    bytes: uint32.default(2_000_000),
    /** Instructions of all programs together, beside one for each character. */
    programSize: uint32.default(100_000),
    /** Servers of key sets that the HTTPProxies of a namespace name. */
    keySets: uint32.default(100),
    /** Envoy clusters that Services have beyond one each. */
    clusters: uint32.default(1_000),
  })
  .prefault({});
