import { dump } from "js-yaml";

/** One YAML document of a JSON value, in which text is quoted where any reader would take it for something else. */
export const writeYaml = (value: unknown): string => dump(value, { noRefs: true, lineWidth: -1 });
