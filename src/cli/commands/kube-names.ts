import { isLabel } from "../../schema/names.js";

/**
 * Marks each `--kube` without a name: its name is optional, and commander would otherwise take the next word as the
 * name. A word that can't be a name (an HTTP method, an option) is not taken.
 */
export const withoutKubeNames = (args: readonly string[]): string[] =>
  args.map((arg, i) => (arg === "--kube" && !isTarget(args[i + 1]) ? "--kube=" : arg));

const isTarget = (arg: string | undefined): boolean => arg !== undefined && isLabel(arg.replace(/=.*$/s, ""));
