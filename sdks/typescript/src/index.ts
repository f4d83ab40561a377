export { VexObj } from "./client.js";
export type { ClientOptions, GetOptions, ListOptions, NewApiKey, PutOptions } from "./client.js";
export { VexObjError } from "./errors.js";
export type * from "./types.js";
