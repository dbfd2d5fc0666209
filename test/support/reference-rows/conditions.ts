import { proofs } from "./proofs.js";
import { proved, type Row, shown, tested } from "./row.js";

const condition = (field: string): string => `HTTPProxy conditions[].${field}`;

/** Includes and what requests are told apart by. */
export const conditionRows: readonly Row[] = [
  proved(
    shown(
      "HTTPProxy spec.includes[]",
      "routes of another object, under a prefix",
      "includes/inheritance",
      "prefix: /team/blog",
      "name: x-team",
    ),
    proofs.httpProxyRouting,
  ),
  shown(
    "HTTPProxy spec.includes[].namespace",
    "of another namespace",
    "fields/every-place",
    "name: child",
    "namespace: team",
    "cluster: team/app/80",
  ),
  shown(
    "HTTPProxy spec.includes[].conditions",
    "no exact or regular path",
    "fields/every-place",
    "exact and regex conditions are not allowed in an include",
  ),
  shown(condition("prefix"), "the beginning of a path", "conditions/paths-headers-queries", "prefix: /api"),
  shown(condition("exact"), "a whole path", "conditions/paths-headers-queries", "path: /api/exact"),
  shown(
    condition("regex"),
    "a pattern, from the path's beginning",
    "conditions/paths-headers-queries",
    "regex: ^/api/v[0-9]+",
  ),
  shown(
    condition("header.present"),
    "a header is there, or is not",
    "includes/inheritance",
    "present_match: true",
  ),
  shown(
    condition("header.notpresent"),
    "a header that must be missing",
    "conditions/paths-headers-queries",
    "notpresent: true",
    "invert_match: true",
  ),
  shown(
    condition("header.contains"),
    "part of a header",
    "fields/every-place",
    "header: {name: x-a, contains: a}",
  ),
  shown(
    condition("header.notcontains"),
    "no such part, also of a missing header",
    "fields/httpproxy",
    "notcontains: a",
    "treat_missing_header_as_empty: true",
  ),
  shown(condition("header.exact"), "all of a header", "conditions/paths-headers-queries", "exact: yes"),
  shown(
    condition("header.notexact"),
    "another header, whatever its case",
    "fields/httpproxy",
    "notexact: b",
    "ignore_case: true",
  ),
  shown(condition("header.regex"), "a header by a pattern", "fields/every-place", "regex: b.*"),
  shown(
    condition("queryParameter.exact"),
    "query parameters by every kind",
    "fields/every-place",
    "name: q1",
    "name: q2",
    "name: q3",
    "name: q4",
    "suffix: c",
  ),
  shown(
    condition("queryParameter.contains"),
    "part of a parameter, whatever its case",
    "conditions/paths-headers-queries",
    "contains: z",
    "ignore_case: true",
  ),
  shown(
    condition("queryParameter.present"),
    "a parameter that is there",
    "fields/every-place",
    "name: q5",
    "present_match: true",
  ),
  tested("every field of HTTPProxy", "each is in some golden case", proofs.fields),
];
