import { script } from "./page-script.js";

const style = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 72rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
header, form { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; }
header { justify-content: space-between; }
input, select, textarea, button { font: inherit; padding: .3rem .5rem; }
input[name=url] { flex: 1 1 24rem; } textarea { flex: 1 1 100%; font-family: ui-monospace, monospace; }
table { border-collapse: collapse; width: 100%; } caption { text-align: left; font-weight: 600; padding: .5rem 0; }
th, td { text-align: left; vertical-align: top; padding: .2rem .6rem .2rem 0; border-bottom: 1px solid #8884; }
td { overflow-wrap: anywhere; } .error { color: #c22; } .warning { color: #a60; } .quiet { opacity: .7; }
#summary { font-size: 1.05rem; font-weight: 600; }
`;

const html = (nonce: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Isoline</title>
<style nonce="${nonce}">${style}</style>
</head>
<body>
<header>
  <h1>Isoline</h1>
  <form id="access"><label>Token <input name="token" type="password" autocomplete="off" size="24"></label>
  <button>Use</button></form>
</header>
<p id="message" role="status" class="quiet"></p>
<h2>Where does a request go?</h2>
<form id="explain">
  <select name="method" aria-label="Method"><option>GET<option>HEAD<option>POST<option>PUT<option>PATCH<option>DELETE<option>OPTIONS</select>
  <input name="url" aria-label="URL" placeholder="https://app.example.com/path" required>
  <button>Explain</button>
  <textarea name="headers" rows="2" aria-label="Headers" placeholder="name: value, a line each"></textarea>
</form>
<div id="explanation" aria-live="polite"></div>
<h2>What is served</h2>
<div id="state"></div>
<script nonce="${nonce}">${script}</script>
</body>
</html>
`;

/**
 * `GET /`: a page that shows the status and explains requests. It holds no data and so is for everyone; what it shows
 * it asks for with a token of the role `read`, which it keeps for the browser's tab.
 */
export function pageResponse(): Response {
  const nonce = crypto.randomUUID();
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ];
  return new Response(html(nonce), {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "content-security-policy": policy.join("; "),
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    },
  });
}
