package slack

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	api "github.com/slack-go/slack"
)

const (
	maxBody  = 1 << 20
	bodyTime = 5 * time.Second
)

// hooks takes what Slack sends as HTTP requests, signed with the app's secret. Whatever the path: what a request is, is seen
// from its body.
type hooks struct {
	secret string
	in     *intake

	taken, refused, odd atomic.Int64
}

// hookHealth is how the HTTP transport is doing.
type hookHealth struct {
	Taken   int64 // requests that Slack signed
	Refused int64 // requests without a signature of Slack that is right and not older than five minutes
	Odd     int64 // signed requests that are nothing Slack sends
}

func newHooks(signingSecret string, in *intake) *hooks { return &hooks{secret: signingSecret, in: in} }

func (h *hooks) health() hookHealth {
	return hookHealth{Taken: h.taken.Load(), Refused: h.refused.Load(), Odd: h.odd.Load()}
}

// ServeHTTP answers what it refuses with a status and nothing else.
func (h *hooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, http.StatusMethodNotAllowed)
		return
	}
	// Without deadlines (a server of another kind) the body's size still bounds it.
	http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		status := http.StatusBadRequest
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			status = http.StatusRequestEntityTooLarge
		}
		refuse(w, status)
		return
	}
	in, challenge, ok := decodeHTTP(r.Header.Get("Content-Type"), body)
	signed := h.signed(r.Header, body)
	switch {
	case in.Kind == kindCheck: // says nothing, does nothing, and may come unsigned
		return
	case !signed:
		h.refused.Add(1)
		refuse(w, http.StatusUnauthorized)
		return
	case !ok:
		h.odd.Add(1)
		refuse(w, http.StatusBadRequest)
		return
	}
	h.taken.Add(1)
	if in.Kind == kindChallenge {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		io.WriteString(w, challenge)
		return
	}
	in.Attempt, in.Reason = attempt(r.Header.Get("X-Slack-Retry-Num")), r.Header.Get("X-Slack-Retry-Reason")
	answered := make(chan json.RawMessage, 1)
	if !h.in.put(in, func(body json.RawMessage) error { answered <- body; return nil }) {
		http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable) // and Slack sends it again
		return
	}
	select {
	case body := <-answered:
		if len(body) > 0 {
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			w.Write(body)
		}
	case <-r.Context().Done():
	}
}

// signed says whether Slack signed a body, not more than five minutes from now.
func (h *hooks) signed(header http.Header, body []byte) bool {
	v, err := api.NewSecretsVerifier(header, h.secret)
	if err != nil {
		return false
	}
	v.Write(body)
	return v.Ensure() == nil
}

// refuse answers what will not become right by sending it again.
func refuse(w http.ResponseWriter, status int) {
	w.Header().Set("X-Slack-No-Retry", "1")
	http.Error(w, http.StatusText(status), status)
}

func attempt(header string) int {
	n, err := strconv.ParseUint(header, 10, 16)
	if err != nil {
		return 0
	}
	return int(n)
}
