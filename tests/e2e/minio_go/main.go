// Command minio_go does an admin's main job against an S3 endpoint with minio-go, and fails on the
// first answer that differs from what AWS would give.
//
//	minio_go ENDPOINT ACCESS_KEY SECRET_KEY BUCKET PHOTO
package main

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sort"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

var names = []string{
	"plain.jpg", "with space.jpg", "plus+sign.jpg", "double//slash.jpg", "a/../b.jpg",
	"emoji-\U0001F98A.jpg", "percent%2Fencoded.jpg", "ünïcode/日本.jpg", "trailing/",
}

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("ok")
}

func run(ctx context.Context, args []string) error {
	if len(args) != 5 {
		return errors.New("usage: minio_go ENDPOINT ACCESS_KEY SECRET_KEY BUCKET PHOTO")
	}
	endpoint, bucket := args[0], args[3]
	client, err := minio.New(endpoint, &minio.Options{
		Creds: credentials.NewStaticV4(args[1], args[2], ""),
	})
	if err != nil {
		return err
	}
	photo, err := os.ReadFile(args[4])
	if err != nil {
		return err
	}
	steps := []struct {
		name string
		run  func(context.Context, *minio.Client, string, []byte) error
	}{
		{"bucket", makeBucket}, {"put and get", putAndGet}, {"list", list},
		{"unknown size and multipart", multipart}, {"copy and compose", copyAndCompose},
		{"presign", presign}, {"errors", wrongs}, {"remove", remove},
	}
	for _, step := range steps {
		if err := step.run(ctx, client, bucket, photo); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

func makeBucket(ctx context.Context, c *minio.Client, bucket string, _ []byte) error {
	if err := c.MakeBucket(ctx, bucket, minio.MakeBucketOptions{}); err != nil {
		return err
	}
	there, err := c.BucketExists(ctx, bucket)
	if err != nil || !there {
		return fmt.Errorf("the bucket is not there: %w", err)
	}
	all, err := c.ListBuckets(ctx)
	if err != nil {
		return err
	}
	for _, found := range all {
		if found.Name == bucket {
			return nil
		}
	}
	return errors.New("the bucket is not listed")
}

func putAndGet(ctx context.Context, c *minio.Client, bucket string, photo []byte) error {
	sum := md5.Sum(photo)
	for _, name := range names {
		info, err := c.PutObject(ctx, bucket, name, bytes.NewReader(photo), int64(len(photo)),
			minio.PutObjectOptions{
				ContentType: "image/jpeg", CacheControl: "max-age=60",
				UserMetadata: map[string]string{"Origin": "camera"},
			})
		if err != nil {
			return fmt.Errorf("put %q: %w", name, err)
		}
		if info.ETag != hex.EncodeToString(sum[:]) {
			return fmt.Errorf("put %q: ETag %s is not the MD5", name, info.ETag)
		}
		if err := same(ctx, c, bucket, name, photo); err != nil {
			return err
		}
		stat, err := c.StatObject(ctx, bucket, name, minio.StatObjectOptions{})
		if err != nil {
			return err
		}
		if stat.UserMetadata["Origin"] != "camera" || stat.ContentType != "image/jpeg" ||
			stat.Metadata.Get("Cache-Control") != "max-age=60" {
			return fmt.Errorf("stat %q lost metadata: %v", name, stat)
		}
	}
	options := minio.GetObjectOptions{}
	if err := options.SetRange(100, 199); err != nil {
		return err
	}
	part, err := c.GetObject(ctx, bucket, names[0], options)
	if err != nil {
		return err
	}
	got, err := io.ReadAll(part)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, photo[100:200]) {
		return errors.New("a range differs")
	}
	return nil
}

func list(ctx context.Context, c *minio.Client, bucket string, _ []byte) error {
	want := append([]string{}, names...)
	sort.Strings(want)
	for _, useV1 := range []bool{false, true} {
		var got []string
		for object := range c.ListObjects(ctx, bucket, minio.ListObjectsOptions{
			Recursive: true, UseV1: useV1, MaxKeys: 3,
		}) {
			if object.Err != nil {
				return object.Err
			}
			got = append(got, object.Key)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			return fmt.Errorf("listed %q, wanted %q", got, want)
		}
	}
	var folders []string
	for object := range c.ListObjects(ctx, bucket, minio.ListObjectsOptions{}) {
		if object.Err != nil {
			return object.Err
		}
		if object.Key[len(object.Key)-1] == '/' {
			folders = append(folders, object.Key)
		}
	}
	if fmt.Sprint(folders) != fmt.Sprint([]string{"a/", "double/", "trailing/", "ünïcode/"}) {
		return fmt.Errorf("common prefixes: %q", folders)
	}
	return nil
}

func multipart(ctx context.Context, c *minio.Client, bucket string, _ []byte) error {
	large := bytes.Repeat([]byte("0123456789abcdef"), 11<<16)
	info, err := c.PutObject(ctx, bucket, "large", bytes.NewReader(large), -1,
		minio.PutObjectOptions{PartSize: 5 << 20})
	if err != nil {
		return err
	}
	if len(info.ETag) != 34 || info.ETag[32:] != "-3" {
		return fmt.Errorf("multipart ETag: %s", info.ETag)
	}
	return same(ctx, c, bucket, "large", large)
}

func copyAndCompose(ctx context.Context, c *minio.Client, bucket string, photo []byte) error {
	source := minio.CopySrcOptions{Bucket: bucket, Object: "emoji-\U0001F98A.jpg"}
	target := minio.CopyDestOptions{Bucket: bucket, Object: "copy of +.jpg"}
	if _, err := c.CopyObject(ctx, target, source); err != nil {
		return err
	}
	if err := same(ctx, c, bucket, "copy of +.jpg", photo); err != nil {
		return err
	}
	stat, err := c.StatObject(ctx, bucket, "copy of +.jpg", minio.StatObjectOptions{})
	if err != nil {
		return err
	}
	if stat.UserMetadata["Origin"] != "camera" {
		return errors.New("the copy lost its metadata")
	}
	_, err = c.ComposeObject(ctx, minio.CopyDestOptions{Bucket: bucket, Object: "composed"},
		minio.CopySrcOptions{Bucket: bucket, Object: "large"},
		minio.CopySrcOptions{Bucket: bucket, Object: names[0]})
	if err != nil {
		return err
	}
	want := append(bytes.Repeat([]byte("0123456789abcdef"), 11<<16), photo...)
	return same(ctx, c, bucket, "composed", want)
}

func presign(ctx context.Context, c *minio.Client, bucket string, photo []byte) error {
	link, err := c.PresignedGetObject(ctx, bucket, "with space.jpg", time.Minute, nil)
	if err != nil {
		return err
	}
	answer, err := http.Get(link.String())
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK || !bytes.Equal(got, photo) {
		return fmt.Errorf("presigned GET answered %s", answer.Status)
	}
	return nil
}

func wrongs(ctx context.Context, c *minio.Client, bucket string, _ []byte) error {
	_, err := c.StatObject(ctx, bucket, "missing", minio.StatObjectOptions{})
	if code := minio.ToErrorResponse(err).Code; code != "NoSuchKey" {
		return fmt.Errorf("a missing key answered %q", code)
	}
	err = c.RemoveBucket(ctx, bucket)
	if code := minio.ToErrorResponse(err).Code; code != "BucketNotEmpty" {
		return fmt.Errorf("removing a full bucket answered %q", code)
	}
	return nil
}

func remove(ctx context.Context, c *minio.Client, bucket string, _ []byte) error {
	doomed := make(chan minio.ObjectInfo)
	go func() {
		defer close(doomed)
		for object := range c.ListObjects(ctx, bucket, minio.ListObjectsOptions{Recursive: true}) {
			doomed <- object
		}
	}()
	for failure := range c.RemoveObjects(ctx, bucket, doomed, minio.RemoveObjectsOptions{}) {
		return failure.Err
	}
	return c.RemoveBucket(ctx, bucket)
}

func same(ctx context.Context, c *minio.Client, bucket, key string, want []byte) error {
	object, err := c.GetObject(ctx, bucket, key, minio.GetObjectOptions{})
	if err != nil {
		return fmt.Errorf("get %q: %w", key, err)
	}
	got, err := io.ReadAll(object)
	if err != nil {
		return fmt.Errorf("get %q: %w", key, err)
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("get %q: %d bytes came back, %d were put", key, len(got), len(want))
	}
	return nil
}
