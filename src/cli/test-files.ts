import { readRequest } from "../explain/request.js";
import { RequestSyntaxError } from "../explain/request-error.js";
import { schemaError } from "../schema/issues.js";
import type { Finding } from "../schema/meta.js";
import { parseRouteTests, type RouteTest } from "../schema/route-tests.js";
import { lineOf, loadDocuments, type ManifestPlace } from "../sources/files/load.js";
import type { Located } from "../sources/files/objects.js";

/** A test with its place. */
export interface PlacedTest extends RouteTest {
  readonly file: string;
  /** The line of the test, or of one of its fields. */
  lineOf(field?: string): number;
}

export interface TestFiles {
  readonly tests: readonly PlacedTest[];
  /** Files, documents and tests that could not be read. */
  readonly faults: readonly Located[];
  readonly warnings: readonly Located[];
}

/** Reads test files, and those of folders. A fault in a test loses no other test. */
export function loadTests(paths: readonly string[]): TestFiles {
  const tests: PlacedTest[] = [];
  const located: Located[] = [];
  const visit = (value: unknown, place: ManifestPlace): void => {
    const parsed = parseRouteTests(value);
    for (const finding of parsed.findings) located.push(locate(finding, place));
    for (const test of parsed.tests) {
      const fault = requestFault(test);
      if (fault) located.push(locate(fault, place));
      else tests.push(placed(test, place));
    }
  };
  const unread = paths.flatMap((path): readonly Located[] => {
    const before = tests.length + located.length;
    const findings = loadDocuments([path], visit);
    if (findings.length > 0 || tests.length + located.length > before) return findings;
    return [{ finding: schemaError("File//", "holds no tests"), file: path, line: 0 }];
  });
  const all = inOrder([...unread, ...located]);
  return {
    tests,
    faults: all.filter(({ finding }) => finding.severity === "error"),
    warnings: all.filter(({ finding }) => finding.severity !== "error"),
  };
}

/** Sorts by line in each file; files stay in order. */
function inOrder(located: readonly Located[]): Located[] {
  const files = [...new Set(located.map(({ file }) => file))];
  return files.flatMap((file) => located.filter((one) => one.file === file).sort((a, b) => a.line - b.line));
}

const locate = (finding: Finding, place: ManifestPlace): Located => ({
  finding,
  file: place.file,
  line: lineOf(place, finding.path ?? ""),
});

const placed = (test: RouteTest, place: ManifestPlace): PlacedTest => ({
  ...test,
  file: place.file,
  lineOf: (field) => lineOf(place, field === undefined ? test.path : `${test.path}.${field}`),
});

/** Validates what the schema of a request can't express. */
function requestFault({ request: { method, url, headers }, path }: RouteTest): Finding | undefined {
  try {
    readRequest(method, url, headers);
    return undefined;
  } catch (error) {
    if (error instanceof RequestSyntaxError) return schemaError("File//", error.message, `${path}.request`);
    throw error;
  }
}
