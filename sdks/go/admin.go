package vexobj

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Permissions of a key. Admin implies the others.
type Permissions struct {
	Read   bool `json:"read"`
	Write  bool `json:"write"`
	Delete bool `json:"delete"`
	Admin  bool `json:"admin"`
}

// BucketAccess is the scope of a key: all buckets (Type "all") or the named ones ("specific").
type BucketAccess struct {
	Type    string   `json:"type"`
	Buckets []string `json:"buckets,omitempty"`
}

// APIKey is a key as the server shows it, without its secret.
type APIKey struct {
	ID           string       `json:"id"`
	Name         string       `json:"name"`
	CreatedAt    time.Time    `json:"created_at"`
	Permissions  Permissions  `json:"permissions"`
	BucketAccess BucketAccess `json:"bucket_access"`
}

// NewAPIKey is what a key is made from; nil fields are the server's defaults.
type NewAPIKey struct {
	Name         string        `json:"name"`
	Permissions  *Permissions  `json:"permissions,omitempty"`
	BucketAccess *BucketAccess `json:"bucket_access,omitempty"`
}

// CreatedAPIKey carries the secret, which is shown only this once.
type CreatedAPIKey struct {
	Key    APIKey `json:"key"`
	Secret string `json:"secret"`
}

// CreateAPIKey makes a key.
func (c *Client) CreateAPIKey(ctx context.Context, key NewAPIKey) (*CreatedAPIKey, error) {
	var out CreatedAPIKey
	if err := c.json(ctx, http.MethodPost, "/v1/admin/keys", nil, key, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

// ListAPIKeys returns every key.
func (c *Client) ListAPIKeys(ctx context.Context) ([]APIKey, error) {
	var out struct {
		Keys []APIKey `json:"keys"`
	}
	if err := c.json(ctx, http.MethodGet, "/v1/admin/keys", nil, nil, &out); err != nil {
		return nil, err
	}
	return out.Keys, nil
}

// DeleteAPIKey revokes a key at once.
func (c *Client) DeleteAPIKey(ctx context.Context, id string) error {
	return c.json(ctx, http.MethodDelete, "/v1/admin/keys/"+url.PathEscape(id), nil, nil, nil)
}

// Stats is the usage of the whole server.
type Stats struct {
	Buckets      int    `json:"buckets"`
	TotalObjects int64  `json:"total_objects"`
	TotalSize    int64  `json:"total_size"`
	Version      string `json:"version"`
}

// Stats returns how much the server holds.
func (c *Client) Stats(ctx context.Context) (*Stats, error) {
	var out Stats
	if err := c.json(ctx, http.MethodGet, "/v1/stats", nil, nil, &out); err != nil {
		return nil, err
	}
	return &out, nil
}
