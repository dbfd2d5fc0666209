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

A finding says what is wrong with an object, or has no effect: \`isoline check\`, \`publish\`, statuses and the admission webhook have the same ones.
A line of \`isoline check\` ends with the part that is concerned and the code: \`(TLSError/SecretNotValid)\`. Rules of SARIF have the
code as their id, and [suppressions](ci.md#suppressions) name it.

The page is made by \`npm run gen:findings\` from \`src/schema/finding-codes/\`; the compiler takes no other codes.

${parts.join("\n")}`;
}

/** The text of docs/findings.md for the codes as they are. */
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
