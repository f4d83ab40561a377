package vexobj

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// BackupKey is a key that a restore needs; Inside says that it is in the backup itself.
type BackupKey struct {
	Name   string `json:"name"`
	ID     string `json:"id"`
	Inside bool   `json:"inside"`
}

// Backup is a finished one. BlobsCopied were not there before, Damaged ones could not be read.
type Backup struct {
	Name        string      `json:"name"`
	Path        string      `json:"path"`
	BeganAt     time.Time   `json:"began_at"`
	FinishedAt  time.Time   `json:"finished_at"`
	DBSize      int64       `json:"db_size"`
	Blobs       int64       `json:"blobs"`
	BlobsCopied int64       `json:"blobs_copied"`
	BytesCopied int64       `json:"bytes_copied"`
	TotalSize   int64       `json:"total_size"`
	Damaged     int64       `json:"damaged"`
	Keys        []BackupKey `json:"keys"`
}

// BackupUnderWay tells that Done of Blobs were looked at; Copied of these were not there yet.
type BackupUnderWay struct {
	Name        string `json:"name"`
	Blobs       int64  `json:"blobs"`
	Bytes       int64  `json:"bytes"`
	Done        int64  `json:"done"`
	DoneBytes   int64  `json:"done_bytes"`
	Copied      int64  `json:"copied"`
	CopiedBytes int64  `json:"copied_bytes"`
}

// LastBackup is the newest that ended well.
type LastBackup struct {
	Name       string    `json:"name"`
	BeganAt    time.Time `json:"began_at"`
	FinishedAt time.Time `json:"finished_at"`
	TotalSize  int64     `json:"total_size"`
	Damaged    int64     `json:"damaged"`
}

// BackupFailure is why a backup did not end well.
type BackupFailure struct {
	At    time.Time `json:"at"`
	Error string    `json:"error"`
}

// BackupStatus tells of all backups. Running is nil while none is made, Last before the first;
// Failure is that of a backup later than Last. Backups are there, newest first.
type BackupStatus struct {
	Directory       string          `json:"directory"`
	Keep            *int            `json:"keep"`
	IntervalSeconds int64           `json:"interval_seconds"`
	Running         *BackupUnderWay `json:"running"`
	Last            *LastBackup     `json:"last"`
	Failure         *BackupFailure  `json:"failure"`
	Backups         []Backup        `json:"backups"`
}

// CreateBackup makes a backup of the whole server, and waits for its end.
func (c *Client) CreateBackup(ctx context.Context) (*Backup, error) {
	var out Backup
	if err := c.json(ctx, http.MethodPost, "/v1/admin/backup", nil, nil, &out); err != nil {
		return nil, err
	}
	return &out, nil
}

// StartBackup has a backup made; GetBackups tells how far it is.
func (c *Client) StartBackup(ctx context.Context) error {
	query := url.Values{"wait": {"false"}}
	return c.json(ctx, http.MethodPost, "/v1/admin/backup", query, nil, nil)
}

// GetBackups tells of the backup under way, the last ones, and all that can be restored.
func (c *Client) GetBackups(ctx context.Context) (*BackupStatus, error) {
	var out BackupStatus
	if err := c.json(ctx, http.MethodGet, "/v1/admin/backup", nil, nil, &out); err != nil {
		return nil, err
	}
	return &out, nil
}
