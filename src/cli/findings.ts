import { findingSubject } from "../schema/finding-subject.js";
import { formatLocated, isShown, type Located } from "../sources/files/objects.js";
import type { CheckFormat } from "./check-formats.js";
import { githubText } from "./github.js";
import { gitlabReport } from "./gitlab.js";
import { type SarifOptions, sarif } from "./sarif.js";

type Writer = (located: readonly Located[], options?: SarifOptions) => string;

/** Output of findings, for people and for CI. Only JSON and SARIF contain hidden findings, which are marked there. */
export const findingWriters: Readonly<Record<CheckFormat, Writer>> = {
  text: (located) =>
    located
      .filter(isShown)
      .map((one) => `${formatLocated(one)}\n`)
      .join(""),
  json: (located) => `${JSON.stringify(located.map(record))}\n`,
  github: githubText,
  gitlab: (located) => `${JSON.stringify(gitlabReport(located))}\n`,
  sarif: (located, options = {}) => `${JSON.stringify(sarif(located, options))}\n`,
};

const record = ({ finding, file, line, column, suppression }: Located): object => ({
  ...finding,
  // Programs get refs, not texts for people.
  about: findingSubject(finding.about) && finding.about,
  file,
  line,
  ...(column === undefined ? {} : { column }),
  ...(suppression ? { suppression } : {}),
});
