package slacktest

import (
	"net/http"
	"time"
)

// Request is a call that came in.
type Request struct {
	N       int    // counts them from 1
	Method  string // of the Web API; "response_url", "upload", or "link" for the opening of a socket
	Channel string // that it names
	Args    string // as JSON, without the token
}

// Fault is what goes wrong with a call.
type Fault struct {
	Delay  time.Duration // before anything happens
	Unread bool          // the connection ends before the call was read; by method only, and nothing else of the fault counts
	Lost   bool          // the call is not executed
	Late   time.Duration // after executing, before the answer

	Code   string // ok:false with this error, in place of the real answer
	Status int    // answered in place of the real answer; 0: the real one
	Type   string // of Body; empty: JSON
	Body   string
	Header map[string]string

	Cut  bool // the connection ends without an answer
	Half bool // the connection ends in the middle of the answer
	Hang bool // there is never an answer; the connection stays open
}

// LostCut is a connection that ends before anything happened.
func LostCut() Fault { return Fault{Lost: true, Cut: true} }

// UnreadCut is a connection that ends before the call was read; a rule with it asks for no channel.
func UnreadCut() Fault { return Fault{Unread: true} }

// DoneCut is a connection that ends after the call was executed.
func DoneCut() Fault { return Fault{Cut: true} }

// DoneHalf executes the call and ends the connection in the middle of the answer.
func DoneHalf() Fault { return Fault{Half: true} }

// DoneHang executes the call and never answers.
func DoneHang() Fault { return Fault{Hang: true} }

// Code is ok:false with this error; the call is not executed.
func Code(code string) Fault { return Fault{Lost: true, Code: code} }

// DoneCode executes the call and answers ok:false with this error.
func DoneCode(code string) Fault { return Fault{Code: code} }

// Broken is an answer with this status, executed or not.
func Broken(status int, executed bool) Fault {
	return Fault{Lost: !executed, Status: status, Type: "text/plain", Body: http.StatusText(status)}
}

// Page is HTML where JSON belongs, as of a proxy; with status 200 too.
func Page(status int) Fault {
	return Fault{Lost: true, Status: status, Type: "text/html; charset=utf-8", Body: "<html><body><h1>Bad gateway</h1></body></html>"}
}

// Limited is a 429. retryAfter is in seconds; empty: the answer does not say.
func Limited(retryAfter string) Fault {
	f := Fault{Lost: true, Status: http.StatusTooManyRequests, Body: `{"ok":false,"error":"ratelimited"}`}
	if retryAfter != "" {
		f.Header = map[string]string{"Retry-After": retryAfter}
	}
	return f
}

// Redirected sends the client elsewhere with its post (307).
func Redirected(to string) Fault {
	return Fault{Lost: true, Status: http.StatusTemporaryRedirect, Header: map[string]string{"Location": to}}
}

// always is a rule without an end.
const always = -1

type rule struct {
	left            int
	method, channel string
	fault           Fault
	hits            int
}

// Fault sets a function that is asked for every call; nil is no fault. It replaces the one before; Fault(nil) is the end of it.
func (s *Server) Fault(f func(Request) *Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// Fail lets the next n calls of this method, in this channel, go wrong; n below 0: all of them until NoFaults. Method and channel
// may be empty for any. What it returns says how many did so far.
func (s *Server) Fail(n int, method, channel string, f Fault) (hits func() int) {
	if n < 0 {
		n = always
	}
	r := &rule{left: n, method: method, channel: channel, fault: f}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = append(s.rules, r)
	return func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return r.hits
	}
}

// FailCode lets the next n calls of this method answer ok:false with this error, not executed.
func (s *Server) FailCode(n int, method, code string) (hits func() int) {
	return s.Fail(n, method, "", Code(code))
}

// NoFaults ends what Fault and Fail began.
func (s *Server) NoFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault, s.rules = nil, nil
}

// Held is how many calls came in and wait for the Delay or Late of a Fault, or hang.
func (s *Server) Held() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held
}

// unread says whether the connection of a call ends before it is read.
func (s *Server) unread(method string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.rules {
		if x.fault.Unread && x.left != 0 && (x.method == "" || x.method == method) {
			x.hit()
			s.note(Entry{Kind: KindRequest, Name: method})
			return true
		}
	}
	return false
}

func (x *rule) hit() {
	x.hits++
	if x.left > 0 {
		x.left--
	}
}

// faultFor is asked without the lock held: the function may look at the server.
func (s *Server) faultFor(r Request) Fault {
	s.mu.Lock()
	f := s.fault
	for _, x := range s.rules {
		if !x.fault.Unread && x.left != 0 && (x.method == "" || x.method == r.Method) && (x.channel == "" || x.channel == r.Channel) {
			x.hit()
			s.mu.Unlock()
			return x.fault
		}
	}
	s.mu.Unlock()
	if f != nil {
		if x := f(r); x != nil {
			return *x
		}
	}
	return Fault{}
}

// waiting counts a call as held while f runs.
func (s *Server) waiting(d time.Duration) {
	if d <= 0 {
		return
	}
	s.hangs(1)
	s.rest(d)
	s.hangs(-1)
}

func (s *Server) hangs(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held += n
	s.touch()
}
