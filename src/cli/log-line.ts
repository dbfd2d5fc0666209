/** A line of a log that the runner of GitHub Actions takes for no command, neither `::name::` at its beginning nor `##[name]` within. */
export const logLine = (text: string): string => `- ${text.replaceAll("##[", "# #[")}`;
