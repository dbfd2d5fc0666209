import { z } from "zod";
import { isRecord, schemaError, schemaFindings } from "./issues.js";
import type { Finding } from "./meta.js";
import { nearestName } from "./spelling.js";
import { quote } from "./words.js";

const about = "File//";

const serviceName = z.string().regex(/^[^\s/]+\/[^\s/]+(?:\/\d+)?$/, {
  error: "must be a Service as NAMESPACE/NAME or NAMESPACE/NAME/PORT",
});
const services = z.preprocess(
  (value) => (typeof value === "string" ? [value] : value),
  z.array(serviceName).min(1),
);
const objectName = z.string().regex(/^[^\s/]+\/[^\s/]+$/, { error: "must be NAMESPACE/NAME" });
const headerName = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, { error: "must be the name of a header" })
  .transform((name) => name.toLowerCase());
/** YAML reads a version without quotes as a number. */
const version = z.preprocess(
  (value) => (typeof value === "number" ? String(value) : value),
  z.enum(["1.2", "1.3"]),
);

const headerChanges = z
  .strictObject({
    set: z.record(headerName, z.string()).default({}),
    setAny: z.array(headerName).default([]),
    removed: z.array(headerName).default([]),
  })
  .optional();

const tlsForms = '"none", "passthrough", or a map with certificate, minimumVersion or clientCertificate';
const tlsWords = z.enum(["none", "passthrough"], { error: `must be ${tlsForms}` });
const tlsFields = z.strictObject({
  certificate: objectName.optional(),
  minimumVersion: version.optional(),
  clientCertificate: z.enum(["required", "optional", "none"]).optional(),
});

const ranges = z.array(z.string()).min(1);
const addressFields = z.strictObject({ allow: ranges.optional(), deny: ranges.optional() });
const rate = /^\d+\/(?:second|minute|hour)$/;

/** The error message of a union: the accepted forms. */
const mustBe =
  (what: string): ((issue: { readonly input?: unknown }) => string) =>
  ({ input }) =>
    `${input === undefined ? "is missing; it must be" : "must be"} ${what}`;

/** True, false, or a value that is more specific. */
const orFlag = <T extends z.ZodType>(schema: T, what: string): z.ZodUnion<[z.ZodBoolean, T]> =>
  z.union([z.boolean(), schema], { error: mustBe(`true, false or ${what}`) });

const rates = 'true, false, "local", "global" or a rate such as "10/minute"';
const rateLimit = z
  .string()
  .refine((text) => text === "local" || text === "global" || rate.test(text), { error: `must be ${rates}` });

const protections = z
  .strictObject({
    authorization: orFlag(objectName, "an ExtensionService as NAMESPACE/NAME").optional(),
    jwt: orFlag(z.string(), "the name of a provider").optional(),
    password: z.boolean().optional(),
    rateLimit: z.union([z.boolean(), rateLimit], { error: mustBe(rates) }).optional(),
    addresses: orFlag(addressFields, "a map with allow or deny").optional(),
  })
  .optional();

const expectation = {
  backend: services.optional(),
  weights: z.record(serviceName, z.number().int().min(0)).optional(),
  status: z.number().int().min(100).max(599).optional(),
  closed: z.boolean().optional(),
  location: z.string().optional(),
  path: z.string().optional(),
  host: z.string().optional(),
  requestHeaders: headerChanges,
  responseHeaders: headerChanges,
  tls: z.union([tlsWords, tlsFields], { error: mustBe(tlsForms) }).optional(),
  protections,
};

const requestFields = z
  .strictObject({
    method: z.string().default("GET"),
    url: z.string().optional(),
    scheme: z.enum(["http", "https"]).optional(),
    host: z.string().optional(),
    port: z.number().int().min(1).max(65_535).optional(),
    path: z.string().optional(),
    sni: z.string().optional(),
    gateway: z
      .string()
      .regex(/^[^\s/]+\/[^\s/]+$/, { error: "must be a Gateway as NAMESPACE/NAME" })
      .optional(),
    address: z.union([z.ipv4(), z.ipv6()], { error: "must be an IP address" }).optional(),
    headers: z.record(headerName, z.string()).default({}),
  })
  .superRefine(({ url, host, scheme, port, path, sni }, context) => {
    const refuse = (field: string, message: string): void =>
      context.addIssue({ code: "custom", message, path: [field] });
    if (url === undefined && host === undefined)
      refuse("host", "is missing; give url, or host with scheme and path");
    const parts = { host, scheme, port, path, sni };
    for (const [field, value] of url === undefined ? [] : Object.entries(parts))
      if (value !== undefined) refuse(field, "is a part of url; give either url or its parts");
    if (path !== undefined && !path.startsWith("/")) refuse("path", "must begin with /");
    if (sni !== undefined && scheme !== "https") refuse("sni", "needs scheme: https");
  });

const test = z.strictObject({
  name: z.string().min(1).optional(),
  request: z.union([z.string(), requestFields], { error: mustBe("METHOD URL, or a map with url or host") }),
  expect: z.strictObject({ ...expectation, not: z.strictObject(expectation).optional() }),
});

/** The expected result of a request; under `not`, results that it must not have. An absent field is not checked. */
export type Expectation = z.output<z.ZodObject<typeof expectation>>;
export type HeaderExpectation = NonNullable<Expectation["requestHeaders"]>;
export type TlsExpectation = NonNullable<Expectation["tls"]>;
export type ProtectionsExpectation = NonNullable<Expectation["protections"]>;

/** A request in the form that `readRequest` parses. */
export interface RequestText {
  readonly method: string;
  readonly url: string;
  /** Lines of `name: value`. */
  readonly headers: readonly string[];
  /** `namespace/name` of the Gateway that gets the request; needed where several Gateways serve the host on the port. */
  readonly gateway?: string;
  /** An IP address of its listener, instead of a Gateway. */
  readonly address?: string;
}

export interface RouteTest {
  readonly name: string | undefined;
  /** The path of the test in the file, such as `tests[2]`. */
  readonly path: string;
  readonly request: RequestText;
  readonly expect: Expectation;
  readonly not: Expectation | undefined;
}

export interface RouteTests {
  readonly tests: readonly RouteTest[];
  /** The errors of tests that are not valid. */
  readonly findings: readonly Finding[];
}

/** Reads the document of a test file: a map with a list `tests`. Only tests that are not valid are left out. */
export function parseRouteTests(value: unknown): RouteTests {
  if (!isRecord(value) || !Array.isArray(value.tests))
    return {
      tests: [],
      findings: [schemaError(about, "is not a test file: it must be a map with a list of tests", "tests")],
    };
  const findings: Finding[] = [];
  for (const key of Object.keys(value).filter((name) => name !== "tests"))
    findings.push(schemaError(about, `is not a field of a test file${nearest(key)}`, key));
  if (value.tests.length === 0) findings.push(schemaError(about, "must have at least 1 entry", "tests"));
  const tests = value.tests.flatMap((one: unknown, i) => {
    const parsed = parseTest(one, i);
    if ("tests" in parsed) findings.push(...parsed.findings);
    return "tests" in parsed ? [] : [parsed];
  });
  return { tests, findings };
}

function parseTest(input: unknown, index: number): RouteTest | RouteTests {
  const prefix = ["tests", index];
  const parsed = test.safeParse(input);
  const path = `tests[${index}]`;
  if (!parsed.success)
    return {
      tests: [],
      findings: schemaFindings(about, parsed.error.issues.flatMap(plainIssues), input, prefix, false),
    };
  const { name, request, expect } = parsed.data;
  const { not, ...wanted } = expect;
  if (!hasExpectation(wanted) && !hasExpectation(not ?? {}))
    return {
      tests: [],
      findings: [schemaError(about, "expects nothing; give at least one field", `${path}.expect`)],
    };
  return { name, path, request: textOf(request), expect: wanted, not };
}

const hasExpectation = (value: unknown): boolean => {
  if (Array.isArray(value)) return value.length > 0;
  return isRecord(value) ? Object.values(value).some(hasExpectation) : value !== undefined;
};

type Issue = z.core.$ZodIssue;

/**
 * Splits unknown fields into one issue each, and replaces the issue of a union by those of the alternative whose type
 * fits.
 */
function plainIssues(issue: Issue): Issue[] {
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key): Issue => {
      const message = `is not a field here${nearest(key)}`;
      return { code: "custom", message, path: [...issue.path, key], input: undefined };
    });
  if (issue.code !== "invalid_union") return [issue];
  const inner = issue.errors.map((issues) =>
    issues.map((one): Issue => ({ ...one, path: [...issue.path, ...one.path] })),
  );
  const fitting = inner.find(
    (issues) => !issues.some((one) => one.path.length === issue.path.length && isOfOtherForm(one)),
  );
  return (
    fitting?.flatMap(plainIssues) ?? [
      { code: "custom", message: issue.message, path: issue.path, input: undefined },
    ]
  );
}

const isOfOtherForm = ({ code }: Issue): boolean => code === "invalid_type" || code === "invalid_value";

const names = [
  ...["tests", "name", "request", "expect", "not", ...Object.keys(expectation)],
  ...[
    "method",
    "url",
    "scheme",
    "host",
    "port",
    "path",
    "sni",
    "gateway",
    "address",
    "headers",
    "set",
    "setAny",
    "removed",
  ],
  ...["certificate", "minimumVersion", "clientCertificate"],
  ...["authorization", "jwt", "password", "rateLimit", "addresses", "allow", "deny"],
];

function nearest(key: string): string {
  const found = nearestName(key, names);
  return found ? `; a similar field is ${quote(found)}` : "";
}

/** Converts a request. Text is `METHOD URL`, or a URL alone, which means GET. */
function textOf(request: string | z.output<typeof requestFields>): RequestText {
  if (typeof request === "string") {
    const [, method = "GET", url = ""] = /^(?:([^\s/:]+)\s+)?(.*)$/s.exec(request.trim()) ?? [];
    return { method, url, headers: [] };
  }
  const {
    method,
    url,
    scheme = "http",
    host = "",
    port,
    path = "/",
    sni,
    headers,
    gateway,
    address,
  } = request;
  const chosen = {
    ...(gateway === undefined ? {} : { gateway }),
    ...(address === undefined ? {} : { address }),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  if (url !== undefined) return { method, url, headers: lines, ...chosen };
  const suffix = port === undefined ? "" : `:${port}`;
  // An empty `sni` means no server name: a client sends none when the URL has an IP address.
  const place = sni === undefined ? host : sni || "127.0.0.1";
  const own = sni === undefined ? [] : [`host: ${host}${suffix}`];
  return { method, url: `${scheme}://${place}${suffix}${path}`, headers: [...own, ...lines], ...chosen };
}
