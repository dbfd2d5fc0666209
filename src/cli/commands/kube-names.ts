import { isLabel } from "../../schema/names.js";

/**
 * `--kube` takes a name or none, so that commander would take the word after it for one: what can't be a name (an HTTP
 * method, an option) is left alone.
 */
export const withoutKubeNames = (args: readonly string[]): string[] =>
  args.map((arg, i) => (arg === "--kube" && !isTarget(args[i + 1]) ? "--kube=" : arg));

const isTarget = (arg: string | undefined): boolean => arg !== undefined && isLabel(arg.replace(/=.*$/s, ""));
