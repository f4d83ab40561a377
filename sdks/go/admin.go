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
	KeyPrefix    string       `json:"key_prefix"`
	Identity     string       `json:"identity"`
	CreatedAt    time.Time    `json:"created_at"`
	ExpiresAt    *time.Time   `json:"expires_at"`
	LastUsedAt   *time.Time   `json:"last_used_at"`
	Permissions  Permissions  `json:"permissions"`
	BucketAccess BucketAccess `json:"bucket_access"`
}

// NewAPIKey is what a key is made from; zero fields are the server's defaults. Without Identity it
// is the caller's own. AccessKeyID and SecretAccessKey together bring an existing pair along.
type NewAPIKey struct {
	Name            string        `json:"name"`
	Identity        string        `json:"identity,omitempty"`
	Permissions     *Permissions  `json:"permissions,omitempty"`
	BucketAccess    *BucketAccess `json:"bucket_access,omitempty"`
	ExpiresAt       *time.Time    `json:"expires_at,omitempty"`
	AccessKeyID     string        `json:"access_key_id,omitempty"`
	SecretAccessKey string        `json:"secret_access_key,omitempty"`
}

// CreatedAPIKey carries the secret, which is shown only this once.
type CreatedAPIKey struct {
	Key         APIKey `json:"key"`
	AccessKeyID string `json:"access_key_id"`
	Secret      string `json:"secret"`
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

// Identity owns buckets and objects, and has keys. Email is empty when it has none.
type Identity struct {
	ID          string    `json:"id"`
	DisplayName string    `json:"display_name"`
	Email       string    `json:"email"`
	CreatedAt   time.Time `json:"created_at"`
}

// CreateIdentity makes an identity; email may be empty.
func (c *Client) CreateIdentity(
	ctx context.Context, displayName, email string,
) (*Identity, error) {
	in := struct {
		DisplayName string `json:"display_name"`
		Email       string `json:"email,omitempty"`
	}{displayName, email}
	var out Identity
	if err := c.json(ctx, http.MethodPost, "/v1/admin/identities", nil, in, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

// ListIdentities returns every identity.
func (c *Client) ListIdentities(ctx context.Context) ([]Identity, error) {
	var out struct {
		Identities []Identity `json:"identities"`
	}
	if err := c.json(ctx, http.MethodGet, "/v1/admin/identities", nil, nil, &out); err != nil {
		return nil, err
	}
	return out.Identities, nil
}
