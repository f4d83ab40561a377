package vexobj

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// ScrubPass is one pass over all stored blobs; AllBlobs and AllBytes are of its beginning.
// LockedAway blobs could not be opened for want of an encryption key. Halted says why it does not
// go on for now; EndedAt is nil while it is under way.
type ScrubPass struct {
	BeganAt    time.Time  `json:"began_at"`
	EndedAt    *time.Time `json:"ended_at"`
	DryRun     bool       `json:"dry_run"`
	Blobs      int64      `json:"blobs"`
	Bytes      int64      `json:"bytes"`
	AllBlobs   int64      `json:"all_blobs"`
	AllBytes   int64      `json:"all_bytes"`
	Corrupt    int64      `json:"corrupt"`
	Missing    int64      `json:"missing"`
	Unreadable int64      `json:"unreadable"`
	LockedAway int64      `json:"locked_away"`
	Halted     string     `json:"halted"`
}

// FindingPlace is a version that has damaged bytes, or an upload under way by its id.
type FindingPlace struct {
	Bucket    string `json:"bucket"`
	Key       string `json:"key"`
	VersionID string `json:"version_id"`
	IsUpload  bool   `json:"is_upload"`
}

// Finding is a blob that is not as it was put: Damage is corrupt, missing or unreadable. While it
// is Quarantined, what has it cannot be read. Places are the first 100 of PlacesCount, known once
// it is Traced.
type Finding struct {
	BlobID      string         `json:"blob_id"`
	Damage      string         `json:"damage"`
	Reason      string         `json:"reason"`
	FoundAt     time.Time      `json:"found_at"`
	Size        int64          `json:"size"`
	Quarantined bool           `json:"quarantined"`
	Traced      bool           `json:"traced"`
	PlacesCount int64          `json:"places_count"`
	Places      []FindingPlace `json:"places"`
}

// Scrub tells of the pass under way, or the last one, and of the last Completed one that was no
// dry run. Next is the after of the next page of Findings, empty on the last.
type Scrub struct {
	Running       bool       `json:"running"`
	Current       *ScrubPass `json:"current"`
	Completed     *ScrubPass `json:"completed"`
	FindingsCount int64      `json:"findings_count"`
	Findings      []Finding  `json:"findings"`
	Next          string     `json:"next"`
}

// NewScrub asks for a pass. A dry run puts nothing in quarantine; AcceptLosses is for one that is
// halted because very many blobs are missing together.
type NewScrub struct {
	DryRun       bool `json:"dry_run"`
	AcceptLosses bool `json:"accept_losses"`
}

// GetScrub tells how far scrub is, and up to limit findings behind after.
func (c *Client) GetScrub(ctx context.Context, after string, limit int) (*Scrub, error) {
	query := url.Values{}
	if after != "" {
		query.Set("after", after)
	}
	if limit > 0 {
		query.Set("limit", strconv.Itoa(limit))
	}
	var out Scrub
	if err := c.json(ctx, http.MethodGet, "/v1/admin/scrub", query, nil, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

// StartScrub has all stored bytes read, in the background; a pass under way goes on.
func (c *Client) StartScrub(ctx context.Context, scrub NewScrub) (*Scrub, error) {
	var out Scrub
	if err := c.json(ctx, http.MethodPost, "/v1/admin/scrub", nil, scrub, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

// ReleaseFinding has a blob read again, and tells whether it is whole by now and out of quarantine.
func (c *Client) ReleaseFinding(ctx context.Context, blobID string) (bool, error) {
	var out struct {
		Released bool `json:"released"`
	}
	path := "/v1/admin/scrub/findings/" + url.PathEscape(blobID) + "/release"
	if err := c.json(ctx, http.MethodPost, path, nil, nil, &out); err != nil {
		return false, err
	}
	return out.Released, nil
}
