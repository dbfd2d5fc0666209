import {
  type NginxOptions,
  type OptionProblem,
  readNginxOptions,
} from "../../../schema/ingress-nginx-options.js";
import { memoized } from "../../../schema/memoized.js";
import { settingsRef } from "../../../schema/settings.js";
import { secretName } from "../../certificates/secret.js";
import type { ObjectByKind, Reader, Report } from "../../core/reader.js";

/** The options of the ConfigMap of ingress-nginx. They apply to all Ingresses of its classes. */
export interface NginxConfig {
  readonly options: NginxOptions;
  /** Why all requests are refused: an access restriction of the ConfigMap can't be applied. */
  readonly refusal?: string;
}

const ofObject = memoized((object: ObjectByKind<"ConfigMap">) => readNginxOptions(object.spec.data));

const none: ReturnType<typeof readNginxOptions> = { options: {}, problems: [] };

/** Reads the ConfigMap that the settings name. Without a ConfigMap, the defaults of ingress-nginx apply. */
export function readNginxConfig(reader: Reader): NginxConfig {
  const { options, problems } = find(reader).read;
  const closed = problems.find(({ kind }) => kind === "closed");
  return { options, ...(closed ? { refusal: describe(closed) } : {}) };
}

const describe = ({ option, message }: OptionProblem): string =>
  `option ${JSON.stringify(option)} of the ConfigMap ${message}`;

function find(reader: Reader): { readonly read: typeof none; readonly missing?: string } {
  const name = reader.settings.ingressNginx?.configMap;
  if (!name) return { read: none };
  const target = secretName(name, "default");
  const object = reader.get("ConfigMap", target.namespace, target.name);
  return object ? { read: ofObject(object) } : { read: none, missing: name };
}

/** Reports options that have no effect or are refused, and a missing ConfigMap. */
export function reportNginxConfig(reader: Reader, report: Report): void {
  const { read, missing } = find(reader);
  if (missing !== undefined) {
    const message = `ConfigMap ${missing} not found: the defaults of ingress-nginx hold`;
    report.error(settingsRef, "SpecError", "ConfigMapNotFound", message, "ingressNginx.configMap");
  }
  for (const problem of read.problems)
    if (problem.kind === "closed") {
      const message = `${describe(problem)}: all Ingresses of ingress-nginx answer 503`;
      report.error(settingsRef, "SpecError", "NginxOptionRefused", message, "ingressNginx.configMap");
    } else
      report.warn(
        settingsRef,
        "SpecError",
        "NginxOptionNoEffect",
        describe(problem),
        "ingressNginx.configMap",
      );
}
