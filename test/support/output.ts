import { vi } from "vitest";

/**
 * Redirects the output of commands to these functions, until `vi.restoreAllMocks`. Lines of standard error include
 * their line end.
 */
export function captureOutput(out: (text: string) => void, error: (line: string) => void): void {
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out(String(text));
    return true;
  });
  vi.spyOn(console, "error").mockImplementation((text) => error(`${text}\n`));
}
