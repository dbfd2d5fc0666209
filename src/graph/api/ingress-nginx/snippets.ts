import { canonicalHeader, headerNameProblem } from "../../../schema/header-names.js";
import { readSnippet, type SnippetEffect } from "../../../schema/nginx-snippet.js";
import type { SnippetAnswer, SnippetCondition } from "../../../schema/nginx-snippet-answers.js";
import { headerOf, type SnippetValue } from "../../../schema/nginx-snippet-values.js";
import type { Action } from "../../core/nodes.js";
import type { HeaderMatch } from "../../matches/match-types.js";
import { quoteRegex } from "../../matches/order.js";
import { regexProblem } from "../../matches/regex.js";
import { substitutionProblem } from "../../policies/path-rewrite.js";
import type { AnnotatedIngress, NginxHostContext, Notes } from "./annotated-ingress.js";
import { clientAddress, literal } from "./header-formats.js";

/** The effects of the configuration snippet of an Ingress. A directive that is not supported refuses its paths. */
export function snippetEffects(
  { values }: AnnotatedIngress,
  context: NginxHostContext,
  notes: Notes,
): readonly SnippetEffect[] {
  const ofAll = context.config.options["location-snippet"];
  return [
    ...effectsOf("configuration-snippet", values["configuration-snippet"], context, notes),
    ...(ofAll === undefined
      ? []
      : readEffects("configuration-snippet", ofAll, context, notes, "option location-snippet")),
  ];
}

/** Envoy refuses a route table with a list of more than 1000 headers. */
const maxEffects = 200;
/** Each of them is a route of its location. */
const maxAnswers = 40;

export function effectsOf(
  annotation: "configuration-snippet" | "server-snippet",
  text: string | undefined,
  context: NginxHostContext,
  notes: Notes,
): readonly SnippetEffect[] {
  if (text === undefined) return [];
  if (!context.config.options["allow-snippet-annotations"]) {
    notes.refuse(
      annotation,
      `${annotation} requires allow-snippet-annotations in the ConfigMap of ingress-nginx`,
      "NginxReferenceUnresolved",
    );
    return [];
  }
  return readEffects(annotation, text, context, notes);
}

function readEffects(
  annotation: "configuration-snippet" | "server-snippet",
  text: string,
  context: NginxHostContext,
  notes: Notes,
  label: string = annotation,
): readonly SnippetEffect[] {
  const { effects, ignored, unknown } = readSnippet(text, annotation === "server-snippet");
  if (ignored.length > 0)
    notes.ignore(annotation, `${label}: ${[...new Set(ignored)].join(", ")} has no effect`);
  const answers = effects.filter(({ kind }) => kind === "answer" || kind === "location");
  const problems = [
    ...unknown,
    ...effects.flatMap((effect) => effectProblem(effect, context) ?? []),
    ...(effects.length > maxEffects ? [`more than ${maxEffects} directives`] : []),
    ...(answers.length > maxAnswers ? [`more than ${maxAnswers} answers`] : []),
  ];
  if (problems.length === 0) return effects;
  const what = problems.slice(0, 5).join(", ");
  notes.refuse(annotation, `${label} has what Isoline does not read (${what}), which may restrict access`);
  return [];
}

function effectProblem(effect: SnippetEffect, { reader, host }: NginxHostContext): string | undefined {
  const limit = reader.settings.budgets.regexProgramSize;
  switch (effect.kind) {
    case "set-response":
    case "set-request":
    case "add-success":
    case "remove-response":
    case "remove-request":
      return headerNameProblem(canonicalHeader(effect.name)) && "a header that Envoy does not take";
    case "location":
      return effect.match === "regex" && regexProblem(effect.path, limit) !== undefined
        ? "a regular expression that Envoy does not take"
        : bodyProblem(effect.answer);
    case "answer":
      return (
        bodyProblem(effect.answer) ??
        rewriteProblem(effect.answer, limit) ??
        effect.when.map((one) => conditionProblem(one, effect.answer, host, limit)).find(Boolean)
      );
    default:
      return undefined;
  }
}

const bodyProblem = ({ body = "" }: SnippetAnswer): string | undefined =>
  new TextEncoder().encode(body).length > 4096 ? "an answer of more than 4096 bytes" : undefined;

const rewriteProblem = ({ target }: SnippetAnswer, limit: number): string | undefined =>
  target?.rewrite && substitutionProblem(target.rewrite, limit) !== undefined
    ? "a rewrite with an expression or a group that Envoy does not take"
    : undefined;

function conditionProblem(
  condition: SnippetCondition,
  { status }: SnippetAnswer,
  host: string,
  limit: number,
): string | undefined {
  // The client chooses the port beside its host, so that a restriction must not depend on it.
  if (condition.subject === "host" && status >= 400 && (condition.is === "matches" || host.startsWith("*")))
    return "if ($host)";
  const match = conditionMatch(condition, { host: "*", secure: false });
  return typeof match === "object" && match.kind === "regex" && regexProblem(match.value, limit) !== undefined
    ? "a regular expression that Envoy does not take"
    : undefined;
}

interface Place {
  readonly host: string;
  readonly secure: boolean;
}

/** A condition of a snippet: whether it holds for all requests of the place, or the match of a header. */
function conditionMatch(condition: SnippetCondition, { host, secure }: Place): HeaderMatch | boolean {
  const { subject, is, value, ignoreCase, negate } = condition;
  if (subject === "scheme" && is === "equal") return (value === (secure ? "https" : "http")) !== negate;
  if (subject === "host" && is === "equal" && !host.startsWith("*"))
    return (value.toLowerCase() === host) !== negate;
  const match = (name: string, kind: HeaderMatch["kind"], text: string): HeaderMatch => ({
    name,
    kind,
    value: text,
    invert: negate,
    ignoreCase: false,
    treatMissingAsEmpty: !name.startsWith(":"),
  });
  const flag = ignoreCase || subject === "host" ? "(?i)" : "";
  const found = `${flag}.*(?:${value}).*`;
  switch (subject) {
    case "path": {
      const path = is === "equal" ? quoteRegex(value) : value;
      return match(":path", "regex", `${flag}${path}(?:\\?.*)?`);
    }
    case "host":
      return match(":authority", "regex", is === "equal" ? `(?i)${quoteRegex(value)}(?::\\d+)?` : found);
    case "scheme":
      return match(":scheme", "regex", found);
    case "uri":
      return is === "equal" ? match(":path", "exact", value) : match(":path", "regex", found);
    case "method":
      return is === "equal" ? match(":method", "exact", value) : match(":method", "regex", found);
    default:
      return is === "equal" ? match(subject.header, "exact", value) : match(subject.header, "regex", found);
  }
}

/** An answer that requests of a location get before all its other effects. */
export interface EarlyAnswer {
  /** None: all requests. */
  readonly headers: readonly HeaderMatch[];
  readonly action: Exclude<Action, { kind: "forward" }>;
}

/** The answers of a snippet in evaluation order, up to the first one for all requests. */
export function readAnswers(effects: readonly SnippetEffect[], place: Place): readonly EarlyAnswer[] {
  const answers: EarlyAnswer[] = [];
  for (const effect of effects) {
    if (effect.kind !== "answer") continue;
    const matches = effect.when.map((condition) => conditionMatch(condition, place));
    if (matches.includes(false)) continue;
    const headers = matches.filter((match) => typeof match === "object");
    answers.push({ headers, action: answerAction(effect.answer) });
    if (headers.length === 0) break;
  }
  return answers;
}

export function answerAction({ status, body, target }: SnippetAnswer): EarlyAnswer["action"] {
  if (!target) return { kind: "respond", status, ...(body === undefined ? {} : { body }) };
  const { scheme, host, port, path, rewrite } = target;
  return {
    kind: "redirect",
    status,
    ...(scheme ? { scheme } : {}),
    ...(host ? { host } : {}),
    ...(port ? { port } : {}),
    ...(path ? { path, stripQuery: true as const } : {}),
    ...(rewrite ? { rewrite: { regex: rewrite } } : {}),
  };
}

/** The header format of Envoy for a value. */
export const formatValue = (value: SnippetValue, place: Place): string =>
  value.map((part) => ("text" in part ? literal(part.text) : formatVariable(part.variable, place))).join("");

function formatVariable(variable: string, { host, secure }: Place): string {
  switch (variable) {
    case "host":
      return host.startsWith("*") ? "%REQ(:AUTHORITY)%" : literal(host);
    case "http_host":
      return "%REQ(:AUTHORITY)%";
    case "scheme":
      return secure ? "https" : "http";
    case "remote_addr":
      return clientAddress;
    case "request_method":
      return "%REQ(:METHOD)%";
    case "request_uri":
      return "%REQ(:PATH)%";
    case "request_id":
    case "req_id":
      return "%REQ(X-REQUEST-ID)%";
    case "proxy_add_x_forwarded_for":
      return "%REQ(X-FORWARDED-FOR)%";
    default:
      return `%REQ(${(headerOf(variable) ?? "").toUpperCase()})%`;
  }
}
