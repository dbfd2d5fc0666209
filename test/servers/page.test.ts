import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { closeBrowser, hasBrowser, openPage } from "../support/browser.js";
import { fiveHosts } from "../support/page-objects.js";
import { type PageRig, pageTokens, startPageRig } from "../support/page-rig.js";

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
    await page.getByText("All is served").waitFor();

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
