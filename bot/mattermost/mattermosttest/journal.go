package mattermosttest

import "time"

// Kind is of an Entry.
type Kind string

// What is written down.
const (
	KindRequest  Kind = "request"  // came in by REST or asked for a socket
	KindEvent    Kind = "event"    // was published
	KindCallback Kind = "callback" // went out to an integration
)

// Entry is something that happened.
type Entry struct {
	Kind   Kind
	At     time.Time
	Name   string // method and path, the event, or the URL
	User   string // who asked, or who gets the event if it is one person
	Status int    // of the answer; 0: there was none
	Body   string // what was sent, and of a callback also what was answered, on a line of its own
}

// Journal is all that happened so far.
func (s *Server) Journal() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Entry(nil), s.journal...)
}

// Count is how many requests, events or callbacks have this name: "POST /api/v4/posts", "posted".
func (s *Server) Count(name string) int {
	n := 0
	for _, e := range s.Journal() {
		if e.Name == name {
			n++
		}
	}
	return n
}

func (s *Server) note(e Entry) {
	e.At = time.Now()
	s.journal = append(s.journal, e)
	s.touch()
}
