package vexobj

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// BucketSettings are how a bucket behaves: whether its images may be transformed ("open" or
// "off"), and the host names whose every path is a key of it.
type BucketSettings struct {
	Transforms  string   `json:"transforms"`
	HostAliases []string `json:"host_aliases"`
}

// BucketRetention is so many days or so many years, from when a version is written; Mode is
// "governance" or "compliance".
type BucketRetention struct {
	Mode  string `json:"mode"`
	Days  *int   `json:"days,omitempty"`
	Years *int   `json:"years,omitempty"`
}

// BucketObjectLock is what versions are locked by that bring no retention of their own.
type BucketObjectLock struct {
	DefaultRetention *BucketRetention `json:"default_retention"`
}

// Bucket holds objects. Anyone may read the objects of a public one. Owner is an identity's ID,
// Versioning is "off", "enabled" or "suspended"; ObjectLock is nil for a bucket whose versions S3
// clients cannot lock.
type Bucket struct {
	ID         string            `json:"id"`
	Name       string            `json:"name"`
	CreatedAt  time.Time         `json:"created_at"`
	Public     bool              `json:"public"`
	Versioning string            `json:"versioning"`
	Owner      string            `json:"owner"`
	Settings   BucketSettings    `json:"settings"`
	ObjectLock *BucketObjectLock `json:"object_lock"`
}

// BucketChange is what UpdateBucket sets; nil fields stay as they are.
type BucketChange struct {
	Public     *bool             `json:"public,omitempty"`
	Settings   *BucketSettings   `json:"settings,omitempty"`
	ObjectLock *BucketObjectLock `json:"object_lock,omitempty"`
}

// CreateBucket makes a bucket; ErrBucketAlreadyExists when the name is taken.
func (c *Client) CreateBucket(ctx context.Context, name string, public bool) (*Bucket, error) {
	in := struct {
		Name   string `json:"name"`
		Public bool   `json:"public"`
	}{name, public}
	var bucket Bucket
	if err := c.json(ctx, http.MethodPost, "/v1/buckets", nil, in, &bucket); err != nil {
		return nil, err
	}
	return &bucket, nil
}

// ListBuckets returns every bucket that the key may see.
func (c *Client) ListBuckets(ctx context.Context) ([]Bucket, error) {
	var out struct {
		Buckets []Bucket `json:"buckets"`
	}
	if err := c.json(ctx, http.MethodGet, "/v1/buckets", nil, nil, &out); err != nil {
		return nil, err
	}
	return out.Buckets, nil
}

// GetBucket returns one bucket; ErrBucketNotFound when there is none.
func (c *Client) GetBucket(ctx context.Context, name string) (*Bucket, error) {
	var bucket Bucket
	path := "/v1/buckets/" + url.PathEscape(name)
	if err := c.json(ctx, http.MethodGet, path, nil, nil, &bucket); err != nil {
		return nil, err
	}
	return &bucket, nil
}

// UpdateBucket makes a bucket public or private, and sets how it behaves.
func (c *Client) UpdateBucket(
	ctx context.Context, name string, change BucketChange,
) (*Bucket, error) {
	var bucket Bucket
	path := "/v1/buckets/" + url.PathEscape(name)
	if err := c.json(ctx, http.MethodPatch, path, nil, change, &bucket); err != nil {
		return nil, err
	}
	return &bucket, nil
}

// DeleteBucket removes an empty bucket; ErrBucketNotEmpty when it is not.
func (c *Client) DeleteBucket(ctx context.Context, name string) error {
	return c.json(ctx, http.MethodDelete, "/v1/buckets/"+url.PathEscape(name), nil, nil, nil)
}
