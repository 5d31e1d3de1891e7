/** Bytes of a token, or of what a command prints. */
export const maxTokenBytes = 131_072;

/** The token inside a command's or a file's text: a raw token, an ExecCredential, or the JSON of the az CLI. */
export function extractToken(text: string): string | undefined {
  const trimmed = text.trim();
  const token = trimmed.startsWith("{") ? fromJson(trimmed) : trimmed;
  // A blank inside would end the header that the token goes into, or mean that this is a message.
  return token !== undefined && /^[\x21-\x7e]+$/.test(token) ? token : undefined;
}

function fromJson(text: string): string | undefined {
  try {
    const document = JSON.parse(text) as { status?: { token?: unknown }; accessToken?: unknown };
    const token = document.status?.token ?? document.accessToken;
    return typeof token === "string" ? token : undefined;
  } catch {
    return undefined;
  }
}
