/** An answer of the server that is not a success; `code` is stable, `message` is for people. */
export class VexObjError extends Error {
  override readonly name = "VexObjError";

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly requestId: string | null,
  ) {
    super(message);
  }

  static async from(response: Response): Promise<VexObjError> {
    let code = "unknown";
    let message = response.statusText || `status ${response.status}`;
    try {
      const body = (await response.json()) as { error?: string; code?: string };
      code = body.code ?? code;
      message = body.error ?? message;
    } catch {
      // An answer that is not JSON (a proxy's, or to HEAD) leaves the status text standing.
    }
    return new VexObjError(response.status, code, message, response.headers.get("x-request-id"));
  }
}
