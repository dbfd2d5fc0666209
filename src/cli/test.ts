import type { Explanation } from "../explain/explanation.js";
import { readRequest } from "../explain/request.js";
import type { RouteOrigin } from "../graph/core/route-origins.js";
import { type Observed, observe } from "../route-tests/observed.js";
import { validate } from "../route-tests/validate.js";
import { kindOf } from "../schema/meta.js";
import { formatLocated } from "../sources/files/objects.js";
import { type Explainer, type ExplainerOptions, explainerOf } from "./explain.js";
import { recordTests } from "./record-tests.js";
import { startTestEnvoy } from "./test-envoy.js";
import { loadTests, type PlacedTest } from "./test-files.js";
import {
  isFailed,
  type PlacedFailure,
  type TestFormat,
  type TestResult,
  testReports,
} from "./test-reports.js";
import { UsageError } from "./usage.js";

export interface TestCommandOptions extends ExplainerOptions {
  /** Write tests to this file instead of running tests; `-` is standard output. */
  readonly record?: string;
  /** With `record`: replace an existing file. */
  readonly overwrite?: boolean;
  /** Send the requests to a real Envoy. */
  readonly envoy?: boolean;
  readonly format: TestFormat;
}

/** With inline certificates, the configuration lacks the names of their Secrets. */
const overrides = { secrets: "sds" };

/**
 * `isoline test`: runs route tests, or records them. Returns the exit code.
 *
 * @throws UsageError; Error when a server, a cluster or an Envoy can't be reached or started.
 */
export async function testCommand(paths: readonly string[], options: TestCommandOptions): Promise<number> {
  checkUse(paths, options);
  if (options.record !== undefined)
    return recordTests(options.record, await explainerOf(options, overrides), options);
  const { tests, faults, warnings } = loadTests(paths);
  for (const one of warnings) console.error(formatLocated(one));
  const explainer = await explainerOf(options, overrides);
  const results = await run(tests, explainer, options);
  process.stdout.write(testReports[options.format]({ results, faults }));
  if (explainer.broken || faults.length > 0) return 3;
  return results.some(isFailed) ? 1 : 0;
}

function checkUse(
  paths: readonly string[],
  { record, envoy, xds, file, overwrite }: TestCommandOptions,
): void {
  if (record === undefined && paths.length === 0)
    throw new UsageError("give a file with tests, or --record FILE to write one");
  if (record !== undefined && paths.length > 0)
    throw new UsageError("--record writes a file of tests and runs none: omit the files of tests");
  if (record === undefined && overwrite) throw new UsageError("--overwrite requires --record");
  if (envoy && record !== undefined)
    throw new UsageError("--envoy runs tests and can't be used with --record");
  if (envoy && xds !== undefined)
    throw new UsageError("--envoy starts an Envoy and requires -f or --kube; it can't be used with --xds");
  if (paths.includes("-") && file.includes("-"))
    throw new UsageError("standard input can't be both tests and manifests");
}

async function run(
  tests: readonly PlacedTest[],
  explainer: Explainer,
  { envoy: isAsked }: TestCommandOptions,
): Promise<TestResult[]> {
  const { compiled } = explainer;
  const envoy = isAsked && compiled ? await startTestEnvoy(compiled, explainer.knowsEndpoints) : undefined;
  try {
    const results: TestResult[] = [];
    for (const test of tests) {
      const start = performance.now();
      const explanation = await explained(test, explainer);
      const expected = observe(explanation, queryOf(test));
      const observed = envoy ? await envoy.observe(test, explanation, expected) : expected;
      results.push(resultOf(test, explanation, { observed, explainer, start }));
    }
    return results;
  } finally {
    await envoy?.stop();
  }
}

/** @throws UsageError with the place of a test whose request could get to several Gateways, or to none that is served. */
async function explained(test: PlacedTest, explainer: Explainer): Promise<Explanation> {
  try {
    return await explainer.explain(test.request);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(
      `${test.file}:${test.lineOf("request")}: ${error.message} (gateway or address of the request)`,
    );
  }
}

const queryOf = ({ request: { method, url, headers } }: PlacedTest): string | undefined =>
  readRequest(method, url, headers).query;

function resultOf(
  test: PlacedTest,
  explanation: Explanation,
  {
    observed,
    explainer,
    start,
  }: { readonly observed: Observed; readonly explainer: Explainer; readonly start: number },
): TestResult {
  const failures = validate(test, observed).map(
    (failure): PlacedFailure => ({ ...failure, line: test.lineOf(failure.field) }),
  );
  const request = `${test.request.method} ${test.request.url}`;
  return {
    file: test.file,
    line: test.lineOf(),
    name: test.name ?? request,
    request,
    failures,
    responsible: failures.length > 0 ? responsible(failures, explanation, explainer) : [],
    hints: failures.length > 0 ? explanation.hints : [],
    milliseconds: performance.now() - start,
  };
}

/** The field of an object that determines TLS; other kinds have none. */
const tlsFields: Readonly<Record<string, string>> = {
  HTTPProxy: "spec.virtualhost.tls",
  IngressRoute: "spec.virtualhost.tls",
  Ingress: "spec.tls",
};

/**
 * The origins of a failure: the route that handles the request; for failures of the host itself (TLS, or no such
 * route), the objects that claim the host.
 */
function responsible(
  failures: readonly PlacedFailure[],
  { route, claimants = [] }: Explanation,
  { placeOf }: Explainer,
): string[] {
  const origin = route?.origin;
  const isOfTls = ({ field }: PlacedFailure): boolean => /^expect\.(?:not\.)?tls\b/.test(field);
  const tls = failures.filter(isOfTls);
  const origins: RouteOrigin[] = [
    ...(origin && tls.length < failures.length ? [origin] : []),
    ...(tls.length > 0 ? claimants.map((ref) => ({ ref, field: tlsFields[kindOf(ref)] ?? "spec" })) : []),
    ...(!origin && tls.length === 0 ? claimants.map((ref) => ({ ref, field: "spec" })) : []),
  ];
  return origins.map((one) => {
    const place = placeOf(one);
    return `${one.ref} ${one.field}${place ? ` (${place})` : ""}`;
  });
}
