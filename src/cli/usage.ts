/** A wrong use of the command line: exit code 2. */
export class UsageError extends Error {}

/** @throws UsageError without paths of manifests. */
export function needFiles(paths: readonly string[] | undefined): void {
  if (!paths?.length) throw new UsageError("-f PATH is required: manifests, or - for standard input");
}
