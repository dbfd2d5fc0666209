import { afterAll, describe, expect, it } from "vitest";
import { closeBrowser, hasBrowser, openPage } from "../support/browser.js";
import { fiveHosts } from "../support/page-objects.js";
import { pageTokens, startPageRig } from "../support/page-rig.js";

describe.skipIf(!hasBrowser)("the page in Chromium", () => {
  afterAll(closeBrowser);

  it("shows hosts, a picture, problems, Envoys and changes, and follows what happens", async () => {
    const rig = await startPageRig();
    await rig.push(fiveHosts());
    const first = await rig.poll("edge-1", "listeners", "");
    await rig.poll("edge-1", "listeners", first);
    const { page, errors, keep } = await openPage(rig.url);
    await page.getByLabel("Token").fill(pageTokens.read);
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByText("5 hosts").first().waitFor();
    await page.getByRole("link", { name: "shop.example.com" }).waitFor();
    await keep("five-hosts");
    await page.getByRole("link", { name: "shop.example.com" }).click();
    await page.locator("svg.pic").waitFor();
    await page.waitForTimeout(500);
    await keep("five-host");
    await page.getByRole("link", { name: "Problems" }).click();
    await page.waitForTimeout(700);
    await keep("five-problems");
    await page.getByRole("link", { name: "Envoys" }).click();
    await page.waitForTimeout(700);
    await keep("five-envoys");
    await rig.push(fiveHosts(50));
    await page.getByRole("link", { name: "Changes" }).click();
    await page.waitForTimeout(1500);
    await keep("five-changes");
    expect(errors).toEqual([]);
    await rig.stop();
  });
});
