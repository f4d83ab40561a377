package vexobj

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Client speaks to one server with one key. It is safe for concurrent use.
type Client struct {
	base string
	key  string
	http *http.Client
}

// Option changes how a Client behaves.
type Option func(*Client)

// WithHTTPClient sets the HTTP client, for proxies, certificates or timeouts.
func WithHTTPClient(client *http.Client) Option {
	return func(c *Client) { c.http = client }
}

// New returns a client for the server at baseURL, authenticating with an API key (its secret).
func New(baseURL, key string, options ...Option) *Client {
	client := &Client{
		base: strings.TrimRight(baseURL, "/"),
		key:  key,
		http: &http.Client{},
	}
	for _, option := range options {
		option(client)
	}
	return client
}

// call is one request.
type call struct {
	method  string
	path    string
	query   url.Values
	headers http.Header
	body    io.Reader
	length  int64
}

func (c *Client) do(ctx context.Context, call call) (*http.Response, error) {
	target := c.base + call.path
	if len(call.query) > 0 {
		target += "?" + call.query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, call.method, target, call.body)
	if err != nil {
		return nil, fmt.Errorf("vexobj: %w", err)
	}
	for name, values := range call.headers {
		request.Header[name] = values
	}
	// Otherwise net/http asks for gzip, and undoes it in objects that are stored so.
	request.Header.Set("Accept-Encoding", "identity")
	if call.length > 0 {
		request.ContentLength = call.length
	}
	if c.key != "" {
		request.Header.Set("Authorization", "Bearer "+c.key)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("vexobj: %w", err)
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		defer response.Body.Close()
		return nil, errorFrom(response)
	}
	return response, nil
}

// json sends a value (or nothing) and decodes the answer into out, unless out is nil.
func (c *Client) json(ctx context.Context, method, path string, query url.Values, in, out any) error {
	request := call{method: method, path: path, query: query}
	if in != nil {
		body, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("vexobj: %w", err)
		}
		request.body = bytes.NewReader(body)
		request.headers = http.Header{"Content-Type": {"application/json"}}
	}
	response, err := c.do(ctx, request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if out == nil {
		return nil
	}
	return decode(response.Body, out)
}
