import { type Finding, namespaceOf } from "../../schema/meta.js";
import type { RefusedPush } from "./checks.js";

/** The only namespaces that an answer may name; undefined for all. */
export type Namespaces = readonly string[] | undefined;

/** Findings that a token may see: those about objects in its namespaces, and about the text that was pushed. */
export const visibleFindings = (findings: readonly Finding[], namespaces: Namespaces): readonly Finding[] =>
  namespaces
    ? findings.filter(({ about }) => about === "Source//" || namespaces.includes(namespaceOf(about)))
    : findings;

/**
 * An outcome whose refusal names no objects of other namespaces: the holder of the token that rolls back did not write
 * the content.
 */
export const visibleOutcome = <T extends object>(
  outcome: T | RefusedPush,
  namespaces: Namespaces,
): T | RefusedPush =>
  "refused" in outcome
    ? { refused: { ...outcome.refused, findings: visibleFindings(outcome.refused.findings, namespaces) } }
    : outcome;
