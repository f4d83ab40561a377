/** The client: one server, one key, every call over `fetch`. */

import { VexObjError } from "./errors.js";
import type {
  ApiKey,
  Bucket,
  BucketAccess,
  BucketQuota,
  BucketChange,
  BucketVersioning,
  AuditEntry,
  Backup,
  BackupStatus,
  AuditFilter,
  ClockInfo,
  CreatedApiKey,
  CreatedWebhook,
  Delivery,
  DeliveryFilter,
  GcResult,
  Health,
  Identity,
  LifecycleRule,
  LifecycleRun,
  NewLifecycleRule,
  NewWebhook,
  ObjectList,
  ObjectLock,
  ObjectMeta,
  ObjectVersion,
  Permissions,
  PurgeResult,
  Quota,
  Scrub,
  Stats,
  Transform,
  Usage,
  VersionList,
  Webhook,
  WebhookChange,
  WebhookTest,
} from "./types.js";

export interface ClientOptions {
  /** Instead of the global `fetch`: for tests, proxies, or older runtimes. */
  fetch?: typeof fetch;
}

export interface PutOptions {
  /** Guessed from the key by the server if left out; a Blob's own type comes first. */
  contentType?: string;
  cacheControl?: string;
  contentDisposition?: string;
  contentEncoding?: string;
  /** Kept with the object, its names in lower case. */
  metadata?: Record<string, string>;
  /** Hex: the server refuses a body that has another. */
  sha256?: string;
  /** The ETag to overwrite. */
  ifMatch?: string;
  /** Refuses to overwrite. */
  ifNoneMatch?: "*";
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

/** `bypassGovernance`, for admin keys, passes over a retention in governance mode. */
export interface LockOptions {
  versionId?: string;
  bypassGovernance?: boolean;
}

/** What is left out is cleared. A retention without a mode keeps its own, else governance. */
export interface NewLock {
  retainUntil?: Date;
  legalHold?: boolean;
  mode?: "governance" | "compliance";
}

export interface NewApiKey {
  permissions?: Permissions;
  bucketAccess?: BucketAccess;
  /** Whose key it is, by id; the caller's own if left out. */
  identity?: string;
  expiresAt?: Date;
  /** Together with `secretAccessKey`: an existing pair, brought along. */
  accessKeyId?: string;
  secretAccessKey?: string;
}

type Body = ReadableStream<Uint8Array> | Blob | ArrayBuffer | Uint8Array | string;

interface Call {
  method?: string;
  query?: Record<string, string | number | boolean | undefined>;
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

  /** With `objectLock` it keeps versions, for good. */
  async createBucket(
    name: string,
    { public: isPublic, objectLock }: { public?: boolean; objectLock?: boolean } = {},
  ): Promise<Bucket> {
    const json = { name, public: isPublic, object_lock: objectLock };
    return this.#json("/v1/buckets", { method: "POST", json });
  }

  async listBuckets(): Promise<Bucket[]> {
    return (await this.#json<{ buckets: Bucket[] }>("/v1/buckets")).buckets;
  }

  async getBucket(name: string): Promise<Bucket> {
    return this.#json(bucketPath(name));
  }

  async updateBucket(name: string, change: BucketChange): Promise<Bucket> {
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
      headers: {
        "content-type": options.contentType,
        "cache-control": options.cacheControl,
        "content-disposition": options.contentDisposition,
        "content-encoding": options.contentEncoding,
        "x-vexobj-sha256": options.sha256,
        "if-match": options.ifMatch,
        "if-none-match": options.ifNoneMatch,
        ...prefixed("x-amz-meta-", options.metadata ?? {}),
      },
      // As bytes: `fetch` calls every string text/plain, the server knows better.
      body: typeof body === "string" ? new TextEncoder().encode(body) : body,
      signal: options.signal,
    });
  }

  /** The same as `putObject`: every upload streams. */
  async streamUpload(
    bucket: string,
    key: string,
    body: Body,
    options: PutOptions = {},
  ): Promise<ObjectMeta> {
    return this.putObject(bucket, key, body, options);
  }

  /** The same as `getObject`: every download streams. */
  async streamDownload(bucket: string, key: string, options: GetOptions = {}): Promise<Response> {
    return this.getObject(bucket, key, options);
  }

  /**
   * The whole answer: read `body` as a stream, or call `arrayBuffer()`, `text()`, `blob()`.
   * As always with `fetch`, bytes that are stored with a Content-Encoding arrive decoded.
   */
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

  /** The headers that a GET would have. */
  async headObject(
    bucket: string,
    key: string,
    options: { versionId?: string } = {},
  ): Promise<Headers> {
    const query = { key, version_id: options.versionId };
    return (await this.#call(objectPath(bucket), { method: "HEAD", query })).headers;
  }

  async deleteObject(
    bucket: string,
    key: string,
    options: LockOptions = {},
  ): Promise<void> {
    await this.#call(objectPath(bucket), { method: "DELETE", query: locked(key, options) });
  }

  async getVersioning(bucket: string): Promise<BucketVersioning> {
    return this.#json(`/v1/admin/versioning/${encodeURIComponent(bucket)}`);
  }

  /** Keeps what is overwritten or deleted from now on, or suspends that. */
  async enableVersioning(
    bucket: string,
    options: { suspend?: boolean } = {},
  ): Promise<BucketVersioning> {
    const json = { versioning: options.suspend ? "suspended" : "enabled" };
    const path = `/v1/admin/versioning/${encodeURIComponent(bucket)}`;
    return this.#json(path, { method: "POST", json });
  }

  /** One page of a key's versions and delete markers, newest first. */
  async listVersions(
    bucket: string,
    key: string,
    options: { pageSize?: number; continuationToken?: string } = {},
  ): Promise<VersionList> {
    const query = {
      key,
      max_versions: options.pageSize,
      continuation_token: options.continuationToken,
    };
    return this.#json(versionsPath(bucket), { query });
  }

  async *listAllVersions(bucket: string, key: string): AsyncGenerator<ObjectVersion> {
    let token: string | null | undefined;
    do {
      const page: VersionList = await this.listVersions(
        bucket,
        key,
        token ? { continuationToken: token } : {},
      );
      yield* page.versions;
      token = page.next_continuation_token;
    } while (token);
  }

  /** Removes an object with all its versions; none, when one of them is locked. */
  async purgeVersions(
    bucket: string,
    key: string,
    options: { bypassGovernance?: boolean } = {},
  ): Promise<PurgeResult> {
    return this.#json(versionsPath(bucket), { method: "DELETE", query: locked(key, options) });
  }

  async getLock(
    bucket: string,
    key: string,
    options: { versionId?: string } = {},
  ): Promise<ObjectLock> {
    return this.#json(lockPath(bucket), { query: locked(key, options) });
  }

  /** Replaces retention and legal hold; a retention under way can only be extended. */
  async setLock(
    bucket: string,
    key: string,
    lock: NewLock,
    options: LockOptions = {},
  ): Promise<ObjectLock> {
    const json = {
      retain_until: lock.retainUntil?.toISOString(),
      legal_hold: lock.legalHold,
      mode: lock.mode,
    };
    return this.#json(lockPath(bucket), { method: "PUT", query: locked(key, options), json });
  }

  /** A retention stays. */
  async releaseLegalHold(
    bucket: string,
    key: string,
    options: { versionId?: string } = {},
  ): Promise<void> {
    await this.#call(lockPath(bucket), { method: "DELETE", query: locked(key, options) });
  }

  /** One page; `listAllObjects` walks them all. */
  async listObjects(
    bucket: string,
    options: ListOptions & { continuationToken?: string } = {},
  ): Promise<ObjectList> {
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
      const page: ObjectList = await this.listObjects(bucket, {
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

  /** An image as `transform` says. */
  async getImage(
    bucket: string,
    key: string,
    transform: Transform,
    options: { signal?: AbortSignal } = {},
  ): Promise<Response> {
    const query = { key, ...transform };
    return this.#call(objectPath(bucket), { query, signal: options.signal });
  }

  async createIdentity(displayName: string, options: { email?: string } = {}): Promise<Identity> {
    const json = { display_name: displayName, ...options };
    return this.#json("/v1/admin/identities", { method: "POST", json });
  }

  async listIdentities(): Promise<Identity[]> {
    return (await this.#json<{ identities: Identity[] }>("/v1/admin/identities")).identities;
  }

  /** Without `permissions` it may read and write, without `bucketAccess` in all buckets. */
  async createApiKey(name: string, options: NewApiKey = {}): Promise<CreatedApiKey> {
    const json = {
      name,
      permissions: options.permissions,
      bucket_access: options.bucketAccess,
      identity: options.identity,
      expires_at: options.expiresAt?.toISOString(),
      access_key_id: options.accessKeyId,
      secret_access_key: options.secretAccessKey,
    };
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

  /** What takes room on the disk, and what of it will be free when. */
  async usage(): Promise<Usage> {
    return this.#json("/v1/admin/usage");
  }

  async getQuota(bucket: string): Promise<BucketQuota> {
    return this.#json(quotaPath(bucket));
  }

  /** What is left out has no limit. A bucket that holds more keeps it, and does not grow. */
  async setQuota(bucket: string, quota: Partial<Quota>): Promise<BucketQuota> {
    return this.#json(quotaPath(bucket), { method: "PUT", json: quota });
  }

  /** Holds the bucket to the server's default again, if there is one. */
  async resetQuota(bucket: string): Promise<BucketQuota> {
    return this.#json(quotaPath(bucket), { method: "DELETE" });
  }

  /** Collects what is due; tells what was freed and what still waits. */
  async gc(): Promise<GcResult> {
    return this.#json("/v1/admin/gc", { method: "POST" });
  }

  async createLifecycleRule(bucket: string, rule: NewLifecycleRule): Promise<LifecycleRule> {
    return this.#json(lifecyclePath(bucket), { method: "POST", json: rule });
  }

  async listLifecycleRules(bucket: string): Promise<LifecycleRule[]> {
    return (await this.#json<{ rules: LifecycleRule[] }>(lifecyclePath(bucket))).rules;
  }

  /** Replaces all rules of the bucket; none removes them. */
  async setLifecycle(bucket: string, rules: NewLifecycleRule[]): Promise<LifecycleRule[]> {
    const call = { method: "PUT", json: { rules } };
    return (await this.#json<{ rules: LifecycleRule[] }>(lifecyclePath(bucket), call)).rules;
  }

  /** In whatever bucket it is; name the bucket where several have a rule of this id. */
  async deleteLifecycleRule(id: string, options: { bucket?: string } = {}): Promise<void> {
    const path = `/v1/admin/lifecycle/rule/${encodeURIComponent(id)}`;
    await this.#call(path, { method: "DELETE", query: options });
  }

  /** Does what is due by all rules now; settles when it is done. */
  async runLifecycle(): Promise<LifecycleRun> {
    return this.#json("/v1/admin/lifecycle/run", { method: "POST" });
  }

  /** How far scrub is, and a page of what it has found. */
  async getScrub(options: { after?: string; limit?: number } = {}): Promise<Scrub> {
    return this.#json("/v1/admin/scrub", { query: options });
  }

  /**
   * Has all stored bytes read, in the background. A dry run puts nothing in quarantine;
   * `acceptLosses` is for one that is halted because very many blobs are missing together.
   */
  async startScrub(options: { dryRun?: boolean; acceptLosses?: boolean } = {}): Promise<Scrub> {
    const json = { dry_run: options.dryRun, accept_losses: options.acceptLosses };
    return this.#json("/v1/admin/scrub", { method: "POST", json });
  }

  /** Has it read again; whether it is whole by now, and out of quarantine. */
  async releaseFinding(blobId: string): Promise<boolean> {
    const path = `/v1/admin/scrub/findings/${encodeURIComponent(blobId)}/release`;
    return (await this.#json<{ released: boolean }>(path, { method: "POST" })).released;
  }

  /** Makes a backup of the whole server; settles when it is finished. */
  async createBackup(): Promise<Backup> {
    return this.#json("/v1/admin/backup", { method: "POST" });
  }

  /** Has a backup made; `getBackups` tells how far it is. */
  async startBackup(): Promise<void> {
    await this.#call("/v1/admin/backup", { method: "POST", query: { wait: false } });
  }

  async getBackups(): Promise<BackupStatus> {
    return this.#json("/v1/admin/backup");
  }

  /** Tells who wrote what, the newest first. */
  async listAuditEntries(filter: AuditFilter = {}): Promise<AuditEntry[]> {
    const { accessKeyId, ipAddress, requestId, ...rest } = filter;
    const query = {
      ...rest,
      access_key_id: accessKeyId,
      ip_address: ipAddress,
      request_id: requestId,
    };
    return (await this.#json<{ entries: AuditEntry[] }>("/v1/admin/audit", { query })).entries;
  }

  /** Sends events to a URL from now on; the secret that signs them is told only now. */
  async createWebhook(webhook: NewWebhook): Promise<CreatedWebhook> {
    return this.#json(WEBHOOKS, { method: "POST", json: webhook });
  }

  /** The oldest first. */
  async listWebhooks(): Promise<Webhook[]> {
    return (await this.#json<{ webhooks: Webhook[] }>(WEBHOOKS)).webhooks;
  }

  async getWebhook(id: string): Promise<Webhook> {
    return this.#json(webhookPath(id));
  }

  /** One that is disabled is sent nothing, and told of nothing that happens meanwhile. */
  async updateWebhook(id: string, change: WebhookChange): Promise<Webhook> {
    return this.#json(webhookPath(id), { method: "PATCH", json: change });
  }

  /** With all its deliveries. */
  async deleteWebhook(id: string): Promise<void> {
    await this.#call(webhookPath(id), { method: "DELETE" });
  }

  /** Sends an event that did not happen, once and now. */
  async testWebhook(id: string): Promise<WebhookTest> {
    return this.#json(`${webhookPath(id)}/test`, { method: "POST" });
  }

  /** The newest first. */
  async listDeliveries(id: string, filter: DeliveryFilter = {}): Promise<Delivery[]> {
    const path = `${webhookPath(id)}/deliveries`;
    const query = { ...filter };
    return (await this.#json<{ deliveries: Delivery[] }>(path, { query })).deliveries;
  }

  /** Begins anew with one that is delivered or dead, or with all that are dead; how many. */
  async replayDeliveries(id: string, number?: number): Promise<number> {
    const call = { method: "POST", query: { number } };
    return (await this.#json<{ replayed: number }>(`${webhookPath(id)}/replay`, call)).replayed;
  }

  /** Forgets one, whatever its state, or all that are dead; how many. */
  async deleteDeliveries(id: string, number?: number): Promise<number> {
    const call = { method: "DELETE", query: { number } };
    return (await this.#json<{ deleted: number }>(`${webhookPath(id)}/deliveries`, call)).deleted;
  }

  /** Nothing expires while the server's clock is held. */
  async getClock(): Promise<ClockInfo> {
    return this.#json("/v1/admin/clock");
  }

  /** Declares the server's clock right: what is over by it expires from now on. */
  async acceptClock(): Promise<ClockInfo> {
    return this.#json("/v1/admin/clock/accept", { method: "POST" });
  }

  /** Rejects with status 503 when the server is not well. */
  async health(): Promise<Health> {
    return this.#json("/health");
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
    const response = await this.#send(this.#url(path, call.query), init);
    if (!response.ok) throw await VexObjError.from(response);
    return response;
  }

  async #send(url: string, init: RequestInit): Promise<Response> {
    try {
      return await this.#fetch(url, init);
    } catch (error) {
      if (init.signal?.aborted) throw error;
      const message = `no answer from ${this.#base}`;
      throw new VexObjError(0, "ConnectionFailed", message, null, { cause: error });
    }
  }
}

function prefixed(prefix: string, values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]));
}

function lifecyclePath(bucket: string): string {
  return `/v1/admin/lifecycle/${encodeURIComponent(bucket)}`;
}

function bucketPath(name: string): string {
  return `/v1/buckets/${encodeURIComponent(name)}`;
}

const WEBHOOKS = "/v1/admin/webhooks";

function webhookPath(id: string): string {
  return `${WEBHOOKS}/${encodeURIComponent(id)}`;
}

function quotaPath(bucket: string): string {
  return `/v1/admin/quota/${encodeURIComponent(bucket)}`;
}

/** The form with the key in the query: no URL parser rewrites `..` there. */
function objectPath(bucket: string): string {
  return `/v1/object/${encodeURIComponent(bucket)}`;
}

function versionsPath(bucket: string): string {
  return `/v1/versions/${encodeURIComponent(bucket)}`;
}

function lockPath(bucket: string): string {
  return `/v1/admin/lock/${encodeURIComponent(bucket)}`;
}

function locked(key: string, options: LockOptions): NonNullable<Call["query"]> {
  return {
    key,
    version_id: options.versionId,
    bypass_governance: options.bypassGovernance,
  };
}
