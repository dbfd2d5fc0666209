import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { axeFindings, closeBrowser, hasBrowser, openPage } from "../support/browser.js";
import { classSettings, threeGateways } from "../support/gateways.js";
import { fiveHosts } from "../support/page-objects.js";
import { type PageRig, pageTokens, startPageRig } from "../support/page-rig.js";

/** An HTTPProxy with an error. */
const brokenProxy = {
  apiVersion: "projectcontour.io/v1",
  kind: "HTTPProxy",
  metadata: { name: "broken", namespace: "shop" },
  spec: {
    virtualhost: { fqdn: "broken.example.com" },
    routes: [{ services: [{ name: "missing", port: 80 }] }],
  },
};

/** Each view with few and with many hosts, in dark and on a phone, is in `test/long/page.test.ts`. */
describe.skipIf(!hasBrowser)("the page in Chromium", () => {
  let rig: PageRig;
  beforeEach(async () => {
    rig = await startPageRig();
    await rig.push(fiveHosts());
  });
  afterEach(() => rig.stop());
  afterAll(closeBrowser);

  it("asks for a token once, is used by keyboard, follows changes, and keeps what it has when the connection is lost", async () => {
    const { page, errors } = await openPage(rig.url);
    await page.getByLabel("Token").fill("wrong");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "This token does not open the page" }).waitFor();
    await page.getByLabel("Token").fill(pageTokens.read);
    await page.keyboard.press("Enter");
    await page.getByText("All is served", { exact: true }).waitFor();

    await page.getByRole("searchbox").fill("example");
    await page.getByRole("link", { name: "grafana.example.com" }).focus();
    await page.keyboard.press("ArrowDown");
    await page.getByRole("searchbox").fill("storefront shop");
    await page.getByText("1 of 5 hosts").waitFor();
    expect(page.url()).toContain("#/hosts?q=storefront+shop");
    await page.keyboard.press("Tab");
    await page.getByRole("link", { name: "shop.example.com" }).focus();
    await page.keyboard.press("Enter");
    expect(page.url()).toContain("#/host/shop.example.com");

    await page.getByRole("img", { name: /Route graph of shop\.example\.com/ }).waitFor();
    await page.locator(".pic-route", { hasText: "4 · prefix /api" }).click();
    await page.locator(".route-chosen", { hasText: "10 %" }).waitFor();
    await page.locator(".route-chosen").getByRole("link", { name: "Explain" }).click();
    await page.getByText(/goes to shop\/catalog/).waitFor();

    await page.getByRole("link", { name: "Changes" }).click();
    await rig.push(fiveHosts(50));
    await page.getByText(/by ci \(web, revision 2\)/).waitFor();
    await page.getByText(/weight 10.*-> .*weight 50/).waitFor();
    expect(await page.getByRole("button", { name: "Roll back" }).count()).toBe(0);

    await page.locator(".tab-hosts").click();
    await rig.stop();
    await page.getByText(/The connection was lost/).waitFor();
    expect(await page.getByRole("link", { name: "shop.example.com" }).count()).toBe(1);
    expect(errors).toEqual([]);
  });

  it("has a row and a graph for each Gateway of a host, and asks for the Gateway of a request", async () => {
    await rig.stop();
    rig = await startPageRig(classSettings);
    await rig.push(threeGateways());
    const { page, errors } = await openPage(`${rig.url}/#/hosts`, { token: pageTokens.read });
    await page.getByRole("searchbox").fill("www.test");
    await page.getByText("3 of 9 hosts").waitFor();
    await page.getByText("http 10.80.0.2:80").waitFor();
    await page.getByLabel("Gateway").selectOption("infra/private");
    await page.getByText("1 of 9 hosts").waitFor();
    await page.getByRole("link", { name: "www.test" }).click();
    await page.getByRole("heading", { name: /Listener http, port 80, 10\.80\.0\.2/ }).waitFor();
    await page.locator(".pic-listener", { hasText: "Gateway infra/private" }).waitFor();
    await page.locator(".route").getByRole("link", { name: "Explain" }).click();
    await page.getByText(/goes to shop\/inner/).waitFor();
    await page.getByText("infra/private, listener http").waitFor();

    await page.getByLabel("Gateway, if several serve the host").fill("");
    await page.getByRole("button", { name: "Explain" }).click();
    await page.getByText(/several listeners serve www\.test/).waitFor();
    await page.getByRole("link", { name: "infra/public" }).click();
    await page.getByText(/goes to shop\/web/).waitFor();

    await page.goto(`${rig.url}/#/host/www.test`);
    await page.getByText(/several Gateways serve www\.test/).waitFor();
    await page.getByRole("link", { name: "infra/admin" }).click();
    await page.getByRole("heading", { name: /Listener http, port 8080/ }).waitFor();

    await page.goto(`${rig.url}/#/host/*?gateway=infra%2Fpublic`);
    await page.getByText("from UDPRoute/shop/dns").waitFor();
    expect(errors.filter((text) => !text.includes("400"))).toEqual([]);
  });

  it("asks for changes with pauses, however many publications come", async () => {
    const { page, errors } = await openPage(`${rig.url}/#/changes`, { token: pageTokens.read });
    await page.getByText(/by ci/).first().waitFor();
    let asked = 0;
    page.on("request", (one) => {
      if (new URL(one.url()).pathname === "/changes") asked++;
    });
    const began = performance.now();
    for (let revision = 2; revision <= 41; revision++) await rig.push(fiveHosts(10 + revision));
    await page.getByText(/last change .* by ci \(web, revision 41\)/).waitFor();
    await page.getByText("revision 41", { exact: true }).waitFor();
    expect(asked).toBeLessThanOrEqual(3 + (performance.now() - began) / 1000);
    expect(errors).toEqual([]);
  });

  it.each(["light", "dark"])(
    "has a name, a role and enough contrast for all that it shows (%s)",
    async (colours) => {
      await rig.push([...fiveHosts(50), brokenProxy]);
      const { page } = await openPage(rig.url, { token: pageTokens.admin, dark: colours === "dark" });
      await page.getByRole("status").first().waitFor();
      expect(await page.getByRole("status").first().textContent()).not.toMatch(/ago/);
      const found = new Set<string>();
      for (const view of ["hosts", "host/shop.example.com", "problems", "envoys", "changes", "explain"]) {
        await page.goto(`${rig.url}/#/${view}`);
        await page.locator("main :is(h2, h3, form, svg.pic, [role=table])").first().waitFor();
        for (const finding of await axeFindings(page)) found.add(finding);
      }
      expect([...found]).toEqual([]);
    },
  );

  it("rolls a push back with a token of the role admin, after it has shown what that changes", async () => {
    await rig.push(fiveHosts(50));
    const { page, errors } = await openPage(`${rig.url}/#/changes`, { token: pageTokens.admin });
    await page.getByRole("button", { name: "Roll back…" }).first().click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText(/weight 50.*-> .*weight 10/).waitFor();
    await dialog.getByRole("button", { name: "Roll back to revision 1" }).click();
    await page.getByText(/last change .* by admin \(web, revision 3\)/).waitFor();
    expect(errors).toEqual([]);
  });
});
