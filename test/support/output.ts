import { vi } from "vitest";

/** Gives what commands print to these instead, until `vi.restoreAllMocks`. A line of standard error has its end. */
export function captureOutput(out: (text: string) => void, error: (line: string) => void): void {
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out(String(text));
    return true;
  });
  vi.spyOn(console, "error").mockImplementation((text) => error(`${text}\n`));
}
