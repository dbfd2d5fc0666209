import { fieldShapes, kindShapes } from "../gen/fields.js";
import { pathText } from "./field-path.js";
import { isRecord } from "./issues.js";
import { memoizedLast } from "./memoized.js";
import type { Finding, Ref } from "./meta.js";
import { routingKinds } from "./routing-kinds.js";
import { nearestName, plain } from "./spelling.js";
import { plural, quote } from "./words.js";

type Raw = Readonly<Record<string, unknown>>;
type Path = readonly PropertyKey[];
type Kind = keyof typeof kindShapes;

/**
 * Fields that restrict access. An object with a misspelt one would be open, so it is not served. The same applies to an
 * unknown field inside them.
 */
export const restrictingFields = {
  HTTPProxy: [
    "authorization",
    "authPolicy",
    "clientValidation",
    "ipAllowPolicy",
    "ipDenyPolicy",
    "jwtProviders",
    "jwtVerificationPolicy",
    "rateLimitPolicy",
  ],
  Gateway: ["allowedRoutes", "frontend", "frontendValidation"],
  HTTPRoute: ["externalAuth"],
  ReferenceGrant: ["from", "to"],
} as const satisfies Partial<Record<Kind, readonly string[]>>;

/** A field of an HTTPProxy that restricts access: policies that protect are read from no other. */
export type RestrictingField = (typeof restrictingFields.HTTPProxy)[number];

const restrictingIn: Readonly<Partial<Record<Kind, readonly string[]>>> = restrictingFields;

/**
 * Names of access restrictions in other controllers, in earlier versions and in common use: in lower case, without `-`,
 * `_` and `.`. `author` and `authority` do not match.
 */
const restrictingNames = new RegExp(
  [
    "auth(?!or(?!i[sz]))|jwt|mtls|oidc|basicauth",
    "(?:rate|request|connection)s?limit|limitrate",
    "(?:white|black|allow|deny|block)list|ip(?:allow|deny|block|filter|restrict)",
    "(?:allow|den[yi]|block|restrict)[a-z]*(?:ip|cidr|address|source|range|network)",
    "client(?:ca|cert|valid|verif)|casecret|cacert|trustedca|^validation$",
  ].join("|"),
);
const namedFreely: ReadonlySet<Kind> = new Set(["Gateway", ...routingKinds]);

/** The limit of findings per object. */
const maxFindings = 20;

interface Unknown {
  readonly path: Path;
  /** The number of the shape that does not have the field. */
  readonly shape: number;
  /** Whether the field is inside a field that restricts access. */
  readonly restricting: boolean;
}

/**
 * Findings with the reason `UnknownField` for the fields of a manifest that no version of its kind has. A finding is an
 * error when the field may restrict access: by its parent, by the known field with a similar name, or by its own name.
 * Otherwise it is a warning. `kubectl apply` refuses such fields.
 */
export function unknownFields(kind: Kind, about: Ref, input: Raw): readonly Finding[] {
  const unknown: Unknown[] = [];
  walk({ kind, path: [], unknown }, input, kindShapes[kind], false);
  if (unknown.length === 0) return none;
  const findings = unknown.map((one) => findingOf(kind, about, one));
  findings.sort((a, b) => Number(b.severity === "error") - Number(a.severity === "error"));
  const more = findings.length - maxFindings;
  if (more <= 0) return findings;
  const rest = { ...warning, about, message: `has ${plural(more, "more unknown field")}` };
  return [...findings.slice(0, maxFindings), rest];
}

const none: readonly Finding[] = [];
const warning = { severity: "warning", type: "SchemaError", reason: "UnknownField" } as const;

/** The shared state of the walk over one manifest. */
interface Walk {
  readonly kind: Kind;
  /** The path of the current value; copied only for an unknown field. */
  readonly path: PropertyKey[];
  readonly unknown: Unknown[];
}

function walk(at: Walk, value: unknown, shape: number, restricting: boolean): void {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) walkInto(at, i, value[i], shape, restricting);
    return;
  }
  const fields = fieldShapes[shape];
  if (!fields || !isRecord(value)) return;
  for (const key in value) {
    const child = Object.hasOwn(fields, key) ? fields[key] : fields["*"];
    if (child === undefined) at.unknown.push({ path: [...at.path, key], shape, restricting });
    else if (child !== 0) walkInto(at, key, value[key], child, restricting || restricts(at.kind, key));
  }
}

function walkInto(at: Walk, key: PropertyKey, value: unknown, shape: number, restricting: boolean): void {
  if (typeof value !== "object" || value === null) return;
  at.path.push(key);
  walk(at, value, shape, restricting);
  at.path.pop();
}

const restricts = (kind: Kind, field: string): boolean => restrictingIn[kind]?.includes(field) ?? false;

const namesRestriction = (kind: Kind, field: string): boolean =>
  namedFreely.has(kind) && restrictingNames.test(plain(field));

function findingOf(kind: Kind, about: Ref, { path, shape, restricting }: Unknown): Finding {
  const key = String(path.at(-1));
  const near = nearestName(key, Object.keys(fieldShapes[shape] ?? {}));
  const otherPath = near ? undefined : otherPathIn(kind, key);
  const meant = near ?? (otherPath && String(otherPath.at(-1)));
  const closes =
    restricting || (meant !== undefined && restricts(kind, meant)) || namesRestriction(kind, key);
  const hint = near
    ? `; did you mean ${near}?`
    : otherPath
      ? `; ${kind} has ${pathText(otherPath)}`
      : "; it has no effect";
  const parent = pathText(path.slice(0, -1));
  const message = `${quote(key)} is not a field of ${parent || kind}${hint}`;
  const refusal = closes
    ? `${near ? "" : "."} It may be meant to restrict access: the object is not served.`
    : "";
  return {
    ...warning,
    severity: closes ? "error" : "warning",
    about,
    message: message + refusal,
    path: pathText(path),
  };
}

/** The path at which a kind has a field of this or a similar name. */
function otherPathIn(kind: Kind, key: string): Path | undefined {
  const byName = placesOf(kindShapes[kind]);
  const near = nearestName(key, [...byName.keys()], true);
  return near === undefined ? undefined : byName.get(near);
}

/** The shallowest path of each field name under a shape. */
const placesOf = memoizedLast(placesUnder, { maxSize: 50, sizeOf: () => 1 });

function placesUnder(root: number): ReadonlyMap<string, Path> {
  const found = new Map<string, Path>();
  let level: { readonly shape: number; readonly path: readonly string[] }[] = [{ shape: root, path: [] }];
  while (level.length > 0) {
    const next: typeof level = [];
    for (const { shape, path } of level)
      for (const [name, child] of Object.entries(fieldShapes[shape] ?? {})) {
        if (name === "*" || (path.length === 0 && name === "status")) continue;
        const at = [...path, name];
        if (!found.has(name)) found.set(name, at);
        if (child !== 0 && name !== "metadata") next.push({ shape: child, path: at });
      }
    level = next;
  }
  return found;
}
