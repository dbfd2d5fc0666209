/** Escapes text for Envoy's header format, so that it is sent unchanged. */
export const literal = (text: string): string => text.replaceAll("%", "%%");

export const clientAddress = "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%";
