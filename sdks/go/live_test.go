package vexobj_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

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
