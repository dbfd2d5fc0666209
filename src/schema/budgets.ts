import { z } from "zod";
import { uint32 } from "./fields.js";

/** Limits on the configuration that the objects of one namespace generate. */
export const budgets = z
  .object({
    /** Instructions in the program of one regular expression. RE2's own limit is some hundred thousand. */
    regexProgramSize: uint32.min(1).max(100_000).default(2000),
    /** Routes that includes, delegations, hosts and matches generate. */
    routes: uint32.default(4_000),
    /** Bytes of configuration, as JSON. */
    bytes: uint32.default(2_000_000),
    /** Instructions of all programs in total, beyond one for each character of the expressions. */
    programSize: uint32.default(100_000),
    /** Key set servers that the HTTPProxies name. */
    keySets: uint32.default(100),
    /** Envoy clusters for Services, beyond one for each Service. */
    clusters: uint32.default(1_000),
  })
  .prefault({});
