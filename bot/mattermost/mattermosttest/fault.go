package mattermosttest

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Request is a call that came in.
type Request struct {
	N      int    // counts them from 1
	Method string // of HTTP
	Path   string // without the query
	Query  string
	User   string // whose token it carries; empty: nobody's
	Body   []byte

	life int // of the server, when it came in
}

// Fault is what goes wrong with a call.
type Fault struct {
	Delay time.Duration // before anything happens
	Lost  bool          // the call is not executed
	Late  time.Duration // after executing, before the answer

	Status int    // answered in place of the real answer; 0: the real one
	Type   string // of Body; empty: JSON as an error of the server
	Body   string
	Header map[string]string

	Cut  bool // the connection ends without an answer
	Half bool // the connection ends in the middle of the answer
	Hang bool // there is never an answer; the connection stays open
}

// LostCut is a connection that ends before anything happened.
func LostCut() Fault { return Fault{Lost: true, Cut: true} }

// DoneCut is a connection that ends after the call was executed.
func DoneCut() Fault { return Fault{Cut: true} }

// DoneHalf executes the call and ends the connection in the middle of the answer.
func DoneHalf() Fault { return Fault{Half: true} }

// DoneHang executes the call and never answers.
func DoneHang() Fault { return Fault{Hang: true} }

// Broken is an answer with this status, executed or not.
func Broken(status int, executed bool) Fault { return Fault{Lost: !executed, Status: status} }

// Page is HTML where JSON belongs, as of a proxy.
func Page(status int) Fault {
	return Fault{Lost: true, Status: status, Type: "text/html; charset=utf-8", Body: "<html><body><h1>Bad gateway</h1></body></html>"}
}

// Limited is a 429. retryAfter is in seconds; empty: the answer does not say.
func Limited(retryAfter string) Fault {
	f := Fault{Lost: true, Status: http.StatusTooManyRequests, Type: "text/plain; charset=utf-8", Body: "limit exceeded\n"}
	if retryAfter != "" {
		f.Header = map[string]string{"Retry-After": retryAfter}
	}
	return f
}

type rule struct {
	left         int
	method, path string
	fault        Fault
	hits         int
}

// Fault sets a function that is asked for every call; nil is no fault. It replaces the one before; Fault(nil) is the end of it.
func (s *Server) Fault(f func(Request) *Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// Fail lets the next n calls of this method whose path contains part go wrong. The method may be empty for any. What it returns
// says how many did so far. A client may repeat a GET by itself when its connection ends.
func (s *Server) Fail(n int, method, part string, f Fault) (hits func() int) {
	r := &rule{left: n, method: method, path: part, fault: f}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = append(s.rules, r)
	return func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return r.hits
	}
}

// NoFaults ends what Fault and Fail began.
func (s *Server) NoFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault, s.rules = nil, nil
}

// Held is how many calls came in and wait for Thaw, or for the Delay of a Fault.
func (s *Server) Held() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held
}

// faultFor is asked without the lock held: the function may look at the server.
func (s *Server) faultFor(r Request) Fault {
	s.mu.Lock()
	f := s.fault
	for _, x := range s.rules {
		if x.left > 0 && (x.method == "" || x.method == r.Method) && strings.Contains(r.Path, x.path) {
			x.left, x.hits = x.left-1, x.hits+1
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

type bucket struct {
	left float64
	at   time.Time
}

// limit counts a call; it says what the headers say, and whether the call is over the limit.
func (s *Server) limit(key string, h http.Header) (over bool) {
	rate := s.settings.RateLimit
	if rate == 0 {
		return false
	}
	most := float64(max(s.settings.RateBurst, 1))
	b := s.buckets[key]
	if b == nil {
		b = &bucket{left: most, at: time.Now()}
		s.buckets[key] = b
	}
	now := time.Now()
	b.left = min(most, b.left+now.Sub(b.at).Seconds()*rate)
	b.at = now
	h.Set("X-Ratelimit-Limit", strconv.Itoa(int(most)))
	if over = b.left < 1; !over {
		b.left--
	} else {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil((1-b.left)/rate))))
	}
	h.Set("X-Ratelimit-Remaining", strconv.Itoa(int(b.left)))
	h.Set("X-Ratelimit-Reset", strconv.Itoa(int(math.Ceil((most-b.left)/rate))))
	return over
}
