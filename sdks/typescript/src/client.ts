/** The client: one server, one key, every call over `fetch`. */

import { VexObjError } from "./errors.js";
import type {
  ApiKey,
  Bucket,
  BucketAccess,
  CreatedApiKey,
  ObjectMeta,
  ObjectPage,
  Permissions,
  Stats,
  Transform,
} from "./types.js";

export interface ClientOptions {
  /** Instead of the global `fetch`: for tests, proxies, or older runtimes. */
  fetch?: typeof fetch;
}

export interface PutOptions {
  contentType?: string;
  cacheControl?: string;
  signal?: AbortSignal;
}

export interface GetOptions {
  /** First and last byte, both included; without `last` to the end. */
  range?: { first: number; last?: number };
  versionId?: string;
  signal?: AbortSignal;
}

export interface ListOptions {
  prefix?: string;
  delimiter?: string;
  pageSize?: number;
}

type Body = ReadableStream<Uint8Array> | Blob | ArrayBuffer | Uint8Array | string;

interface Call {
  method?: string;
  query?: Record<string, string | number | undefined>;
  headers?: Record<string, string | undefined>;
  json?: unknown;
  body?: Body;
  signal?: AbortSignal | undefined;
}

function defined<T>(values: Record<string, T | undefined>): [string, string][] {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, String(value)]);
}

export class VexObj {
  readonly #base: string;
  readonly #key: string | undefined;
  readonly #fetch: typeof fetch;

  constructor(baseUrl: string, key?: string, options: ClientOptions = {}) {
    this.#base = baseUrl.replace(/\/+$/, "");
    this.#key = key;
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init));
  }

  async createBucket(name: string, options: { public?: boolean } = {}): Promise<Bucket> {
    return this.#json("/v1/buckets", { method: "POST", json: { name, ...options } });
  }

  async listBuckets(): Promise<Bucket[]> {
    return (await this.#json<{ buckets: Bucket[] }>("/v1/buckets")).buckets;
  }

  async getBucket(name: string): Promise<Bucket> {
    return this.#json(bucketPath(name));
  }

  async updateBucket(name: string, change: { public: boolean }): Promise<Bucket> {
    return this.#json(bucketPath(name), { method: "PATCH", json: change });
  }

  async deleteBucket(name: string): Promise<void> {
    await this.#call(bucketPath(name), { method: "DELETE" });
  }

  /** Stores a body; a stream is sent as it is read. */
  async putObject(
    bucket: string,
    key: string,
    body: Body,
    options: PutOptions = {},
  ): Promise<ObjectMeta> {
    return this.#json(objectPath(bucket), {
      method: "PUT",
      query: { key },
      headers: { "content-type": options.contentType, "cache-control": options.cacheControl },
      body,
      signal: options.signal,
    });
  }

  /** The whole answer: read `body` as a stream, or call `arrayBuffer()`, `text()`, `blob()`. */
  async getObject(bucket: string, key: string, options: GetOptions = {}): Promise<Response> {
    const range = options.range && `bytes=${options.range.first}-${options.range.last ?? ""}`;
    return this.#call(objectPath(bucket), {
      query: { key, version_id: options.versionId },
      headers: { range },
      signal: options.signal,
    });
  }

  async getObjectBytes(bucket: string, key: string, options?: GetOptions): Promise<Uint8Array> {
    return new Uint8Array(await (await this.getObject(bucket, key, options)).arrayBuffer());
  }

  async getObjectText(bucket: string, key: string, options?: GetOptions): Promise<string> {
    return (await this.getObject(bucket, key, options)).text();
  }

  async headObject(bucket: string, key: string): Promise<Headers> {
    return (await this.#call(objectPath(bucket), { method: "HEAD", query: { key } })).headers;
  }

  async deleteObject(
    bucket: string,
    key: string,
    options: { versionId?: string } = {},
  ): Promise<void> {
    const query = { key, version_id: options.versionId };
    await this.#call(objectPath(bucket), { method: "DELETE", query });
  }

  /** One page; `listAllObjects` walks them all. */
  async listObjects(
    bucket: string,
    options: ListOptions & { continuationToken?: string } = {},
  ): Promise<ObjectPage> {
    return this.#json(`/v1/objects/${encodeURIComponent(bucket)}`, {
      query: {
        prefix: options.prefix,
        delimiter: options.delimiter,
        max_keys: options.pageSize,
        continuation_token: options.continuationToken,
      },
    });
  }

  async *listAllObjects(bucket: string, options: ListOptions = {}): AsyncGenerator<ObjectMeta> {
    let token: string | null | undefined;
    do {
      const page: ObjectPage = await this.listObjects(bucket, {
        ...options,
        ...(token ? { continuationToken: token } : {}),
      });
      yield* page.objects;
      token = page.next_continuation_token;
    } while (token);
  }

  /** The address of an image as `transform` says; it works in `<img src>` for public buckets. */
  imageUrl(bucket: string, key: string, transform: Transform): string {
    return this.#url(objectPath(bucket), { key, ...transform });
  }

  async createApiKey(
    name: string,
    options: { permissions?: Permissions; bucketAccess?: BucketAccess } = {},
  ): Promise<CreatedApiKey> {
    const { permissions, bucketAccess } = options;
    const json = { name, permissions, bucket_access: bucketAccess };
    return this.#json("/v1/admin/keys", { method: "POST", json });
  }

  async listApiKeys(): Promise<ApiKey[]> {
    return (await this.#json<{ keys: ApiKey[] }>("/v1/admin/keys")).keys;
  }

  async deleteApiKey(id: string): Promise<void> {
    await this.#call(`/v1/admin/keys/${encodeURIComponent(id)}`, { method: "DELETE" });
  }

  async stats(): Promise<Stats> {
    return this.#json("/v1/stats");
  }

  #url(path: string, query: NonNullable<Call["query"]> | object = {}): string {
    const search = new URLSearchParams(defined(query as Record<string, string>)).toString();
    return this.#base + path + (search && `?${search}`);
  }

  async #json<T>(path: string, call: Call = {}): Promise<T> {
    return (await (await this.#call(path, call)).json()) as T;
  }

  async #call(path: string, call: Call = {}): Promise<Response> {
    const headers = new Headers(defined(call.headers ?? {}));
    if (this.#key) headers.set("authorization", `Bearer ${this.#key}`);
    const init: RequestInit & { duplex?: "half" } = { method: call.method ?? "GET", headers };
    if (call.signal) init.signal = call.signal;
    if (call.json !== undefined) {
      headers.set("content-type", "application/json");
      init.body = JSON.stringify(call.json);
    } else if (call.body !== undefined) {
      init.body = call.body as BodyInit;
      if (call.body instanceof ReadableStream) init.duplex = "half";
    }
    const response = await this.#fetch(this.#url(path, call.query), init);
    if (!response.ok) throw await VexObjError.from(response);
    return response;
  }
}

function bucketPath(name: string): string {
  return `/v1/buckets/${encodeURIComponent(name)}`;
}

/** The form with the key in the query: no URL parser rewrites `..` there. */
function objectPath(bucket: string): string {
  return `/v1/object/${encodeURIComponent(bucket)}`;
}
