import type { HeaderMatch } from "../../matches/match-types.js";
import { regexProblem } from "../../matches/regex.js";
import { type AnnotatedIngress, fieldOf, type NginxHostContext, type } from "./annotated-ingress.js";
import type { BackendFields, NginxLocation } from "./locations.js";
import { pathsOf } from "./locations.js";

/** A condition, and how its requests are split between the Services of a location and of its canary. */
export interface Choice {
  readonly headers: readonly HeaderMatch[];
  /** The weights of the two Services. */
  readonly weight: readonly [main: number, canary: number];
}

export interface NginxCanary {
  readonly of: AnnotatedIngress;
  readonly backend: BackendFields;
  readonly field: string;
  /** In evaluation order; the last one matches all requests. */
  readonly choices: readonly Choice[];
}

/**
 * The canaries of locations. A canary has no effect if no other Ingress of its namespace has the path. A canary of
 * another namespace must not take requests from a path.
 */
export function readCanaries(
  canaries: readonly AnnotatedIngress[],
  locations: readonly NginxLocation[],
  context: NginxHostContext,
): ReadonlyMap<NginxLocation, NginxCanary> {
  const found = new Map<NginxLocation, NginxCanary>();
  for (const of of canaries)
    for (const { path, exact, backend, field } of pathsOf(of, context.host)) {
      const main = locations.find((one) => one.path === path && one.exact === exact && one.backend);
      const { ref, meta } = of.ingress;
      const warn = (message: string): void =>
        context.report.warn(ref, type, "NginxAnnotationNoEffect", message, fieldOf("canary"));
      if (!main || !backend) warn(`canary: no other Ingress has the host and path ${JSON.stringify(path)}`);
      else if (main.of.ingress.meta.namespace !== meta.namespace)
        warn(`canary: the path ${JSON.stringify(path)} is of another namespace`);
      else if (found.has(main)) warn(`canary: the path ${JSON.stringify(path)} has an older canary`);
      else {
        const choices = choicesOf(of, context);
        if (of.refusal === undefined && choices.length > 0) found.set(main, { of, backend, field, choices });
      }
    }
  return found;
}

const exactly = (name: string, value: string): HeaderMatch => ({
  name,
  kind: "exact",
  value,
  invert: false,
  ignoreCase: false,
  treatMissingAsEmpty: false,
});
const matching = (name: string, value: string): HeaderMatch => ({ ...exactly(name, value), kind: "regex" });
const cookie = (name: string, value: string): HeaderMatch =>
  matching("cookie", `(?:.*;)?\\s*${name}=${value}(?:;.*)?`);

const toCanary = [0, 1] as const;
const toMain = [1, 0] as const;

function choicesOf(
  { ingress, values }: AnnotatedIngress,
  { reader, report }: NginxHostContext,
): readonly Choice[] {
  const header = values["canary-by-header"]?.toLowerCase();
  const value = values["canary-by-header-value"];
  const pattern = values["canary-by-header-pattern"];
  const cookieName = values["canary-by-cookie"];
  const choices: Choice[] = [];
  const add = (match: HeaderMatch, weight: Choice["weight"]): void => {
    choices.push({ headers: [match], weight });
  };
  if (header && value) add(exactly(header, value), toCanary);
  else if (header && pattern) {
    const wrapped = `.*(?:${pattern}).*`;
    const problem = regexProblem(wrapped, reader.settings.budgets.regexProgramSize);
    if (!problem) add(matching(header, wrapped), toCanary);
    else {
      const message = `canary-by-header-pattern is no regular expression that Envoy takes, and has no effect: ${problem}`;
      report.warn(ingress.ref, type, "AnnotationNotValid", message, fieldOf("canary-by-header-pattern"));
    }
  } else if (header) {
    add(exactly(header, "always"), toCanary);
    add(exactly(header, "never"), toMain);
  }
  if (cookieName) {
    add(cookie(cookieName, "always"), toCanary);
    add(cookie(cookieName, "never"), toMain);
  }
  const total = Math.max(100, values["canary-weight-total"] ?? 100);
  const weight = Math.min(total, Math.max(0, values["canary-weight"] ?? 0));
  return [...choices, { headers: [], weight: [total - weight, weight] }];
}
