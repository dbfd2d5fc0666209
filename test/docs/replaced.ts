/** A command of a page that tests do not run as it is written. */
interface Replaced {
  readonly page: string;
  readonly command: string;
  /** The command that is run in its place; none where nothing is. */
  readonly by?: string;
  readonly why: string;
}

const bench = (command: string): Replaced => ({
  page: "docs/performance.md",
  command,
  why: "it measures for minutes up to an hour; what it measures has tests of its own",
});

/** All commands of the documentation that are not run as they are written. A command that is not here is run by the walk of its page. */
export const replaced: readonly Replaced[] = [
  { page: "README.md", command: "npm test", why: "it is what runs the walks" },
];
void bench;
