package vexobj

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// AuditFilter says which entries are wanted; zero fields ask for nothing. An Action that ends in a
// dot means all that begin so, a Resource also what is below it. Since is included, Until is not.
type AuditFilter struct {
	Limit       int
	Offset      int
	Action      string
	Resource    string
	AccessKeyID string
	Identity    string
	IPAddress   string
	RequestID   string
	Since       time.Time
	Until       time.Time
}

// AuditEntry is one write. Resource is a bucket, bucket/key, or the id of what was changed; the
// key, Actor (its name) and Identity are empty for an anonymous caller.
type AuditEntry struct {
	ID           string         `json:"id"`
	Timestamp    time.Time      `json:"timestamp"`
	Action       string         `json:"action"`
	Resource     string         `json:"resource"`
	APIKeyPrefix string         `json:"api_key_prefix"`
	AccessKeyID  string         `json:"access_key_id"`
	Actor        string         `json:"actor"`
	Identity     string         `json:"identity"`
	IPAddress    string         `json:"ip_address"`
	RequestID    string         `json:"request_id"`
	Details      map[string]any `json:"details"`
}

// ListAuditEntries tells who wrote what, the newest first.
func (c *Client) ListAuditEntries(ctx context.Context, filter AuditFilter) ([]AuditEntry, error) {
	query := url.Values{}
	for name, value := range map[string]string{
		"action":        filter.Action,
		"resource":      filter.Resource,
		"access_key_id": filter.AccessKeyID,
		"identity":      filter.Identity,
		"ip_address":    filter.IPAddress,
		"request_id":    filter.RequestID,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	for name, value := range map[string]int{"limit": filter.Limit, "offset": filter.Offset} {
		if value != 0 {
			query.Set(name, strconv.Itoa(value))
		}
	}
	for name, value := range map[string]time.Time{"since": filter.Since, "until": filter.Until} {
		if !value.IsZero() {
			query.Set(name, value.Format(time.RFC3339Nano))
		}
	}
	var out struct {
		Entries []AuditEntry `json:"entries"`
	}
	if err := c.json(ctx, http.MethodGet, "/v1/admin/audit", query, nil, &out); err != nil {
		return nil, err
	}
	return out.Entries, nil
}
