package vexobj

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// ObjectVersion is a version of an object, or a delete marker, whose removal brings the object
// back. VersionID is "null" for a version written while versioning was off or suspended.
type ObjectVersion struct {
	ID             string    `json:"id"`
	Bucket         string    `json:"bucket"`
	Key            string    `json:"key"`
	VersionID      string    `json:"version_id"`
	Size           int64     `json:"size"`
	ContentType    string    `json:"content_type"`
	ETag           string    `json:"etag"`
	SHA256         string    `json:"sha256"`
	CreatedAt      time.Time `json:"created_at"`
	IsLatest       bool      `json:"is_latest"`
	IsDeleteMarker bool      `json:"is_delete_marker"`
}

// PurgeResult tells what a purge removed; BlobsRemoved counts the versions that had content.
type PurgeResult struct {
	Bucket          string `json:"bucket"`
	Key             string `json:"key"`
	BlobsRemoved    int64  `json:"blobs_removed"`
	VersionsRemoved int64  `json:"versions_removed"`
	BytesRemoved    int64  `json:"bytes_removed"`
}

// ObjectLock is what an object is kept by. Mode is "governance", "compliance", or empty without a
// retention.
type ObjectLock struct {
	RetainUntil *time.Time `json:"retain_until"`
	LegalHold   bool       `json:"legal_hold"`
	Mode        string     `json:"mode,omitempty"`
}

// LockOptions choose a version, the latest if VersionID is empty. BypassGovernance, for admin keys,
// passes over a retention in governance mode.
type LockOptions struct {
	VersionID        string
	BypassGovernance bool
}

// GetVersioning returns "off", "enabled" or "suspended".
func (c *Client) GetVersioning(ctx context.Context, bucket string) (string, error) {
	return c.versioning(ctx, http.MethodGet, bucket, nil)
}

// EnableVersioning keeps what is overwritten or deleted from now on.
func (c *Client) EnableVersioning(ctx context.Context, bucket string) error {
	_, err := c.versioning(ctx, http.MethodPost, bucket, map[string]string{"versioning": "enabled"})
	return err
}

// SuspendVersioning keeps what is there, and no more. A bucket with object lock refuses it.
func (c *Client) SuspendVersioning(ctx context.Context, bucket string) error {
	in := map[string]string{"versioning": "suspended"}
	_, err := c.versioning(ctx, http.MethodPost, bucket, in)
	return err
}

func (c *Client) versioning(ctx context.Context, method, bucket string, in any) (string, error) {
	var out struct {
		Versioning string `json:"versioning"`
	}
	err := c.json(ctx, method, "/v1/admin/versioning/"+url.PathEscape(bucket), nil, in, &out)
	return out.Versioning, err
}

// ListVersions yields the versions and delete markers of a key, newest first, asking for further
// pages as it goes. PageSize is how many a request asks for, 0 for the server's choice.
func (c *Client) ListVersions(
	ctx context.Context, bucket, key string, pageSize int,
) iter.Seq2[ObjectVersion, error] {
	return func(yield func(ObjectVersion, error) bool) {
		path, query := versionsPath(bucket, key)
		if pageSize > 0 {
			query.Set("max_versions", strconv.Itoa(pageSize))
		}
		for {
			var page struct {
				Versions []ObjectVersion `json:"versions"`
				Next     *string         `json:"next_continuation_token"`
			}
			if err := c.json(ctx, http.MethodGet, path, query, nil, &page); err != nil {
				yield(ObjectVersion{}, err)
				return
			}
			for _, version := range page.Versions {
				if !yield(version, nil) {
					return
				}
			}
			if page.Next == nil {
				return
			}
			query.Set("continuation_token", *page.Next)
		}
	}
}

// PurgeVersions removes an object with all its versions; none, when one of them is locked.
func (c *Client) PurgeVersions(
	ctx context.Context, bucket, key string, bypassGovernance bool,
) (*PurgeResult, error) {
	path, query := versionsPath(bucket, key)
	if bypassGovernance {
		query.Set("bypass_governance", "true")
	}
	var out PurgeResult
	if err := c.json(ctx, http.MethodDelete, path, query, nil, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

// GetLock returns what an object is kept by.
func (c *Client) GetLock(
	ctx context.Context, bucket, key string, options LockOptions,
) (*ObjectLock, error) {
	return c.lock(ctx, http.MethodGet, bucket, key, options, nil)
}

// SetLock replaces retention and legal hold. A retention under way can only be extended.
func (c *Client) SetLock(
	ctx context.Context, bucket, key string, lock ObjectLock, options LockOptions,
) (*ObjectLock, error) {
	return c.lock(ctx, http.MethodPut, bucket, key, options, lock)
}

// ReleaseLegalHold lifts the legal hold; a retention stays.
func (c *Client) ReleaseLegalHold(
	ctx context.Context, bucket, key string, options LockOptions,
) error {
	path, query := lockPath(bucket, key, options)
	return c.json(ctx, http.MethodDelete, path, query, nil, nil)
}

func (c *Client) lock(
	ctx context.Context, method, bucket, key string, options LockOptions, in any,
) (*ObjectLock, error) {
	path, query := lockPath(bucket, key, options)
	var out ObjectLock
	if err := c.json(ctx, method, path, query, in, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

func versionsPath(bucket, key string) (string, url.Values) {
	return "/v1/versions/" + url.PathEscape(bucket), url.Values{"key": {key}}
}

func lockPath(bucket, key string, options LockOptions) (string, url.Values) {
	query := url.Values{"key": {key}}
	if options.VersionID != "" {
		query.Set("version_id", options.VersionID)
	}
	if options.BypassGovernance {
		query.Set("bypass_governance", "true")
	}
	return "/v1/admin/lock/" + url.PathEscape(bucket), query
}
