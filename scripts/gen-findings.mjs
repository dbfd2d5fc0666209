import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isMain, root } from "./run.mjs";

const SEVERITIES = { error: "Error", warning: "Warning", either: "Error or warning" };

const section = ([code, { severity, meaning, fix, example }]) => `### ${code}

${SEVERITIES[severity]}. ${meaning}

- Fix: ${fix}
- Example: ${example}
`;

/** @param {Readonly<Record<string, object>>} areas `codeAreas` of src/schema/finding-codes.ts */
function findingsText(areas) {
  const parts = Object.entries(areas).map(([area, codes]) => {
    const sorted = Object.entries(codes).sort(([a], [b]) => (a < b ? -1 : 1));
    return `## ${area}\n\n${sorted.map(section).join("\n")}`;
  });
  return `# Finding codes

A finding reports an error of an object, or a part without effect. \`isoline check\`, \`publish\`, statuses and the admission webhook report the same findings.
A line of \`isoline check\` ends with the type and the code: \`(TLSError/SecretNotValid)\`. The code is the id of the rule in SARIF
output and the name in [suppressions](ci.md#suppressions).

\`npm run gen:findings\` generates this page from \`src/schema/finding-codes/\`; findings can't have other codes.

${parts.join("\n")}`;
}

/** The text of docs/findings.md for the current codes. */
export async function generate() {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ["src/schema/finding-codes.ts"],
    bundle: true,
    format: "esm",
    write: false,
  });
  const code = Buffer.from(outputFiles[0].contents).toString("base64");
  const { codeAreas } = await import(`data:text/javascript;base64,${code}`);
  return findingsText(codeAreas);
}

if (isMain(import.meta)) writeFileSync(join(root, "docs/findings.md"), await generate());
