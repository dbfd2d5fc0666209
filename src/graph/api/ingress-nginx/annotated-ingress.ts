import type { ErrorCode } from "../../../schema/finding-codes.js";
import { type NginxValues, nginxPrefix, readNginxAnnotations } from "../../../schema/ingress-nginx.js";
import { memoized } from "../../../schema/memoized.js";
import type { Reader, Report } from "../../core/reader.js";
import type { Ingress } from "../ingress/ingress.js";
import type { NginxConfig } from "./config.js";

/** An Ingress with its annotations. */
export interface AnnotatedIngress {
  readonly ingress: Ingress;
  readonly values: NginxValues;
  /** Why its paths answer 503. */
  readonly refusal?: string;
}

/** The inputs of all readers of one host. */
export interface NginxHostContext {
  readonly host: string;
  /** Set if the host is served under another name, such as an alias: that name. */
  readonly alias?: string;
  readonly reader: Reader;
  readonly report: Report;
  readonly config: NginxConfig;
  /** The namespace of the oldest Ingress of the host. Only its Ingresses configure the whole host. */
  readonly owner: string;
}

export const type = "IngressError";

const annotationsOf = memoized((ingress: Ingress) => readNginxAnnotations(ingress.meta.annotations));

/** The field path of an annotation, given without the prefix. */
export const fieldOf = (annotation: string): string =>
  `metadata.annotations[${JSON.stringify(nginxPrefix + annotation)}]`;

/** Reads the annotations of an Ingress. Reports the annotations that are invalid or have no effect. */
export function readAnnotatedIngress(
  ingress: Ingress,
  config: NginxConfig,
  report: Report,
): AnnotatedIngress {
  const { values, problems } = annotationsOf(ingress);
  let refusal = config.refusal;
  for (const { annotation, kind, message } of problems) {
    const text = `${JSON.stringify(annotation)} ${message}`;
    const path = `metadata.annotations[${JSON.stringify(annotation)}]`;
    if (kind === "refuse") {
      report.error(
        ingress.ref,
        type,
        "NginxAnnotationRefused",
        `${text}: the paths of this Ingress answer 503`,
        path,
      );
      refusal ??= text;
    } else if (kind === "default")
      report.warn(ingress.ref, type, "AnnotationNotValid", `${text}; the default is used`, path);
    else {
      const code = kind === "not-needed" ? "NginxAnnotationNotNeeded" : "NginxAnnotationNoEffect";
      report.warn(ingress.ref, type, code, text, path);
    }
  }
  if (config.refusal)
    report.error(
      ingress.ref,
      type,
      "NginxAnnotationRefused",
      `${config.refusal}: the paths of this Ingress answer 503`,
    );
  return { ingress, values, ...(refusal ? { refusal } : {}) };
}

/** A report that drops repeated findings: most annotations are read again for each path of their Ingress. */
export function eachOnce(report: Report): Report {
  const known = new Set<string>();
  const isNew = (...parts: readonly (string | undefined)[]): boolean => {
    const key = JSON.stringify(parts);
    if (known.has(key)) return false;
    known.add(key);
    return true;
  };
  return {
    error(about, type, reason, message, path) {
      if (isNew(about, reason, message, path)) report.error(about, type, reason, message, path);
    },
    warn(about, type, reason, message, path, unlessBetween) {
      if (isNew(about, reason, message, path)) report.warn(about, type, reason, message, path, unlessBetween);
    },
    add(finding) {
      if (isNew(finding.about, finding.reason, finding.message, finding.path)) report.add(finding);
    },
    get findings() {
      return report.findings;
    },
  };
}

/** Collects the reason why the paths of an Ingress are refused. Warns of annotations without effect. */
export class Notes {
  refusal: string | undefined;

  constructor(
    private readonly ingress: Ingress,
    private readonly report: Report,
  ) {}

  /** Reports an annotation that can't be applied: the paths of the Ingress answer 503. */
  refuse(annotation: string, message: string, reason: ErrorCode = "NginxAnnotationRefused"): undefined {
    this.refusal ??= message;
    const text = `${message}: the paths of this Ingress answer 503`;
    this.report.error(this.ingress.ref, type, reason, text, fieldOf(annotation));
    return undefined;
  }

  /** Reports an annotation that has no effect, in whole or in part. */
  ignore(annotation: string, message: string): undefined {
    this.report.warn(this.ingress.ref, type, "NginxAnnotationNoEffect", message, fieldOf(annotation));
    return undefined;
  }
}
