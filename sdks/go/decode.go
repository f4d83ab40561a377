package vexobj

import (
	"encoding/json"
	"fmt"
	"io"
)

func decode(body io.Reader, out any) error {
	if err := json.NewDecoder(body).Decode(out); err != nil {
		return fmt.Errorf("vexobj: reading the answer: %w", err)
	}
	return nil
}
