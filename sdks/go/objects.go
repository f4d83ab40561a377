package vexobj

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// ObjectMeta describes an object.
type ObjectMeta struct {
	ID          string         `json:"id"`
	Bucket      string         `json:"bucket"`
	Key         string         `json:"key"`
	Size        int64          `json:"size"`
	ContentType string         `json:"content_type"`
	SHA256      string         `json:"sha256"`
	CreatedAt   time.Time      `json:"created_at"`
	UpdatedAt   time.Time      `json:"updated_at"`
	Metadata    map[string]any `json:"metadata"`
}

// Object is an object's bytes on their way: read and close Body.
type Object struct {
	Body        io.ReadCloser
	Size        int64
	ContentType string
	ETag        string
}

// PutOptions say what is sent beside the bytes.
type PutOptions struct {
	ContentType  string
	CacheControl string
	// Size of the body in bytes, if it is known and the reader cannot tell.
	Size int64
}

// GetOptions choose a part of an object. The zero value asks for all of it.
type GetOptions struct {
	// Offset and Length choose a range; Length 0 means to the end.
	Offset, Length int64
	VersionID      string
}

// objectPath is the form with the key in the query: no HTTP library rewrites it.
func objectPath(bucket, key string) (string, url.Values) {
	return "/v1/object/" + url.PathEscape(bucket), url.Values{"key": {key}}
}

// PutObject stores what body yields. It streams; nothing is buffered.
func (c *Client) PutObject(
	ctx context.Context, bucket, key string, body io.Reader, options PutOptions,
) (*ObjectMeta, error) {
	path, query := objectPath(bucket, key)
	headers := http.Header{}
	if options.ContentType != "" {
		headers.Set("Content-Type", options.ContentType)
	}
	if options.CacheControl != "" {
		headers.Set("Cache-Control", options.CacheControl)
	}
	response, err := c.do(ctx, call{
		method: http.MethodPut, path: path, query: query, headers: headers,
		body: body, length: options.Size,
	})
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var meta ObjectMeta
	if err := decode(response.Body, &meta); err != nil {
		return nil, err
	}
	return &meta, nil
}

// GetObject opens an object for reading; ErrObjectNotFound when there is none.
func (c *Client) GetObject(
	ctx context.Context, bucket, key string, options GetOptions,
) (*Object, error) {
	path, query := objectPath(bucket, key)
	headers := http.Header{}
	if options.Offset > 0 || options.Length > 0 {
		end := ""
		if options.Length > 0 {
			end = strconv.FormatInt(options.Offset+options.Length-1, 10)
		}
		headers.Set("Range", fmt.Sprintf("bytes=%d-%s", options.Offset, end))
	}
	if options.VersionID != "" {
		query.Set("version_id", options.VersionID)
	}
	response, err := c.do(ctx, call{
		method: http.MethodGet, path: path, query: query, headers: headers,
	})
	if err != nil {
		return nil, err
	}
	return objectFrom(response), nil
}

// HeadObject tells what GetObject would, without the bytes.
func (c *Client) HeadObject(ctx context.Context, bucket, key string) (*Object, error) {
	path, query := objectPath(bucket, key)
	response, err := c.do(ctx, call{method: http.MethodHead, path: path, query: query})
	if err != nil {
		return nil, err
	}
	response.Body.Close()
	object := objectFrom(response)
	object.Body = http.NoBody
	return object, nil
}

// DeleteObject removes an object; ErrObjectNotFound when there is none.
func (c *Client) DeleteObject(ctx context.Context, bucket, key string) error {
	path, query := objectPath(bucket, key)
	return c.json(ctx, http.MethodDelete, path, query, nil, nil)
}

// ListOptions narrow a listing.
type ListOptions struct {
	Prefix, Delimiter string
	// PageSize is how many a request asks for, at most 1000.
	PageSize int
}

// Entry is an object of a listing, or a common prefix ("folder").
type Entry struct {
	Object       *ObjectMeta
	CommonPrefix string
}

// ListObjects yields every entry, asking for further pages as it goes.
func (c *Client) ListObjects(
	ctx context.Context, bucket string, options ListOptions,
) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		query := url.Values{}
		for name, value := range map[string]string{
			"prefix": options.Prefix, "delimiter": options.Delimiter,
		} {
			if value != "" {
				query.Set(name, value)
			}
		}
		if options.PageSize > 0 {
			query.Set("max_keys", strconv.Itoa(options.PageSize))
		}
		for {
			var page struct {
				Objects        []ObjectMeta `json:"objects"`
				CommonPrefixes []string     `json:"common_prefixes"`
				Next           *string      `json:"next_continuation_token"`
			}
			path := "/v1/objects/" + url.PathEscape(bucket)
			if err := c.json(ctx, http.MethodGet, path, query, nil, &page); err != nil {
				yield(Entry{}, err)
				return
			}
			for i := range page.Objects {
				if !yield(Entry{Object: &page.Objects[i]}, nil) {
					return
				}
			}
			for _, prefix := range page.CommonPrefixes {
				if !yield(Entry{CommonPrefix: prefix}, nil) {
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

func objectFrom(response *http.Response) *Object {
	return &Object{
		Body:        response.Body,
		Size:        response.ContentLength,
		ContentType: response.Header.Get("Content-Type"),
		ETag:        response.Header.Get("ETag"),
	}
}
