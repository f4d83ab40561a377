package vexobj

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// NewWebhook says where events are sent to and which: in Events a * stands for any characters (none
// means all), an empty Bucket means all buckets. Without a Secret the server makes one. Disabled
// keeps it from being told.
type NewWebhook struct {
	URL      string   `json:"url"`
	Events   []string `json:"events,omitempty"`
	Bucket   string   `json:"bucket,omitempty"`
	Prefix   string   `json:"prefix,omitempty"`
	Secret   string   `json:"secret,omitempty"`
	Disabled bool     `json:"-"`
}

// WebhookChange says what becomes of a webhook; nil fields stay. AllBuckets lifts a limit to one.
type WebhookChange struct {
	URL        *string
	Events     []string
	Bucket     *string
	AllBuckets bool
	Prefix     *string
	Enabled    *bool
}

// Webhook is who is told of events. Waiting, Delivered and Dead count deliveries; OldestAt is when
// the oldest event happened that waits. One that is FromSettings is changed there.
type Webhook struct {
	ID           string     `json:"id"`
	URL          string     `json:"url"`
	Events       []string   `json:"events"`
	Bucket       string     `json:"bucket"`
	Prefix       string     `json:"prefix"`
	Enabled      bool       `json:"enabled"`
	Signed       bool       `json:"signed"`
	FromSettings bool       `json:"from_settings"`
	CreatedAt    time.Time  `json:"created_at"`
	Waiting      int64      `json:"waiting"`
	Delivered    int64      `json:"delivered"`
	Dead         int64      `json:"dead"`
	OldestAt     *time.Time `json:"oldest_at"`
}

// CreatedWebhook is a new webhook with its secret, which is told only now.
type CreatedWebhook struct {
	Webhook Webhook `json:"webhook"`
	Secret  string  `json:"secret"`
}

// WebhookTest is what came of a test. Status is 0 where there was no answer, Error says why an
// answer does not count.
type WebhookTest struct {
	Delivered  bool   `json:"delivered"`
	Status     int    `json:"status"`
	Error      string `json:"error"`
	DurationMS int64  `json:"duration_ms"`
}

// DeliveryFilter says which deliveries are wanted; zero fields ask for nothing. State is waiting,
// delivered or dead; Before goes on below a number.
type DeliveryFilter struct {
	State  string
	Event  string
	Before int64
	Limit  int
}

// Delivery is an event for one webhook; Status and Error are of the last attempt. DueAt is when it
// is tried next, FinishedAt when it was delivered or given up.
type Delivery struct {
	Number     int64          `json:"number"`
	EventID    string         `json:"event_id"`
	Event      string         `json:"event"`
	Timestamp  time.Time      `json:"timestamp"`
	Sequence   int64          `json:"sequence"`
	Data       map[string]any `json:"data"`
	State      string         `json:"state"`
	Attempts   int            `json:"attempts"`
	DueAt      *time.Time     `json:"due_at"`
	FinishedAt *time.Time     `json:"finished_at"`
	Status     int            `json:"status"`
	Error      string         `json:"error"`
}

const webhooksPath = "/v1/admin/webhooks"

// CreateWebhook sends events to a URL from now on.
func (c *Client) CreateWebhook(ctx context.Context, hook NewWebhook) (*CreatedWebhook, error) {
	in := struct {
		NewWebhook
		Enabled bool `json:"enabled"`
	}{hook, !hook.Disabled}
	var out CreatedWebhook
	if err := c.json(ctx, http.MethodPost, webhooksPath, nil, in, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

// ListWebhooks returns all webhooks, the oldest first.
func (c *Client) ListWebhooks(ctx context.Context) ([]Webhook, error) {
	var out struct {
		Webhooks []Webhook `json:"webhooks"`
	}
	if err := c.json(ctx, http.MethodGet, webhooksPath, nil, nil, &out); err != nil {
		return nil, err
	}
	return out.Webhooks, nil
}

// GetWebhook returns one webhook.
func (c *Client) GetWebhook(ctx context.Context, id string) (*Webhook, error) {
	var out Webhook
	if err := c.json(ctx, http.MethodGet, webhookPath(id), nil, nil, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

// UpdateWebhook changes a webhook. One that is disabled is sent nothing, and told of nothing that
// happens meanwhile.
func (c *Client) UpdateWebhook(
	ctx context.Context, id string, change WebhookChange,
) (*Webhook, error) {
	in := map[string]any{}
	if change.URL != nil {
		in["url"] = *change.URL
	}
	if change.Events != nil {
		in["events"] = change.Events
	}
	if change.Bucket != nil {
		in["bucket"] = *change.Bucket
	}
	if change.AllBuckets {
		in["bucket"] = nil
	}
	if change.Prefix != nil {
		in["prefix"] = *change.Prefix
	}
	if change.Enabled != nil {
		in["enabled"] = *change.Enabled
	}
	var out Webhook
	if err := c.json(ctx, http.MethodPatch, webhookPath(id), nil, in, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

// DeleteWebhook removes a webhook and all its deliveries.
func (c *Client) DeleteWebhook(ctx context.Context, id string) error {
	return c.json(ctx, http.MethodDelete, webhookPath(id), nil, nil, nil)
}

// TestWebhook sends an event that did not happen, once and now.
func (c *Client) TestWebhook(ctx context.Context, id string) (*WebhookTest, error) {
	var out WebhookTest
	if err := c.json(ctx, http.MethodPost, webhookPath(id)+"/test", nil, nil, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

// ListDeliveries returns the deliveries of a webhook, the newest first.
func (c *Client) ListDeliveries(
	ctx context.Context, id string, filter DeliveryFilter,
) ([]Delivery, error) {
	query := url.Values{}
	for name, value := range map[string]string{"state": filter.State, "event": filter.Event} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if filter.Before != 0 {
		query.Set("before", strconv.FormatInt(filter.Before, 10))
	}
	if filter.Limit != 0 {
		query.Set("limit", strconv.Itoa(filter.Limit))
	}
	var out struct {
		Deliveries []Delivery `json:"deliveries"`
	}
	path := webhookPath(id) + "/deliveries"
	if err := c.json(ctx, http.MethodGet, path, query, nil, &out); err != nil {
		return nil, err
	}
	return out.Deliveries, nil
}

// ReplayDeliveries begins anew with the delivery of that number, delivered or dead, or, for 0, with
// all that are dead; it returns how many.
func (c *Client) ReplayDeliveries(ctx context.Context, id string, number int64) (int64, error) {
	var out struct {
		Replayed int64 `json:"replayed"`
	}
	path := webhookPath(id) + "/replay"
	err := c.json(ctx, http.MethodPost, path, numbered(number), nil, &out)
	return out.Replayed, err
}

// DeleteDeliveries forgets the delivery of that number or, for 0, all that are dead; it returns how
// many.
func (c *Client) DeleteDeliveries(ctx context.Context, id string, number int64) (int64, error) {
	var out struct {
		Deleted int64 `json:"deleted"`
	}
	path := webhookPath(id) + "/deliveries"
	err := c.json(ctx, http.MethodDelete, path, numbered(number), nil, &out)
	return out.Deleted, err
}

func webhookPath(id string) string {
	return webhooksPath + "/" + url.PathEscape(id)
}

func numbered(number int64) url.Values {
	if number == 0 {
		return nil
	}
	return url.Values{"number": {strconv.FormatInt(number, 10)}}
}
