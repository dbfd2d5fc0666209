/** A bootstrap that can't be written because an option is wrong. */
export class BootstrapError extends Error {
  override readonly name = "BootstrapError";
}
