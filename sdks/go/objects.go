package vexobj

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// ObjectMeta describes an object. SHA256 is hex, empty while it is not known.
type ObjectMeta struct {
	ID          string         `json:"id"`
	Bucket      string         `json:"bucket"`
	Key         string         `json:"key"`
	Size        int64          `json:"size"`
	ContentType string         `json:"content_type"`
	ETag        string         `json:"etag"`
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
	Header      http.Header
}

// PutOptions say what is sent beside the bytes.
type PutOptions struct {
	ContentType        string
	CacheControl       string
	ContentDisposition string
	ContentEncoding    string
	// SHA256 of the body in hex: the server refuses a body that has another.
	SHA256 string
	// IfMatch is the ETag to overwrite, IfNoneMatch "*" refuses to overwrite.
	IfMatch, IfNoneMatch string
	// Metadata is kept with the object, its names in lower case.
	Metadata map[string]string
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
	response, err := c.do(ctx, call{
		method: http.MethodPut, path: path, query: query, headers: options.headers(),
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

func (o PutOptions) headers() http.Header {
	headers := http.Header{}
	for name, value := range map[string]string{
		"Content-Type":        o.ContentType,
		"Cache-Control":       o.CacheControl,
		"Content-Disposition": o.ContentDisposition,
		"Content-Encoding":    o.ContentEncoding,
		"X-Vexobj-Sha256":     o.SHA256,
		"If-Match":            o.IfMatch,
		"If-None-Match":       o.IfNoneMatch,
	} {
		if value != "" {
			headers.Set(name, value)
		}
	}
	for name, value := range o.Metadata {
		headers.Set("X-Amz-Meta-"+name, value)
	}
	return headers
}

// StreamUpload is PutObject, which streams anyway.
func (c *Client) StreamUpload(
	ctx context.Context, bucket, key string, body io.Reader, options PutOptions,
) (*ObjectMeta, error) {
	return c.PutObject(ctx, bucket, key, body, options)
}

// StreamDownload is GetObject, which streams anyway.
func (c *Client) StreamDownload(
	ctx context.Context, bucket, key string, options GetOptions,
) (*Object, error) {
	return c.GetObject(ctx, bucket, key, options)
}

// GetObject opens an object for reading, its bytes as they are stored; ErrObjectNotFound when there
// is none.
func (c *Client) GetObject(
	ctx context.Context, bucket, key string, options GetOptions,
) (*Object, error) {
	path, query := objectPath(bucket, key)
	if options.Offset < 0 || options.Length < 0 {
		return nil, fmt.Errorf("vexobj: no range: %d bytes from %d", options.Length, options.Offset)
	}
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

// GetObjectVersion opens one version of an object.
func (c *Client) GetObjectVersion(
	ctx context.Context, bucket, key, versionID string,
) (*Object, error) {
	return c.GetObject(ctx, bucket, key, GetOptions{VersionID: versionID})
}

// DeleteObjectVersion removes one version of an object.
func (c *Client) DeleteObjectVersion(ctx context.Context, bucket, key, versionID string) error {
	path, query := objectPath(bucket, key)
	query.Set("version_id", versionID)
	return c.json(ctx, http.MethodDelete, path, query, nil, nil)
}

// DeleteObject removes an object; ErrObjectNotFound when there is none.
func (c *Client) DeleteObject(ctx context.Context, bucket, key string) error {
	path, query := objectPath(bucket, key)
	return c.json(ctx, http.MethodDelete, path, query, nil, nil)
}

func objectFrom(response *http.Response) *Object {
	return &Object{
		Body:        response.Body,
		Size:        response.ContentLength,
		ContentType: response.Header.Get("Content-Type"),
		ETag:        strings.Trim(response.Header.Get("ETag"), `"`),
		Header:      response.Header,
	}
}
