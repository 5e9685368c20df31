package slacktest

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Kind is of an Entry.
type Kind string

// What is written down.
const (
	KindRequest  Kind = "request"  // of the Web API, a response URL or an upload came in
	KindEnvelope Kind = "envelope" // went out by socket
	KindAck      Kind = "ack"      // came in by socket
	KindPong     Kind = "pong"
	KindCallback Kind = "callback" // went out by HTTP
	KindLost     Kind = "lost"     // an event was given up
)

// Entry is something that happened.
type Entry struct {
	Kind     Kind
	At       time.Time // real time
	Name     string    // method of the Web API, event, interaction ("block_actions"), or command
	Channel  string    // that a request names
	Status   int       // of the answer to a request or callback; 0: there was none
	Err      string    // the code of the answer, or why an ack does not count
	Body     string    // of a request its arguments as JSON, without the token; of a callback also the answer, on a line of its own
	Envelope string
	Attempt  int           // above 0: again
	Socket   int           // number of the socket
	Took     time.Duration // of an ack or callback: real time since the bot was asked
}

// Journal is all that happened so far.
func (s *Server) Journal() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Entry(nil), s.journal...)
}

// Count is how many entries of a kind have this name.
func (s *Server) Count(kind Kind, name string) int {
	n := 0
	for _, e := range s.Journal() {
		if e.Kind == kind && e.Name == name {
			n++
		}
	}
	return n
}

// Calls is how many requests of a method came in.
func (s *Server) Calls(method string) int { return s.Count(KindRequest, method) }

// SlowestAck is the longest real time that the bot took for an answer that counted, by socket or HTTP.
func (s *Server) SlowestAck() (d time.Duration) {
	for _, e := range s.Journal() {
		if (e.Kind == KindAck || e.Kind == KindCallback) && e.Err == "" {
			d = max(d, e.Took)
		}
	}
	return d
}

func (s *Server) note(e Entry) {
	e.At = time.Now()
	s.journal = append(s.journal, e)
	s.touch()
}

// Problems is what the bot did that a real server only shows to its people, or nowhere: answers that cannot be used, views and
// messages in answers that are refused, payloads where none belongs.
func (s *Server) Problems() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.problems...)
}

func (s *Server) problem(format string, a ...any) {
	s.problems = append(s.problems, fmt.Sprintf(format, a...))
}

// Shown is something that the bot sent for people to see.
type Shown struct {
	By       string // method, "response_url", or the interaction that was answered with it
	Channel  string // of a message
	User     string // of a view or an ephemeral message
	Accepted bool
	JSON     string // the message or view as it was sent
}

// AllShown is every message and view that the bot sent, also those that were refused.
func (s *Server) AllShown() []Shown {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Shown(nil), s.shown...)
}

// Leaks is what the bot sent that holds a marker (an account, a text): as it is, escaped, in other case, or as base64 or hex. allowed may
// be nil; it says which entries may hold it.
func (s *Server) Leaks(marker string, allowed func(Entry) bool) []Entry {
	var found []Entry
	for _, e := range s.Journal() {
		if e.Kind != KindRequest && e.Kind != KindAck && e.Kind != KindCallback || !holds(sentIn(e), marker) {
			continue
		}
		if allowed == nil || !allowed(e) {
			found = append(found, e)
		}
	}
	return found
}

// sentIn is the part of an entry that the bot wrote.
func sentIn(e Entry) string {
	if e.Kind != KindCallback {
		return plainJSON(e.Body)
	}
	_, answer, _ := strings.Cut(e.Body, "\n")
	return plainJSON(answer)
}

// plainJSON writes JSON again without needless escapes.
func plainJSON(body string) string {
	var v any
	if json.Unmarshal([]byte(body), &v) != nil {
		return body
	}
	return body + "\n" + text(unfolded(v))
}

// unfolded is v with the JSON that stands in its texts, as blocks in a form, as JSON.
func unfolded(v any) any {
	switch x := v.(type) {
	case obj:
		out := obj{}
		for k, e := range x {
			out[k] = unfolded(e)
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = unfolded(e)
		}
		return out
	case string:
		var in any
		if (strings.HasPrefix(x, "{") || strings.HasPrefix(x, "[")) && json.Unmarshal([]byte(x), &in) == nil {
			return unfolded(in)
		}
	}
	return v
}

func holds(body, marker string) bool {
	body += "\n" + unescape(body)
	if in := text(marker); in[1:len(in)-1] != marker && strings.Contains(body, in[1:len(in)-1]) {
		return true
	}
	low := strings.ToLower(body)
	if strings.Contains(low, strings.ToLower(marker)) || strings.Contains(low, hex.EncodeToString([]byte(marker))) {
		return true
	}
	for shift := range 3 { // base64 of a longer text that holds it
		b := append(make([]byte, shift), marker...)
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			code := enc.EncodeToString(b)[(shift*8+5)/6 : len(b)*8/6]
			if len(code) > 3 && strings.Contains(body, code) {
				return true
			}
		}
	}
	return false
}
