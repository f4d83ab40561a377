package vexobj

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Quota is what a bucket may hold; nil is no limit.
type Quota struct {
	MaxBytes   *int64 `json:"max_bytes"`
	MaxObjects *int64 `json:"max_objects"`
}

// BucketQuota is a bucket's quota and what it holds, noncurrent versions and unfinished parts
// included. IsDefault says that the quota is the server's rather than the bucket's own.
type BucketQuota struct {
	Quota
	Bucket      string `json:"bucket"`
	IsDefault   bool   `json:"is_default"`
	UsedBytes   int64  `json:"used_bytes"`
	UsedObjects int64  `json:"used_objects"`
}

// GetQuota returns what a bucket may hold.
func (c *Client) GetQuota(ctx context.Context, bucket string) (*BucketQuota, error) {
	return c.quota(ctx, http.MethodGet, bucket, nil)
}

// SetQuota limits a bucket. One that holds more keeps it, and does not grow.
func (c *Client) SetQuota(ctx context.Context, bucket string, quota Quota) (*BucketQuota, error) {
	return c.quota(ctx, http.MethodPut, bucket, quota)
}

// ResetQuota holds a bucket to the server's default again, if there is one.
func (c *Client) ResetQuota(ctx context.Context, bucket string) (*BucketQuota, error) {
	return c.quota(ctx, http.MethodDelete, bucket, nil)
}

func (c *Client) quota(
	ctx context.Context, method, bucket string, in any,
) (*BucketQuota, error) {
	var out BucketQuota
	path := "/v1/admin/quota/" + url.PathEscape(bucket)
	if err := c.json(ctx, method, path, nil, in, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

// Usage is what takes room on the disk, in bytes. Buckets counts each copy, Stored what is really
// there. What is Waiting was deleted and is removed between FirstDueAt and LastDueAt; Unused
// are deleted multipart objects that begin to wait soon.
type Usage struct {
	Buckets       []BucketStats `json:"buckets"`
	StoredBlobs   int64         `json:"stored_blobs"`
	StoredBytes   int64         `json:"stored_bytes"`
	InlineBytes   int64         `json:"inline_bytes"`
	WaitingBlobs  int64         `json:"waiting_blobs"`
	WaitingBytes  int64         `json:"waiting_bytes"`
	FirstDueAt    *time.Time    `json:"first_due_at"`
	LastDueAt     *time.Time    `json:"last_due_at"`
	UnusedBytes   int64         `json:"unused_bytes"`
	CacheBytes    int64         `json:"cache_bytes"`
	MetadataBytes int64         `json:"metadata_bytes"`
	DiskUsage     int64         `json:"disk_usage"`
	DiskFree      int64         `json:"disk_free"`
}

// Usage tells what takes room on the disk, and what of it will be free when.
func (c *Client) Usage(ctx context.Context) (*Usage, error) {
	var out Usage
	if err := c.json(ctx, http.MethodGet, "/v1/admin/usage", nil, nil, &out); err != nil {
		return nil, err
	}
	return &out, nil
}
