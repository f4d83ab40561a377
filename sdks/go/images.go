package vexobj

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
)

// Transform says how an image is to be delivered. Zero fields are left to the server.
type Transform struct {
	Width, Height, Quality int
	Format, Fit            string
}

// ImageURL is the address at which an image is delivered as transform says.
func (c *Client) ImageURL(bucket, key string, transform Transform) string {
	path, query := objectPath(bucket, key)
	transform.addTo(query)
	return c.base + path + "?" + query.Encode()
}

// GetImage opens an image as transform says.
func (c *Client) GetImage(
	ctx context.Context, bucket, key string, transform Transform,
) (*Object, error) {
	path, query := objectPath(bucket, key)
	transform.addTo(query)
	response, err := c.do(ctx, call{method: http.MethodGet, path: path, query: query})
	if err != nil {
		return nil, err
	}
	return objectFrom(response), nil
}

func (t Transform) addTo(query url.Values) {
	for name, value := range map[string]int{"w": t.Width, "h": t.Height, "quality": t.Quality} {
		if value != 0 {
			query.Set(name, strconv.Itoa(value))
		}
	}
	for name, value := range map[string]string{"format": t.Format, "fit": t.Fit} {
		if value != "" {
			query.Set(name, value)
		}
	}
}
