import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import axe from "axe-core";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { onTestFinished } from "vitest";

/** Debian's Chromium, or the program that `CHROMIUM` names. */
const program = [
  process.env.CHROMIUM ?? "",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
].find((path) => path !== "" && existsSync(path));

/** Whether there is a Chromium; tests of the page are skipped without one. */
export const hasBrowser = program !== undefined;

const artifacts = join(import.meta.dirname, "../artifacts");

let browser: Promise<Browser> | undefined;

/** One browser for a test file; `closeBrowser` ends it. */
export function startBrowser(): Promise<Browser> {
  browser ??= chromium.launch({ executablePath: program ?? "", args: ["--no-sandbox", "--disable-gpu"] });
  return browser;
}

export async function closeBrowser(): Promise<void> {
  await (await browser)?.close();
  browser = undefined;
}

export interface OpenOptions {
  readonly token?: string;
  readonly dark?: boolean;
  readonly phone?: boolean;
}

export interface OpenedPage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors of the page's script and of its policy. */
  readonly errors: readonly string[];
  /** Keeps what is seen as `test/artifacts/NAME.png`. */
  keep(name: string): Promise<void>;
}

interface AxeRun {
  run(): Promise<{
    readonly violations: readonly {
      readonly id: string;
      readonly help: string;
      readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
    }[];
  }>;
}

/** What axe-core finds wrong for people who use a screen reader or a keyboard; one text for each. */
export async function axeFindings(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { readonly axe: AxeRun }).axe.run(),
  );
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary = "" }) => `${id}: ${help}: ${html.slice(0, 300)} ${failureSummary}`),
  );
}

/** Opens a page in a context of its own, as large as a laptop's or a phone's screen. */
export async function openPage(
  url: string,
  { token = "", dark = false, phone = false }: OpenOptions = {},
): Promise<OpenedPage> {
  const context = await (await startBrowser()).newContext({
    viewport: phone ? { width: 390, height: 844 } : { width: 1280, height: 860 },
    colorScheme: dark ? "dark" : "light",
    isMobile: phone,
    hasTouch: phone,
    locale: "en-GB",
    timezoneId: "UTC",
  });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !/Failed to load resource/.test(message.text()))
      errors.push(message.text());
  });
  if (token) await page.addInitScript(`sessionStorage.setItem("isoline-token", ${JSON.stringify(token)})`);
  await page.goto(url);
  const keep = async (name: string): Promise<void> => {
    mkdirSync(artifacts, { recursive: true });
    await page.screenshot({ path: join(artifacts, `${name}.png`) });
  };
  return { page, context, errors, keep };
}
