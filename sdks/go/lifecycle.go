package vexobj

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// NewLifecycleRule says which objects (those with Prefix and all of Tags, their size between the
// two bounds) and what becomes of them: current versions expire after ExpireDays or at ExpireAt
// (midnight UTC), delete markers that hide nothing with ExpireDeleteMarkers; noncurrent versions
// go after NoncurrentDays, but the KeepNoncurrent newest stay; uploads are aborted after
// AbortUploadDays. Zero and nil fields say nothing. Disabled keeps a rule from acting.
type NewLifecycleRule struct {
	ID                  string            `json:"id,omitempty"`
	Disabled            bool              `json:"-"`
	Prefix              string            `json:"prefix"`
	Tags                map[string]string `json:"tags,omitempty"`
	SizeGreaterThan     *int64            `json:"size_greater_than,omitempty"`
	SizeLessThan        *int64            `json:"size_less_than,omitempty"`
	ExpireDays          int               `json:"expire_days,omitempty"`
	ExpireAt            *time.Time        `json:"expire_at,omitempty"`
	ExpireDeleteMarkers bool              `json:"expire_delete_markers,omitempty"`
	NoncurrentDays      int               `json:"noncurrent_days,omitempty"`
	KeepNoncurrent      int               `json:"keep_noncurrent,omitempty"`
	AbortUploadDays     int               `json:"abort_upload_days,omitempty"`
}

// LifecycleRule is a rule as the server keeps it; zero and nil fields say nothing.
type LifecycleRule struct {
	ID                  string            `json:"id"`
	Bucket              string            `json:"bucket"`
	CreatedAt           time.Time         `json:"created_at"`
	Enabled             bool              `json:"enabled"`
	Prefix              string            `json:"prefix"`
	Tags                map[string]string `json:"tags"`
	SizeGreaterThan     *int64            `json:"size_greater_than"`
	SizeLessThan        *int64            `json:"size_less_than"`
	ExpireDays          int               `json:"expire_days"`
	ExpireAt            *time.Time        `json:"expire_at"`
	ExpireDeleteMarkers bool              `json:"expire_delete_markers"`
	NoncurrentDays      int               `json:"noncurrent_days"`
	KeepNoncurrent      int               `json:"keep_noncurrent"`
	AbortUploadDays     int               `json:"abort_upload_days"`
}

// LifecycleRun is what a run did. Held: nothing, as the server's clock is not believed.
type LifecycleRun struct {
	ObjectsExpired  int64 `json:"objects_expired"`
	VersionsRemoved int64 `json:"versions_removed"`
	MarkersRemoved  int64 `json:"markers_removed"`
	UploadsAborted  int64 `json:"uploads_aborted"`
	BytesFreed      int64 `json:"bytes_freed"`
	Locked          int64 `json:"locked"`
	Held            bool  `json:"held"`
}

// ClockInfo tells the time by which things expire: the clock's own unless it is Held.
type ClockInfo struct {
	WallAt     time.Time `json:"wall_at"`
	BelievedAt time.Time `json:"believed_at"`
	Held       bool      `json:"held"`
}

type sentRule struct {
	NewLifecycleRule
	Enabled bool `json:"enabled"`
}

// CreateLifecycleRule adds a rule to the bucket's.
func (c *Client) CreateLifecycleRule(
	ctx context.Context, bucket string, rule NewLifecycleRule,
) (*LifecycleRule, error) {
	var out LifecycleRule
	in := sentRule{rule, !rule.Disabled}
	if err := c.json(ctx, http.MethodPost, lifecyclePath(bucket), nil, in, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

// ListLifecycleRules returns the rules of a bucket.
func (c *Client) ListLifecycleRules(ctx context.Context, bucket string) ([]LifecycleRule, error) {
	var out struct {
		Rules []LifecycleRule `json:"rules"`
	}
	if err := c.json(ctx, http.MethodGet, lifecyclePath(bucket), nil, nil, &out); err != nil {
		return nil, err
	}
	return out.Rules, nil
}

// SetLifecycle replaces all rules of a bucket; none removes them.
func (c *Client) SetLifecycle(
	ctx context.Context, bucket string, rules []NewLifecycleRule,
) ([]LifecycleRule, error) {
	sent := make([]sentRule, len(rules))
	for i, rule := range rules {
		sent[i] = sentRule{rule, !rule.Disabled}
	}
	var out struct {
		Rules []LifecycleRule `json:"rules"`
	}
	in := map[string]any{"rules": sent}
	if err := c.json(ctx, http.MethodPut, lifecyclePath(bucket), nil, in, &out); err != nil {
		return nil, err
	}
	return out.Rules, nil
}

// DeleteLifecycleRule removes a rule, in whatever bucket it is; bucket may be empty unless several
// have a rule of this id.
func (c *Client) DeleteLifecycleRule(ctx context.Context, id, bucket string) error {
	query := url.Values{}
	if bucket != "" {
		query.Set("bucket", bucket)
	}
	path := "/v1/admin/lifecycle/rule/" + url.PathEscape(id)
	return c.json(ctx, http.MethodDelete, path, query, nil, nil)
}

// RunLifecycle does what is due by all rules now, and returns when it is done.
func (c *Client) RunLifecycle(ctx context.Context) (*LifecycleRun, error) {
	var out LifecycleRun
	if err := c.json(ctx, http.MethodPost, "/v1/admin/lifecycle/run", nil, nil, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

// GetClock tells whether the server believes its clock.
func (c *Client) GetClock(ctx context.Context) (*ClockInfo, error) {
	var out ClockInfo
	if err := c.json(ctx, http.MethodGet, "/v1/admin/clock", nil, nil, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

// AcceptClock declares the server's clock right: what is over by it expires from now on.
func (c *Client) AcceptClock(ctx context.Context) (*ClockInfo, error) {
	var out ClockInfo
	if err := c.json(ctx, http.MethodPost, "/v1/admin/clock/accept", nil, nil, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

func lifecyclePath(bucket string) string {
	return "/v1/admin/lifecycle/" + url.PathEscape(bucket)
}
