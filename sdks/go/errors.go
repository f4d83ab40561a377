package vexobj

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// Error is an answer of the server that is not a success.
type Error struct {
	StatusCode int    `json:"-"`
	Message    string `json:"error"`
	Code       string `json:"code"`
	Reason     string `json:"reason"`
	RequestID  string `json:"request_id"`
}

// Conditions to compare with errors.Is.
var (
	ErrBucketNotFound      = &Error{StatusCode: http.StatusNotFound, Code: "NoSuchBucket"}
	ErrObjectNotFound      = &Error{StatusCode: http.StatusNotFound, Code: "NoSuchKey"}
	ErrBucketAlreadyExists = &Error{StatusCode: http.StatusConflict, Code: "BucketAlreadyExists"}
	ErrBucketNotEmpty      = &Error{StatusCode: http.StatusConflict, Code: "BucketNotEmpty"}
	ErrPreconditionFailed  = &Error{
		StatusCode: http.StatusPreconditionFailed, Code: "PreconditionFailed",
	}
)

func (e *Error) Error() string {
	message := e.Message
	if e.Reason != "" {
		message += ": " + e.Reason
	}
	if e.Code == "" {
		return fmt.Sprintf("vexobj: %d %s", e.StatusCode, message)
	}
	return fmt.Sprintf("vexobj: %d %s (%s)", e.StatusCode, message, e.Code)
}

// Is tells whether target is an *Error of the same code. An answer to HEAD has none: there the
// status decides.
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	if ok && e.Code == "" {
		return other.StatusCode == e.StatusCode
	}
	return ok && other.Code == e.Code
}

const maxErrorBody = 64 << 10

func errorFrom(response *http.Response) error {
	failure := &Error{
		StatusCode: response.StatusCode,
		Message:    http.StatusText(response.StatusCode),
		RequestID:  response.Header.Get("X-Request-Id"),
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxErrorBody))
	if err == nil {
		// An answer that is not JSON (a proxy's, or to HEAD) leaves the status text standing.
		_ = json.Unmarshal(body, failure)
	}
	return failure
}
