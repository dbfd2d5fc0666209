import type { NginxAnnotation } from "../../../schema/ingress-nginx.js";
import type { SnippetEffect } from "../../../schema/nginx-snippet.js";
import { parseNginx } from "../../../schema/nginx-syntax.js";
import type { NginxAnswers, NginxReplacement } from "../../policies/nginx-phases.js";
import type { Notes } from "./annotated-ingress.js";
import type { NginxConfig } from "./config.js";
import type { NginxLocation } from "./locations.js";

/** Reads what changes in responses of backends beside their headers. Undefined: nothing. */
export function readAnswerChanges(
  { of: { values } }: NginxLocation,
  snippet: readonly SnippetEffect[],
  { options }: NginxConfig,
  notes: Notes,
): NginxAnswers | undefined {
  const successHeaders = snippet.flatMap((one) =>
    one.kind === "add-success" ? [{ name: one.name, value: one.value }] : [],
  );
  const domain = readPair(
    "proxy-cookie-domain",
    values["proxy-cookie-domain"] ?? options["proxy-cookie-domain"],
    notes,
  );
  const path = readPair(
    "proxy-cookie-path",
    values["proxy-cookie-path"] ?? options["proxy-cookie-path"],
    notes,
  );
  const redirect = readProxyRedirect(
    values["proxy-redirect-from"] ?? options["proxy-redirect-from"],
    values["proxy-redirect-to"] ?? options["proxy-redirect-to"],
    notes,
  );
  const seconds = values["session-cookie-expires"];
  const expires =
    values.affinity === "cookie" && seconds !== undefined && seconds >= 0
      ? { cookie: values["session-cookie-name"] ?? "INGRESSCOOKIE", seconds }
      : undefined;
  const answers: NginxAnswers = {
    ...(successHeaders.length > 0 ? { successHeaders } : {}),
    ...(redirect ? { redirect } : {}),
    ...(domain
      ? { cookieDomain: { from: domain.from.toLowerCase().replace(/^\./, ""), to: domain.to } }
      : {}),
    ...(path ? { cookiePath: path } : {}),
    ...(expires ? { expires } : {}),
  };
  return Object.keys(answers).length > 0 ? answers : undefined;
}

/** `off`, or two words as in nginx. Regular expressions and variables have no equivalent. */
function readPair(
  annotation: NginxAnnotation,
  text: string | undefined,
  notes: Notes,
): NginxReplacement | undefined {
  if (text === undefined || text.trim() === "off") return undefined;
  const [only, ...others] = parseNginx(`replace ${text};`) ?? [];
  const [, from, to, ...rest] = only?.words ?? [];
  if (others.length > 0 || only?.block || !from || to === undefined || rest.length > 0)
    return notes.ignore(annotation, `${annotation} must be "off", or the old and the new text`);
  return literalPair(annotation, from, to, notes);
}

function literalPair(
  annotation: NginxAnnotation,
  from: string,
  to: string,
  notes: Notes,
): NginxReplacement | undefined {
  if (from.startsWith("~") || `${from}${to}`.includes("$"))
    return notes.ignore(
      annotation,
      `${annotation}: regular expressions and variables have no equivalent in Envoy`,
    );
  return { from, to };
}

function readProxyRedirect(from = "off", to = "off", notes: Notes): NginxReplacement | undefined {
  // `default` replaces the address of the backend, which no backend of ingress-nginx knows.
  if (from === "off" || from === "default" || to === "off") return undefined;
  return literalPair("proxy-redirect-from", from, to, notes);
}
