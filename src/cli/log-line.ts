/**
 * A log line that the runner of GitHub Actions does not read as a command: neither `::name::` at the beginning nor
 * `##[name]` inside.
 */
export const logLine = (text: string): string => `- ${text.replaceAll("##[", "# #[")}`;
