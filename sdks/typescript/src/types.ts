/** What the server answers with, field for field as the contract has it. */

export interface BucketSettings {
  /** Whether images may be transformed. */
  transforms: "off" | "open";
  /** Host names whose every path is a key of the bucket. */
  host_aliases: string[];
}

/** Either so many days or so many years, from when a version is written. */
export interface BucketRetention {
  mode: "governance" | "compliance";
  days?: number | null;
  years?: number | null;
}

/** What versions are locked by that bring no retention of their own. */
export interface BucketObjectLock {
  default_retention?: BucketRetention | null;
}

export interface Bucket {
  id: string;
  name: string;
  created_at: string;
  public: boolean;
  versioning: "off" | "enabled" | "suspended";
  /** The id of the identity that owns it. */
  owner: string;
  settings: BucketSettings;
  /** null for a bucket whose versions S3 clients cannot lock. */
  object_lock: BucketObjectLock | null;
}

/** What is left out stays as it is; object lock needs versioning to be enabled. */
export interface BucketChange {
  public?: boolean;
  settings?: BucketSettings;
  object_lock?: BucketObjectLock;
}

export interface ObjectMeta {
  id: string;
  bucket: string;
  key: string;
  size: number;
  content_type: string;
  etag: string;
  /** Hex; null while it is not known. */
  sha256: string | null;
  created_at: string;
  updated_at: string;
  metadata: Record<string, unknown>;
}

export interface BucketVersioning {
  bucket: string;
  versioning: "off" | "enabled" | "suspended";
}

/** A version of an object, or a delete marker, whose removal brings the object back. */
export interface ObjectVersion {
  id: string;
  bucket: string;
  key: string;
  /** "null" for a version written while versioning was off or suspended. */
  version_id: string;
  size: number;
  content_type: string;
  etag: string;
  sha256: string | null;
  created_at: string;
  is_latest: boolean;
  is_delete_marker: boolean;
}

export interface VersionList {
  versions: ObjectVersion[];
  is_truncated: boolean;
  next_continuation_token: string | null;
}

export interface PurgeResult {
  bucket: string;
  key: string;
  blobs_removed: number;
  versions_removed: number;
  bytes_removed: number;
}

/** What an object is kept by; a retention in compliance mode nobody can end before its time. */
export interface ObjectLock {
  retain_until: string | null;
  legal_hold: boolean;
  mode: "governance" | "compliance" | null;
}

export interface ObjectList {
  objects: ObjectMeta[];
  common_prefixes: string[];
  is_truncated: boolean;
  next_continuation_token: string | null;
}

export interface Permissions {
  read: boolean;
  write: boolean;
  delete: boolean;
  admin: boolean;
}

export type BucketAccess = { type: "all" } | { type: "specific"; buckets: string[] };

export interface ApiKey {
  id: string;
  name: string;
  key_prefix: string;
  identity: string;
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
  permissions: Permissions;
  bucket_access: BucketAccess;
}

/** The only answer that holds the secret; it is the bearer token as well. */
export interface CreatedApiKey {
  key: ApiKey;
  access_key_id: string;
  secret: string;
}

export interface Identity {
  id: string;
  display_name: string;
  email: string | null;
  created_at: string;
}

export interface BucketStats {
  name: string;
  objects: number;
  size: number;
  noncurrent_objects: number;
  noncurrent_size: number;
  upload_size: number;
}

export interface Stats {
  buckets: number;
  total_objects: number;
  total_size: number;
  disk_usage: number;
  version: string;
  bucket_details: BucketStats[];
}

/** What a bucket may hold; null is no limit. */
export interface Quota {
  max_bytes: number | null;
  max_objects: number | null;
}

/** Used are noncurrent versions and unfinished parts too; `is_default`: the server's quota. */
export interface BucketQuota extends Quota {
  bucket: string;
  is_default: boolean;
  used_bytes: number;
  used_objects: number;
}

/**
 * What takes room on the disk. `buckets` counts each copy, `stored_*` what is really there;
 * `waiting_*` was deleted and is removed between `first_due_at` and `last_due_at`;
 * `unused_bytes` are deleted multipart objects that begin to wait soon.
 */
export interface Usage {
  buckets: BucketStats[];
  stored_blobs: number;
  stored_bytes: number;
  inline_bytes: number;
  waiting_blobs: number;
  waiting_bytes: number;
  first_due_at: string | null;
  last_due_at: string | null;
  unused_bytes: number;
  cache_bytes: number;
  metadata_bytes: number;
  disk_usage: number;
  disk_free: number;
}

/** What was collected; what waits is due at `due_at`, null when nothing waits. */
export interface GcResult {
  blobs_scanned: number;
  orphans_removed: number;
  bytes_freed: number;
  waiting: number;
  waiting_bytes: number;
  due_at: string | null;
}

/**
 * Which objects: those with `prefix` and all of `tags`, their size between the two bounds. Current
 * versions expire after `expire_days` or at `expire_at` (midnight UTC), delete markers that hide
 * nothing with `expire_delete_markers`; noncurrent versions go after `noncurrent_days`, but the
 * `keep_noncurrent` newest stay; uploads are aborted after `abort_upload_days`.
 */
export interface NewLifecycleRule {
  id?: string;
  enabled?: boolean;
  prefix?: string;
  tags?: Record<string, string>;
  size_greater_than?: number | null;
  size_less_than?: number | null;
  expire_days?: number | null;
  expire_at?: string | null;
  expire_delete_markers?: boolean;
  noncurrent_days?: number | null;
  keep_noncurrent?: number | null;
  abort_upload_days?: number | null;
}

export interface LifecycleRule extends Required<NewLifecycleRule> {
  bucket: string;
  created_at: string;
}

/** What a run did; `held`: nothing, as the server's clock is not believed. */
export interface LifecycleRun {
  objects_expired: number;
  versions_removed: number;
  markers_removed: number;
  uploads_aborted: number;
  bytes_freed: number;
  locked: number;
  held: boolean;
}

/**
 * One pass over all stored blobs; `all_*` are of its beginning. `locked_away` blobs could not be
 * opened for want of an encryption key; `halted` says why it does not go on for now.
 */
export interface ScrubPass {
  began_at: string;
  ended_at: string | null;
  dry_run: boolean;
  blobs: number;
  bytes: number;
  all_blobs: number;
  all_bytes: number;
  corrupt: number;
  missing: number;
  unreadable: number;
  locked_away: number;
  halted: string | null;
}

/** A version that has damaged bytes; with `is_upload` an upload under way, by its id. */
export interface FindingPlace {
  bucket: string | null;
  key: string;
  version_id: string;
  is_upload: boolean;
}

/**
 * A blob that is not as it was put. While it is `quarantined`, what has it cannot be read.
 * `places` are the first 100 of `places_count`, known once it is `traced`.
 */
export interface Finding {
  blob_id: string;
  damage: "corrupt" | "missing" | "unreadable";
  reason: string;
  found_at: string;
  size: number;
  quarantined: boolean;
  traced: boolean;
  places_count: number;
  places: FindingPlace[];
}

/** `current` is the pass under way or the last; `next` the `after` of the next page of findings. */
export interface Scrub {
  running: boolean;
  current: ScrubPass | null;
  completed: ScrubPass | null;
  findings_count: number;
  findings: Finding[];
  next: string | null;
}

/** A key that a restore needs; `inside` says that it is in the backup itself. */
export interface BackupKey {
  name: string;
  id: string;
  inside: boolean;
}

/** A finished one. `blobs_copied` were not there before, `damaged` ones could not be read. */
export interface Backup {
  name: string;
  path: string;
  began_at: string;
  finished_at: string;
  db_size: number;
  blobs: number;
  blobs_copied: number;
  bytes_copied: number;
  total_size: number;
  damaged: number;
  keys: BackupKey[];
}

/** `done` of `blobs` were looked at; `copied` of these were not there yet. */
export interface BackupUnderWay {
  name: string;
  blobs: number;
  bytes: number;
  done: number;
  done_bytes: number;
  copied: number;
  copied_bytes: number;
}

/** `last` ended well; `failure` is that of a later one. `backups` are there, newest first. */
export interface BackupStatus {
  directory: string;
  keep: number | null;
  interval_seconds: number;
  running: BackupUnderWay | null;
  last: Pick<Backup, "name" | "began_at" | "finished_at" | "total_size" | "damaged"> | null;
  failure: { at: string; error: string } | null;
  backups: Backup[];
}

/**
 * Which entries are wanted. An `action` that ends in a dot means all that begin so, a `resource`
 * also what is below it; times as ISO 8601 with an offset, `since` included, `until` not.
 */
export interface AuditFilter {
  limit?: number;
  offset?: number;
  action?: string;
  resource?: string;
  accessKeyId?: string;
  identity?: string;
  ipAddress?: string;
  requestId?: string;
  since?: string;
  until?: string;
}

/** One write; an anonymous caller has no key. `actor` is the key's name at that time. */
export interface AuditEntry {
  id: string;
  timestamp: string;
  action: string;
  resource: string;
  api_key_prefix: string | null;
  access_key_id: string | null;
  actor: string | null;
  identity: string | null;
  ip_address: string;
  request_id: string;
  details: Record<string, unknown>;
}

/** The time by which things expire: the clock's own unless it is `held`. */
export interface ClockInfo {
  wall_at: string;
  believed_at: string;
  held: boolean;
}

export interface Health {
  status: string;
  service: string;
  version: string;
  capabilities: Record<string, boolean | string[]>;
}

export interface Transform {
  w?: number;
  h?: number;
  quality?: number;
  format?: "auto" | "jpeg" | "png" | "webp" | "avif" | "gif";
  fit?: "cover" | "contain" | "fill";
}

/** In `events` a `*` stands for any characters; without `bucket` those of all buckets. */
export interface NewWebhook {
  url: string;
  events?: string[];
  bucket?: string | null;
  prefix?: string;
  /** Made by the server when left out. */
  secret?: string;
  enabled?: boolean;
}

/** What is left out stays; `bucket: null` means all buckets. */
export type WebhookChange = Partial<Omit<NewWebhook, "secret">>;

/** The counts are of deliveries; `oldest_at` is when the oldest event happened that waits. */
export interface Webhook {
  id: string;
  url: string;
  events: string[];
  bucket: string | null;
  prefix: string;
  enabled: boolean;
  signed: boolean;
  /** It is changed in the server's settings only. */
  from_settings: boolean;
  created_at: string;
  waiting: number;
  delivered: number;
  dead: number;
  oldest_at: string | null;
}

export interface CreatedWebhook {
  webhook: Webhook;
  /** Told only now. */
  secret: string;
  warning: string;
}

/** `status` is that of the answer, if there was one; `error` says why it does not count. */
export interface WebhookTest {
  delivered: boolean;
  status: number | null;
  error: string | null;
  duration_ms: number;
}

export type DeliveryState = "waiting" | "delivered" | "dead";

/** `before` goes on below a number; 1000 at most are told. */
export interface DeliveryFilter {
  state?: DeliveryState;
  event?: string;
  before?: number;
  limit?: number;
}

/**
 * An event for one webhook; `status` and `error` are of the last attempt. `due_at` is when it is
 * tried next, `finished_at` when it was delivered or given up.
 */
export interface Delivery {
  number: number;
  event_id: string;
  event: string;
  timestamp: string;
  sequence: number | null;
  data: Record<string, unknown>;
  state: DeliveryState;
  attempts: number;
  due_at: string | null;
  finished_at: string | null;
  status: number | null;
  error: string | null;
}
