/** What the server answers with, field for field as the contract has it. */

export interface Bucket {
  id: string;
  name: string;
  created_at: string;
  public: boolean;
}

export interface ObjectMeta {
  id: string;
  bucket: string;
  key: string;
  size: number;
  content_type: string;
  sha256: string | null;
  created_at: string;
  updated_at: string;
  metadata: Record<string, unknown>;
}

export interface ObjectPage {
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
  created_at: string;
  permissions: Permissions;
  bucket_access: BucketAccess;
}

export interface CreatedApiKey {
  key: ApiKey;
  secret: string;
}

export interface Stats {
  buckets: number;
  total_objects: number;
  total_size: number;
  version: string;
}

export interface Transform {
  w?: number;
  h?: number;
  quality?: number;
  format?: "auto" | "jpeg" | "png" | "webp" | "avif" | "gif";
  fit?: "cover" | "contain" | "fill";
}
