package vexobj

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"
)

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
