package vexobj_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	vexobj "github.com/vexobj/vexobj/sdks/go"
)

// These run against the server named by VEXOBJ_URL and VEXOBJ_KEY; the project's test suite starts
// one and sets both.
func connect(t testing.TB) *vexobj.Client {
	t.Helper()
	address, key := os.Getenv("VEXOBJ_URL"), os.Getenv("VEXOBJ_KEY")
	if address == "" || key == "" {
		t.Fatal("set VEXOBJ_URL and VEXOBJ_KEY to a running server")
	}
	return vexobj.New(address, key)
}

func TestObjectsComeBackAsTheyWerePut(t *testing.T) {
	ctx, client := context.Background(), connect(t)
	bucket := makeBucket(t, client)
	content := bytes.Repeat([]byte("vexobj "), 100_000)
	for _, key := range []string{"plain", "a b+c", "x//y", "up/../dots", "emoji-\U0001F98A", "end/"} {
		meta, err := client.PutObject(ctx, bucket, key, bytes.NewReader(content),
			vexobj.PutOptions{ContentType: "text/plain"})
		if err != nil {
			t.Fatalf("put %q: %v", key, err)
		}
		if meta.Key != key || meta.Size != int64(len(content)) {
			t.Fatalf("put %q answered %+v", key, meta)
		}
		if got := read(t, client, bucket, key, vexobj.GetOptions{}); !bytes.Equal(got, content) {
			t.Fatalf("get %q: %d bytes", key, len(got))
		}
		part := read(t, client, bucket, key, vexobj.GetOptions{Offset: 7, Length: 6})
		if string(part) != "vexobj" {
			t.Fatalf("range of %q: %q", key, part)
		}
	}
	keys := 0
	for entry, err := range client.ListObjects(ctx, bucket, vexobj.ListOptions{PageSize: 2}) {
		if err != nil {
			t.Fatal(err)
		}
		if entry.Object != nil {
			keys++
		}
	}
	if keys != 6 {
		t.Fatalf("listed %d keys", keys)
	}
}

func TestErrorsAreTyped(t *testing.T) {
	ctx, client := context.Background(), connect(t)
	bucket := makeBucket(t, client)
	if _, err := client.GetObject(ctx, bucket, "missing", vexobj.GetOptions{}); !errors.Is(err, vexobj.ErrObjectNotFound) {
		t.Fatalf("a missing object: %v", err)
	}
	if _, err := client.GetBucket(ctx, "no-such-bucket"); !errors.Is(err, vexobj.ErrBucketNotFound) {
		t.Fatalf("a missing bucket: %v", err)
	}
	if _, err := client.CreateBucket(ctx, bucket, false); !errors.Is(err, vexobj.ErrBucketAlreadyExists) {
		t.Fatalf("a taken name: %v", err)
	}
	var failure *vexobj.Error
	err := client.DeleteObject(ctx, bucket, "missing")
	if !errors.As(err, &failure) || failure.RequestID == "" {
		t.Fatalf("an error without a request id: %v", err)
	}
}

func TestKeysAndStats(t *testing.T) {
	ctx, client := context.Background(), connect(t)
	bucket := makeBucket(t, client)
	created, err := client.CreateAPIKey(ctx, vexobj.NewAPIKey{
		Name:         "reader",
		Permissions:  &vexobj.Permissions{Read: true},
		BucketAccess: &vexobj.BucketAccess{Type: "specific", Buckets: []string{bucket}},
	})
	if err != nil {
		t.Fatal(err)
	}
	reader := vexobj.New(os.Getenv("VEXOBJ_URL"), created.Secret)
	_, err = reader.PutObject(ctx, bucket, "x", strings.NewReader("x"), vexobj.PutOptions{})
	var failure *vexobj.Error
	if !errors.As(err, &failure) || failure.StatusCode != 403 {
		t.Fatalf("a read-only key wrote: %v", err)
	}
	if err := client.DeleteAPIKey(ctx, created.Key.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := reader.GetBucket(ctx, bucket); !errors.As(err, &failure) || failure.StatusCode != 401 {
		t.Fatalf("a revoked key: %v", err)
	}
	stats, err := client.Stats(ctx)
	if err != nil || stats.Buckets == 0 {
		t.Fatalf("stats: %+v, %v", stats, err)
	}
}

func TestWhatIsSaidBesideTheBytes(t *testing.T) {
	ctx, client := context.Background(), connect(t)
	bucket := makeBucket(t, client)
	options := vexobj.PutOptions{
		ContentType: "text/html", CacheControl: "no-cache", ContentEncoding: "gzip",
		IfNoneMatch: "*", Metadata: map[string]string{"author": "nobody"},
	}
	meta, err := client.StreamUpload(ctx, bucket, "page", strings.NewReader("not gzip"), options)
	if err != nil || meta.ETag == "" || meta.Metadata["author"] != "nobody" {
		t.Fatalf("%+v, %v", meta, err)
	}
	if got := read(t, client, bucket, "page", vexobj.GetOptions{}); string(got) != "not gzip" {
		t.Fatalf("the bytes as they are stored: %q", got)
	}
	head, err := client.HeadObject(ctx, bucket, "page")
	if err != nil || head.ETag != meta.ETag || head.Header.Get("Cache-Control") != "no-cache" {
		t.Fatalf("%+v, %v", head, err)
	}
	_, err = client.PutObject(ctx, bucket, "page", strings.NewReader(""), options)
	if !errors.Is(err, vexobj.ErrPreconditionFailed) {
		t.Fatalf("overwritten: %v", err)
	}
	if _, err := client.HeadObject(ctx, bucket, "none"); !errors.Is(err, vexobj.ErrObjectNotFound) {
		t.Fatalf("HEAD of nothing: %v", err)
	}
	object, err := client.GetObjectVersion(ctx, bucket, "page", "null")
	if err != nil {
		t.Fatal(err)
	}
	object.Body.Close()
	if _, err := client.GetObject(ctx, bucket, "page", vexobj.GetOptions{Offset: -1}); err == nil {
		t.Fatal("a negative offset")
	}
}

func TestAnUploadThatFailsStoresNothing(t *testing.T) {
	ctx, client := context.Background(), connect(t)
	bucket := makeBucket(t, client)
	broken := io.MultiReader(bytes.NewReader(make([]byte, 1<<20)), iotest.ErrReader(io.ErrClosedPipe))
	_, err := client.PutObject(ctx, bucket, "half", broken, vexobj.PutOptions{})
	if !errors.Is(err, io.ErrClosedPipe) {
		t.Fatalf("a reader's error: %v", err)
	}
	if _, err := client.HeadObject(ctx, bucket, "half"); !errors.Is(err, vexobj.ErrObjectNotFound) {
		t.Fatalf("half an object: %v", err)
	}
}

func TestTheServer(t *testing.T) {
	ctx, client := context.Background(), connect(t)
	bucket := makeBucket(t, client)
	public := true
	changed, err := client.UpdateBucket(ctx, bucket, vexobj.BucketChange{Public: &public})
	if err != nil || !changed.Public || changed.Settings.Transforms != "open" {
		t.Fatalf("%+v, %v", changed, err)
	}
	identity, err := client.CreateIdentity(ctx, "Someone", "")
	if err != nil || identity.DisplayName != "Someone" {
		t.Fatalf("%+v, %v", identity, err)
	}
	identities, err := client.ListIdentities(ctx)
	if err != nil || !slices.Contains(identities, *identity) {
		t.Fatalf("%+v, %v", identities, err)
	}
	wanted := vexobj.NewLifecycleRule{Prefix: "tmp/", ExpireDays: 3, Disabled: true}
	rule, err := client.CreateLifecycleRule(ctx, bucket, wanted)
	if err != nil || rule.Enabled || rule.ExpireDays != 3 {
		t.Fatalf("a rule: %+v, %v", rule, err)
	}
	if rules, err := client.SetLifecycle(ctx, bucket, []vexobj.NewLifecycleRule{wanted}); err != nil {
		t.Fatal(err)
	} else if err := client.DeleteLifecycleRule(ctx, rules[0].ID, ""); err != nil {
		t.Fatal(err)
	}
	if rules, err := client.ListLifecycleRules(ctx, bucket); err != nil || len(rules) != 0 {
		t.Fatalf("rules that are gone: %+v, %v", rules, err)
	}
	if run, err := client.RunLifecycle(ctx); err != nil || run.Held {
		t.Fatalf("a run: %+v, %v", run, err)
	}
	if clock, err := client.AcceptClock(ctx); err != nil || clock.Held {
		t.Fatalf("the clock: %+v, %v", clock, err)
	}
	recorded := vexobj.AuditFilter{Resource: bucket, Action: "bucket.", Limit: 1}
	if entries, err := client.ListAuditEntries(ctx, recorded); err != nil || len(entries) != 1 {
		t.Fatalf("the audit log: %+v, %v", entries, err)
	}
	if _, err := client.GC(ctx); err != nil {
		t.Fatal(err)
	}
	checkWebhooks(ctx, t, client, bucket)
	backup, err := client.CreateBackup(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if status, err := client.GetBackups(ctx); err != nil || status.Last.Name != backup.Name {
		t.Fatalf("%+v, %v", status, err)
	}
	if err := client.StartBackup(ctx); err != nil {
		t.Fatal(err)
	}
	most := int64(7)
	quota, err := client.SetQuota(ctx, bucket, vexobj.Quota{MaxBytes: &most})
	if err != nil || *quota.MaxBytes != most || quota.MaxObjects != nil || quota.IsDefault {
		t.Fatalf("%+v, %v", quota, err)
	}
	if quota, err = client.ResetQuota(ctx, bucket); err != nil || !quota.IsDefault {
		t.Fatalf("%+v, %v", quota, err)
	}
	if quota, err = client.GetQuota(ctx, bucket); err != nil || quota.Bucket != bucket {
		t.Fatalf("%+v, %v", quota, err)
	}
	if usage, err := client.Usage(ctx); err != nil || usage.DiskFree == 0 {
		t.Fatalf("%+v, %v", usage, err)
	}
	health, err := client.Health(ctx)
	if err != nil || health.Status != "ok" {
		t.Fatalf("%+v, %v", health, err)
	}
	_, err = client.PutObject(ctx, bucket, "image", strings.NewReader("x"),
		vexobj.PutOptions{ContentType: "image/png"})
	if err != nil {
		t.Fatal(err)
	}
	var failure *vexobj.Error
	_, err = client.GetImage(ctx, bucket, "image", vexobj.Transform{Width: -1})
	if !errors.As(err, &failure) || failure.Code != "InvalidTransform" {
		t.Fatalf("an impossible width: %v", err)
	}
}

func checkWebhooks(ctx context.Context, t *testing.T, client *vexobj.Client, bucket string) {
	t.Helper()
	made, err := client.CreateWebhook(ctx, vexobj.NewWebhook{
		URL: "http://127.0.0.1:9/", Events: []string{"object.*"}, Bucket: bucket, Disabled: true,
	})
	if err != nil || made.Secret == "" || made.Webhook.Enabled {
		t.Fatalf("%+v, %v", made, err)
	}
	id := made.Webhook.ID
	changed, err := client.UpdateWebhook(ctx, id, vexobj.WebhookChange{AllBuckets: true})
	if err != nil || changed.Bucket != "" || changed.Enabled {
		t.Fatalf("%+v, %v", changed, err)
	}
	if hook, err := client.GetWebhook(ctx, id); err != nil || hook.Events[0] != "object.*" {
		t.Fatalf("%+v, %v", hook, err)
	}
	if hooks, err := client.ListWebhooks(ctx); err != nil || len(hooks) == 0 {
		t.Fatalf("%+v, %v", hooks, err)
	}
	if told, err := client.TestWebhook(ctx, id); err != nil || told.Delivered || told.Error == "" {
		t.Fatalf("%+v, %v", told, err)
	}
	filter := vexobj.DeliveryFilter{State: "dead", Before: 7, Limit: 1}
	if found, err := client.ListDeliveries(ctx, id, filter); err != nil || len(found) != 0 {
		t.Fatalf("%+v, %v", found, err)
	}
	if count, err := client.ReplayDeliveries(ctx, id, 0); err != nil || count != 0 {
		t.Fatalf("%d, %v", count, err)
	}
	if _, err := client.DeleteDeliveries(ctx, id, 7); err == nil {
		t.Fatal("there is no such delivery")
	}
	if err := client.DeleteWebhook(ctx, id); err != nil {
		t.Fatal(err)
	}
}

// Every operation of the contract has a method, but for those that machines ask.
func TestTheContractIsCovered(t *testing.T) {
	contract, err := os.ReadFile("../../openapi.yaml")
	if err != nil {
		t.Skip("not run: openapi.yaml is not beside this module")
	}
	called := map[string]string{"run_gc": "gc"}
	apart := []string{"livez", "readyz", "metrics", "docs", "openapi_yaml", "openapi_json"}
	client := reflect.TypeFor[*vexobj.Client]()
	for _, found := range regexp.MustCompile(`operationId: (\w+)`).FindAllSubmatch(contract, -1) {
		name := string(found[1])
		if slices.Contains(apart, name) {
			continue
		}
		if other, ok := called[name]; ok {
			name = other
		}
		wanted := strings.ReplaceAll(strings.TrimSuffix(name, "_by_key"), "_", "")
		if !slices.ContainsFunc(methods(client), func(each string) bool {
			return strings.EqualFold(each, wanted)
		}) {
			t.Errorf("no method for %s", name)
		}
	}
}

func methods(kind reflect.Type) []string {
	names := make([]string, kind.NumMethod())
	for i := range names {
		names[i] = kind.Method(i).Name
	}
	return names
}

func ExampleClient_ImageURL() {
	client := vexobj.New("https://files.example.com", "")
	fmt.Println(client.ImageURL("photos", "fox.jpg", vexobj.Transform{Width: 300, Format: "auto"}))
	// Output: https://files.example.com/v1/object/photos?format=auto&key=fox.jpg&w=300
}

func makeBucket(t *testing.T, client *vexobj.Client) string {
	t.Helper()
	name := strings.ToLower(strings.ReplaceAll(t.Name(), "/", "-"))
	ctx := context.Background()
	if _, err := client.CreateBucket(ctx, name, false); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for entry, err := range client.ListObjects(ctx, name, vexobj.ListOptions{}) {
			if err != nil {
				t.Error(err)
				break
			}
			if err := client.DeleteObject(ctx, name, entry.Object.Key); err != nil {
				t.Error(err)
			}
		}
		if err := client.DeleteBucket(ctx, name); err != nil {
			t.Error(err)
		}
	})
	return name
}

func read(
	t *testing.T, client *vexobj.Client, bucket, key string, options vexobj.GetOptions,
) []byte {
	t.Helper()
	object, err := client.GetObject(context.Background(), bucket, key, options)
	if err != nil {
		t.Fatal(err)
	}
	defer object.Body.Close()
	content, err := io.ReadAll(object.Body)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
