export { VexObj } from "./client.js";
export type {
  ClientOptions,
  GetOptions,
  ListOptions,
  LockOptions,
  NewApiKey,
  NewLock,
  PutOptions,
} from "./client.js";
export { VexObjError } from "./errors.js";
export type * from "./types.js";
