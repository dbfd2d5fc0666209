/** One expectation of a test, with the actual result. */
export interface Check {
  /** Its path in `expect` of the test, such as `tls.certificate`. */
  readonly field: string;
  readonly expected: string;
  readonly found: string;
  readonly holds: boolean;
}
