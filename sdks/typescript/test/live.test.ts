// These run against the server named by VEXOBJ_URL and VEXOBJ_KEY; the project's test suite starts
// one and sets both.

import assert from "node:assert/strict";
import { test } from "node:test";
import { VexObj, VexObjError } from "../src/index.js";

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
