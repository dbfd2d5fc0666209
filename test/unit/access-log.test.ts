import { describe, expect, it } from "vitest";
import {
  defaultJsonFields,
  formatStringProblem,
  jsonFieldProblem,
  readJsonField,
} from "../../src/schema/access-log.js";

describe("JSON access log fields", () => {
  it.each([
    ["method", "method", "%REQ(:METHOD)%"],
    ["@timestamp", "@timestamp", "%START_TIME%"],
    ["response_code", "response_code", "%RESPONSE_CODE%"],
    ["Duration", "Duration", "%DURATION%"],
    ["a=%REQ(X-A)%", "a", "%REQ(X-A)%"],
    ["plain=two=words", "plain", "two=words"],
    ["method=x", "method", "x"],
    ["__proto__=x", "__proto__", "x"],
  ])("reads %s", (entry, name, format) => {
    expect(jsonFieldProblem(entry)).toBeUndefined();
    expect(readJsonField(entry)).toEqual({ name, format });
  });

  it("has an operator for each of Contour's 23 default fields", () => {
    expect(defaultJsonFields).toHaveLength(23);
    for (const field of defaultJsonFields) expect(jsonFieldProblem(field)).toBeUndefined();
  });

  it.each([
    "no_such",
    "req",
    "a=",
    "",
    "a=%",
    "a=%NO_SUCH%",
    "toString",
    "metadata",
    "upstream_filter_state",
  ])("refuses %j", (entry) => expect(jsonFieldProblem(entry)).toEqual(expect.any(String)));
});

describe("text access log formats", () => {
  it.each([
    "",
    "plain\n",
    "%DURATION% %START_TIME% %START_TIME(%s.%3f)%\n",
    "%REQ(:PATH)% %REQ(A?B):10% %RESP(x-y)% %TRAILER(x)% %REQ_WITHOUT_QUERY(:PATH)%\n",
    "%METADATA(ROUTE:a:b)% %ENVIRONMENT(HOME)% %GRPC_STATUS(NUMBER)%\n",
    "%UPSTREAM_FILTER_STATE(a:PLAIN)% %RESPONSE_CODE_DETAILS(ALLOW_WHITESPACES)%\n",
  ])("accepts %j", (format) => expect(formatStringProblem(format)).toBeUndefined());

  it.each([
    ["%DURATION%", "line break"],
    ["100%\n", "a % without an operator"],
    ["%%\n", "a % without an operator"],
    ["%duration%\n", "a % without an operator"],
    ["%FOO%\n", "unknown operator %FOO%"],
    ["%toString%\n", "a % without an operator"],
    ["%REQ%\n", "needs arguments"],
    ["%DURATION(x)%\n", "takes no arguments"],
    ["%START_TIME(%s):3%\n", "takes no length"],
    ["%REQ(a b)%\n", "arguments"],
    ["%REQ(A?B?C)%\n", "arguments"],
    ["%REQ(a\nb)%\n", "arguments"],
    ["%METADATA(FOO:a)%\n", "arguments"],
    ["%REQ(A):9999999999%\n", "length"],
    [`%${"A".repeat(100_000)}`, "a % without an operator"],
  ])("refuses %.20j", (format, problem) => expect(formatStringProblem(format)).toContain(problem));
});
