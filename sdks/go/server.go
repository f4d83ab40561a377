package vexobj

import (
	"context"
	"net/http"
	"time"
)

// BucketStats is the usage of one bucket, in objects and bytes. Noncurrent are versions that are
// not the latest, uploads are unfinished ones.
type BucketStats struct {
	Name              string `json:"name"`
	Objects           int64  `json:"objects"`
	Size              int64  `json:"size"`
	NoncurrentObjects int64  `json:"noncurrent_objects"`
	NoncurrentSize    int64  `json:"noncurrent_size"`
	UploadSize        int64  `json:"upload_size"`
}

// Stats is the usage of the whole server; DiskUsage is the room its data directory takes.
type Stats struct {
	Buckets       int           `json:"buckets"`
	TotalObjects  int64         `json:"total_objects"`
	TotalSize     int64         `json:"total_size"`
	DiskUsage     int64         `json:"disk_usage"`
	Version       string        `json:"version"`
	BucketDetails []BucketStats `json:"bucket_details"`
}

// Stats returns how much the server holds.
func (c *Client) Stats(ctx context.Context) (*Stats, error) {
	var out Stats
	if err := c.json(ctx, http.MethodGet, "/v1/stats", nil, nil, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

// GCResult is what was collected; what waits is due at DueAt, nil when nothing waits.
type GCResult struct {
	BlobsScanned   int64      `json:"blobs_scanned"`
	OrphansRemoved int64      `json:"orphans_removed"`
	BytesFreed     int64      `json:"bytes_freed"`
	Waiting        int64      `json:"waiting"`
	WaitingBytes   int64      `json:"waiting_bytes"`
	DueAt          *time.Time `json:"due_at"`
}

// GC collects what is due, and tells what still waits.
func (c *Client) GC(ctx context.Context) (*GCResult, error) {
	var out GCResult
	if err := c.json(ctx, http.MethodPost, "/v1/admin/gc", nil, nil, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

// Health is how the server is; Capabilities say what it can do.
type Health struct {
	Status       string         `json:"status"`
	Service      string         `json:"service"`
	Version      string         `json:"version"`
	Capabilities map[string]any `json:"capabilities"`
}

// Health asks whether the server is well; a 503 *Error says that it is not.
func (c *Client) Health(ctx context.Context) (*Health, error) {
	var out Health
	if err := c.json(ctx, http.MethodGet, "/health", nil, nil, &out); err != nil {
		return nil, err
	}
	return &out, nil
}
