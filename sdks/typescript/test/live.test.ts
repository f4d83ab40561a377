// These run against the server named by VEXOBJ_URL and VEXOBJ_KEY; the project's test suite starts
// one and sets both.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { VexObj, VexObjError } from "../src/index.js";
import type { BucketSettings } from "../src/index.js";

const url = process.env["VEXOBJ_URL"];
const key = process.env["VEXOBJ_KEY"];
assert.ok(url && key, "set VEXOBJ_URL and VEXOBJ_KEY to a running server");
const client = new VexObj(url, key);

const failsWith = (status: number, code: string) => (error: unknown) =>
  error instanceof VexObjError &&
  error.status === status &&
  error.code === code &&
  error.requestId !== null;

test("objects come back as they were put", async () => {
  const bucket = "ts-objects";
  await client.createBucket(bucket);
  const content = "vexobj ".repeat(100_000);
  const keys = ["plain", "a b+c", "x//y", "up/../dots", "emoji-\u{1F98A}", "end/"];
  for (const name of keys) {
    const meta = await client.putObject(bucket, name, content, { contentType: "text/plain" });
    assert.equal(meta.key, name);
    assert.equal(meta.size, content.length);
    assert.equal(await client.getObjectText(bucket, name), content);
    const range = { first: 7, last: 12 };
    assert.equal(await client.getObjectText(bucket, name, { range }), "vexobj");
    assert.equal((await client.headObject(bucket, name)).get("content-type"), "text/plain");
  }
  const listed: string[] = [];
  for await (const meta of client.listAllObjects(bucket, { pageSize: 2 })) listed.push(meta.key);
  assert.deepEqual(new Set(listed), new Set(keys));
  for (const name of keys) await client.deleteObject(bucket, name);
  await client.deleteBucket(bucket);
});

test("a stream is sent and received as a stream", async () => {
  const bucket = "ts-streams";
  await client.createBucket(bucket);
  const block = new Uint8Array(1 << 16).fill(7);
  let left = 64;
  const source = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (left-- > 0) controller.enqueue(block);
      else controller.close();
    },
  });
  const meta = await client.putObject(bucket, "stream", source);
  assert.equal(meta.size, 64 << 16);
  let received = 0;
  for await (const chunk of (await client.getObject(bucket, "stream")).body!) {
    received += chunk.length;
  }
  assert.equal(received, 64 << 16);
  await client.deleteObject(bucket, "stream");
  await client.deleteBucket(bucket);
});

test("errors are typed", async () => {
  await assert.rejects(client.getBucket("no-such-bucket"), failsWith(404, "NoSuchBucket"));
  const bucket = "ts-errors";
  await client.createBucket(bucket);
  await assert.rejects(client.getObject(bucket, "missing"), failsWith(404, "NoSuchKey"));
  await assert.rejects(client.createBucket(bucket), failsWith(409, "BucketAlreadyExists"));
  await client.deleteBucket(bucket);
});

test("a key is limited to its scope and ends when revoked", async () => {
  const bucket = "ts-scope";
  await client.createBucket(bucket);
  const created = await client.createApiKey("reader", {
    permissions: { read: true, write: false, delete: false, admin: false },
    bucketAccess: { type: "specific", buckets: [bucket] },
  });
  const reader = new VexObj(url, created.secret);
  await assert.rejects(
    reader.putObject(bucket, "x", "x"),
    (error: unknown) => error instanceof VexObjError && error.status === 403,
  );
  await client.deleteApiKey(created.key.id);
  await assert.rejects(
    reader.getBucket(bucket),
    (error: unknown) => error instanceof VexObjError && error.status === 401,
  );
  assert.ok((await client.stats()).buckets >= 1);
  await client.deleteBucket(bucket);
});

test("image addresses carry the transform", () => {
  const address = new VexObj("https://files.example.com/").imageUrl("photos", "a b.jpg", {
    w: 300,
    format: "auto",
  });
  assert.equal(
    address,
    "https://files.example.com/v1/object/photos?key=a+b.jpg&w=300&format=auto",
  );
});

test("what is said beside the bytes is kept, conditions hold", async () => {
  const bucket = "ts-options";
  await client.createBucket(bucket);
  const options = {
    contentType: "text/html",
    cacheControl: "no-cache",
    metadata: { author: "nobody" },
    ifNoneMatch: "*",
  } as const;
  const meta = await client.streamUpload(bucket, "page", "<p>", options);
  assert.deepEqual(meta.metadata, { author: "nobody" });
  const headers = await client.headObject(bucket, "page");
  assert.equal(headers.get("cache-control"), "no-cache");
  assert.equal(headers.get("etag"), `"${meta.etag}"`);
  await assert.rejects(
    client.putObject(bucket, "page", "", options),
    failsWith(412, "PreconditionFailed"),
  );
  assert.equal((await client.putObject(bucket, "guessed.html", "<p>")).content_type, "text/html");
  assert.equal(await (await client.streamDownload(bucket, "page")).text(), "<p>");
  await client.deleteObject(bucket, "guessed.html");
  await client.deleteObject(bucket, "page");
  await client.deleteBucket(bucket);
});

test("a stream that fails stores nothing", async () => {
  const bucket = "ts-broken";
  await client.createBucket(bucket);
  let sent = false;
  const source = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent) controller.error(new Error("the source is gone"));
      else controller.enqueue(new Uint8Array(1 << 16));
      sent = true;
    },
  });
  await assert.rejects(client.putObject(bucket, "half", source));
  await assert.rejects(client.headObject(bucket, "half"), { status: 404 });
  await client.deleteBucket(bucket);
});

test("nobody answers, and who aborts hears of it", async () => {
  await assert.rejects(new VexObj("http://127.0.0.1:1").health(), {
    name: "VexObjError",
    status: 0,
    code: "ConnectionFailed",
  });
  const signal = AbortSignal.abort();
  await assert.rejects(client.getObject("any", "key", { signal }), { name: "AbortError" });
});

test("the server itself", async () => {
  const bucket = "ts-server";
  await client.createBucket(bucket);
  const settings: BucketSettings = { transforms: "off", host_aliases: [] };
  const changed = await client.updateBucket(bucket, { public: true, settings });
  assert.equal(changed.public, true);
  assert.deepEqual(changed.settings, settings);
  const someone = await client.createIdentity("Someone", { email: "someone@example.com" });
  assert.ok((await client.listIdentities()).some((each) => each.id === someone.id));
  const expiresAt = new Date(Date.now() + 3_600_000);
  const created = await client.createApiKey("hers", { identity: someone.id, expiresAt });
  assert.equal(created.key.identity, someone.id);
  assert.equal(new Date(created.key.expires_at!).getTime(), expiresAt.getTime());
  await client.deleteApiKey(created.access_key_id);
  const rule = await client.createLifecycleRule(bucket, { prefix: "tmp/", expire_days: 3 });
  assert.deepEqual(await client.listLifecycleRules(bucket), [rule]);
  assert.equal((await client.setLifecycle(bucket, [{ noncurrent_days: 1 }])).length, 1);
  const [other] = await client.listLifecycleRules(bucket);
  await client.deleteLifecycleRule(other!.id);
  assert.equal((await client.runLifecycle()).held, false);
  assert.equal((await client.acceptClock()).held, (await client.getClock()).held);
  const [entry] = await client.listAuditEntries({ resource: bucket, action: "bucket." });
  assert.ok(entry!.resource.startsWith(bucket));
  assert.ok((await client.gc()).waiting >= 0);
  const hook = (await client.createWebhook({ url: "http://127.0.0.1:9/", bucket })).webhook;
  assert.deepEqual(await client.getWebhook(hook.id), hook);
  assert.ok((await client.listWebhooks()).some((each) => each.id === hook.id));
  const silent = await client.updateWebhook(hook.id, { enabled: false, bucket: null });
  assert.deepEqual([silent.enabled, silent.bucket], [false, null]);
  assert.equal((await client.testWebhook(hook.id)).delivered, false);
  assert.deepEqual(await client.listDeliveries(hook.id, { state: "dead", limit: 1 }), []);
  assert.equal(await client.replayDeliveries(hook.id), 0);
  await assert.rejects(client.deleteDeliveries(hook.id, 7));
  await client.deleteWebhook(hook.id);
  assert.equal((await client.startScrub({ dryRun: true })).current?.dry_run, true);
  assert.equal((await client.getScrub({ limit: 1 })).findings_count, 0);
  assert.equal(await client.releaseFinding("00".repeat(16)), false);
  const backup = await client.createBackup();
  assert.equal((await client.getBackups()).backups[0]?.name, backup.name);
  await client.startBackup();
  const quota = await client.setQuota(bucket, { max_bytes: 7 });
  assert.deepEqual([quota.max_bytes, quota.max_objects, quota.is_default], [7, null, false]);
  assert.ok((await client.resetQuota(bucket)).is_default);
  assert.equal((await client.getQuota(bucket)).bucket, bucket);
  assert.ok((await client.usage()).disk_free > 0);
  assert.equal((await client.health()).status, "ok");
  await client.deleteBucket(bucket);
});

test("every operation of the contract has a method", async (context) => {
  const contract = process.env["VEXOBJ_OPENAPI"];
  if (!contract) return context.skip("not run: VEXOBJ_OPENAPI does not name openapi.yaml");
  const apart = ["livez", "readyz", "metrics", "docs", "openapi_yaml", "openapi_json"];
  const called: Record<string, string> = { run_gc: "gc" };
  const methods = Object.getOwnPropertyNames(VexObj.prototype);
  for (const [, id] of (await readFile(contract, "utf8")).matchAll(/operationId: (\w+)/g)) {
    if (apart.includes(id!)) continue;
    const name = (called[id!] ?? id!.replace(/_by_key$/, "")).replace(/_(\w)/g, (_, letter) =>
      letter.toUpperCase(),
    );
    assert.ok(methods.includes(name), `no method for ${id}`);
  }
});
