/** Something that did not succeed; `code` is stable, `message` is for people. */
export class VexObjError extends Error {
  override readonly name = "VexObjError";

  /** `status` is 0 and `code` is "ConnectionFailed" where there was no answer. */
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly requestId: string | null = null,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  static async from(response: Response): Promise<VexObjError> {
    let code = "unknown";
    let message = response.statusText || `status ${response.status}`;
    try {
      const body = (await response.json()) as { error?: string; code?: string; reason?: string };
      code = body.code ?? code;
      message = body.error ?? message;
      if (body.reason) message += `: ${body.reason}`;
    } catch {
      // An answer that is not JSON (a proxy's, or to HEAD) leaves the status text standing.
    }
    return new VexObjError(response.status, code, message, response.headers.get("x-request-id"));
  }
}
