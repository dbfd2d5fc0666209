import { dump } from "js-yaml";

/** A JSON value as one YAML document. Text is quoted when any YAML parser reads it as another type. */
export const writeYaml = (value: unknown): string => dump(value, { noRefs: true, lineWidth: -1 });
