package vexobj

import (
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
	for name, value := range map[string]int{
		"w": transform.Width, "h": transform.Height, "quality": transform.Quality,
	} {
		if value > 0 {
			query.Set(name, strconv.Itoa(value))
		}
	}
	for name, value := range map[string]string{"format": transform.Format, "fit": transform.Fit} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return c.base + path + "?" + query.Encode()
}
