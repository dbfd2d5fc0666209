type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Whether text for a stream is coloured: on a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`. `FORCE_COLOR`
 * takes precedence over all of them; `0` and `false` turn colours off.
 */
export function isColoured({ isTTY }: { readonly isTTY?: boolean }, env: Environment = process.env): boolean {
  const { FORCE_COLOR, NO_COLOR, TERM } = env;
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== "0" && FORCE_COLOR !== "false";
  return isTTY === true && !NO_COLOR && TERM !== "dumb";
}

const codes = { error: 31, warning: 33, good: 32, faint: 2 } as const;

const paint = (text: string, colour: keyof typeof codes): string =>
  `\u001b[${codes[colour]}m${text}\u001b[0m`;

const finding = /^((?:.*?: )??)(error|warning)( .*?)( \([A-Za-z]+\/[A-Za-z]+\))?$/;

/** Colours the severity of findings, one per line in the form of `formatLocated`, and dims their codes. */
export const colourFindings = (text: string): string =>
  text
    .split("\n")
    .map((line) => {
      const [, place = "", severity, message = "", code = ""] = finding.exec(line) ?? [];
      if (severity !== "error" && severity !== "warning") return line;
      return place + paint(severity, severity) + message + (code && paint(code, "faint"));
    })
    .join("\n");

/** Colours a summary by the highest severity that it counts. */
export const colourSummary = (text: string, errors: number, warnings: number): string =>
  paint(text, errors > 0 ? "error" : warnings > 0 ? "warning" : "good");
