import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { closeBrowser, hasBrowser, type OpenOptions, openPage } from "../support/browser.js";
import { fiveHosts, manyHosts } from "../support/page-objects.js";
import { type PageRig, pageTokens, startPageRig } from "../support/page-rig.js";

/** An Envoy that has what was served first, and refuses what came next. */
async function refuse(rig: PageRig, node: string): Promise<(next: () => Promise<unknown>) => Promise<void>> {
  const first = await rig.poll(node, "listeners", "");
  await rig.poll(node, "listeners", first);
  return async (next) => {
    await next();
    await rig.poll(node, "listeners", first);
    await rig.poll(node, "listeners", first);
  };
}

const tls = { kind: "IsolineSettings", spec: { allowLoopbackEndpoints: true, httpPort: 8081 } };
const screens: readonly (readonly [string, OpenOptions])[] = [
  ["light", {}],
  ["dark", { dark: true }],
  ["phone", { phone: true }],
  ["phone-dark", { phone: true, dark: true }],
];

describe.skipIf(!hasBrowser).each([
  ["five", 5, 0],
  ["many", 10_000, 258],
])("the page with %s hosts", (size, hosts, errors) => {
  let rig: PageRig;
  const host = size === "five" ? "shop.example.com" : "app-7.team-7.example.com";

  beforeAll(async () => {
    rig = await startPageRig();
    const objects = size === "five" ? JSON.stringify(fiveHosts()) : manyHosts(hosts, errors);
    await rig.push(objects);
    const next = await refuse(rig, "edge-amsterdam-2");
    await next(() => rig.push([tls], "settings"));
    for (const node of ["edge-amsterdam-1", "edge-berlin-1"])
      for (const type of ["clusters", "listeners"])
        await rig.poll(node, type, await rig.poll(node, type, ""));
    if (size === "five") await rig.push(fiveHosts(50));
  });
  afterAll(async () => {
    await rig.stop();
    await closeBrowser();
  });

  it.each(screens)("shows each view (%s)", async (screen, options) => {
    const { page, errors: wrong, keep } = await openPage(rig.url, { ...options, token: pageTokens.admin });
    await page.getByRole("link", { name: /refuses listeners since/ }).waitFor();
    await page
      .getByText(size === "five" ? "5 hosts" : /10,258 hosts|10,\d{3} hosts/)
      .first()
      .waitFor();
    await page.locator(".table-row").first().waitFor();
    await keep(`${size}-${screen}-hosts`);
    // Only what is seen is in the document, wherever the list is scrolled to.
    for (const share of [0.5, 1]) {
      await page.evaluate(`scrollTo(0, document.body.scrollHeight * ${share})`);
      await page
        .locator(share === 1 ? `[aria-rowindex="${hosts + errors + 1}"]` : ".table-row")
        .first()
        .waitFor();
      expect(await page.locator(".table-row").count()).toBeLessThan(60);
    }
    await page.getByRole("searchbox").fill(host.replaceAll(".", " "));
    await page.getByText(new RegExp(`^\\d+ of ${(hosts + errors).toLocaleString("en-US")} hosts`)).waitFor();
    await page.getByRole("link", { name: host, exact: true }).waitFor();
    await page.goto(`${rig.url}/#/host/${host}`);
    await page.locator("svg.pic").waitFor();
    await keep(`${size}-${screen}-host`);
    await page.goto(`${rig.url}/#/problems`);
    await page
      .locator(errors > 0 ? ".group" : ".empty-title")
      .first()
      .waitFor();
    if (errors > 0) {
      await page.locator(".group-head").first().click();
      await page.locator(".finding").first().waitFor();
    }
    await keep(`${size}-${screen}-problems`);
    await page.goto(`${rig.url}/#/envoys`);
    await page.locator(".envoy").first().waitFor();
    await keep(`${size}-${screen}-envoys`);
    await page.getByRole("link", { name: "edge-amsterdam-2" }).click();
    await page.getByText("It refuses listeners").waitFor();
    await keep(`${size}-${screen}-envoy`);
    await page.goto(`${rig.url}/#/changes`);
    await page.locator(".change").first().waitFor();
    await keep(`${size}-${screen}-changes`);
    await page.goto(`${rig.url}/#/explain?method=GET&url=${encodeURIComponent(`http://${host}/api/v1`)}`);
    await page.locator(".answer").waitFor();
    await keep(`${size}-${screen}-explain`);
    const width = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
    expect(width).toBeLessThanOrEqual(0);
    expect(wrong).toEqual([]);
  });
});
