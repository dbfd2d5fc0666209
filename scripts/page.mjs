import { createHash } from "node:crypto";
import { join } from "node:path";
import { root } from "./run.mjs";

const hashOf = (text) => `sha256-${createHash("sha256").update(text).digest("base64")}`;

/**
 * Builds the page as texts that the server and the Worker contain as constants. The document contains the script and
 * the style, and the policy contains their hashes. So the page needs one request and no further paths, and a
 * browser never combines files of two servers with different versions.
 *
 * @returns {Promise<{ html: string, policy: string, etag: string }>}
 */
export async function buildPage() {
  // A dynamic import, because setup.mjs may install the package first.
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: { page: "src/page/main.tsx", style: "src/page/page.css" },
    outdir: join(root, "dist/page"),
    write: false,
    bundle: true,
    minify: true,
    format: "iife",
    target: ["chrome123", "firefox120", "safari17.5"],
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    logLevel: "warning",
    tsconfigRaw: {},
  });
  const textOf = (name) => outputFiles.find(({ path }) => path.endsWith(name))?.text ?? "";
  // A closing tag in a string would end the element.
  const script = textOf("page.js").replaceAll("</script", "<\\/script");
  const style = textOf("style.css");
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Isoline</title>
<style>${style}</style>
</head>
<body>
<div id="app"></div>
<noscript>This page needs JavaScript. GET /status has the same as JSON, and isoline status as text.</noscript>
<script>${script}</script>
</body>
</html>
`;
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    "connect-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
  return { html, policy, etag: `"${createHash("sha256").update(html).digest("hex").slice(0, 16)}"` };
}
