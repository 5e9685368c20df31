package slacktest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const bodyCap = 1 << 20 // of what a bot answers

// Target is where the app wants HTTP requests: its three URLs, which may be the same.
type Target struct{ Events, Interactions, Commands string }

func eventsURL(t *Target) string { return t.Events }

func interactionsURL(t *Target) string { return t.Interactions }

func commandsURL(t *Target) string { return t.Commands }

// Deliver sends everything by HTTP from now on; nil: by socket again.
func (s *Server) Deliver(to *Target) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.target = to
}

// request is an HTTP request that went out.
type request struct {
	url, body string
	header    http.Header
}

// Signature is how a request is signed.
type Signature int

// The kinds of signatures.
const (
	SignGood    Signature = iota
	SignNone              // no headers at all
	SignNoTime            // no timestamp
	SignWrong             // by another secret
	SignForged            // of another body
	SignStale             // six minutes ago, and right
	SignFuture            // in six minutes, and right
	SignBadTime           // a timestamp that is no number, and right
	SignGarbage           // not hex
	SignSame              // of Resend: the headers of the first time
)

// signed is the headers of a request.
func (s *Server) signed(body string, sig Signature) http.Header {
	h := http.Header{}
	at, secret, over := s.said(), s.secret, body
	switch sig {
	case SignNone:
		return h
	case SignWrong:
		secret = "another"
	case SignForged:
		over = body + " "
	case SignStale:
		at = at.Add(-6 * time.Minute)
	case SignFuture:
		at = at.Add(6 * time.Minute)
	}
	stamp := strconv.FormatInt(at.Unix(), 10)
	if sig == SignBadTime {
		stamp = "yesterday"
	}
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte("v0:" + stamp + ":" + over))
	sum := "v0=" + hex.EncodeToString(m.Sum(nil))
	if sig == SignGarbage {
		sum = "v0=zz"
	}
	h.Set("X-Slack-Signature", sum)
	if sig != SignNoTime {
		h.Set("X-Slack-Request-Timestamp", stamp)
	}
	return h
}

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
)

// Answer is what a bot answered.
type Answer struct {
	Status int // 0: none
	Header http.Header
	Body   string
}

// post sends a request and writes it down. Nothing may be locked.
func (s *Server) post(ctx context.Context, name string, attempt int, r request) Answer {
	var a Answer
	asked := time.Now()
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, strings.NewReader(r.body))
	if err == nil {
		q.Header = r.header.Clone()
		q.Header.Set("User-Agent", "Slackbot 1.0 (+https://api.slack.com/robots)")
		q.Header.Set("Accept", "*/*")
		var got *http.Response
		if got, err = s.out.Do(q); err == nil {
			var b []byte
			if b, err = io.ReadAll(io.LimitReader(got.Body, bodyCap)); err == nil {
				a = Answer{got.StatusCode, got.Header, string(b)}
			}
			got.Body.Close()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(Entry{Kind: KindCallback, Name: name, Attempt: attempt, Status: a.Status, Body: r.body + "\n" + a.Body, Took: time.Since(asked)})
	return a
}

// limited is a context that ends when the bot's time is over.
func (s *Server) limited() (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	x := s.after(s.settings.AckWithin, true, cancel)
	s.start(func() {
		select {
		case <-s.done:
			cancel()
		case <-ctx.Done():
		}
	})
	return ctx, func() {
		s.stop(x)
		cancel()
	}
}

// transmitHTTP sends something by HTTP.
func (s *Server) transmitHTTP(d *delivery) {
	body, kind := d.payload, jsonType
	switch d.form {
	case "payload":
		body, kind = url.Values{"payload": {d.payload}}.Encode(), formType
	case "fields":
		f := url.Values{}
		for k, v := range asObject(d.payload) {
			f.Set(k, str(v))
		}
		body, kind = f.Encode(), formType
	}
	r := request{url: d.url(s.target), body: body, header: s.signed(body, SignGood)}
	r.header.Set("Content-Type", kind)
	if d.attempt > 0 {
		r.header.Set("X-Slack-Retry-Num", strconv.Itoa(d.attempt))
		r.header.Set("X-Slack-Retry-Reason", d.reason)
	}
	s.sent = append(s.sent, r)
	ctx, end := s.limited()
	attempt := d.attempt
	s.touch()
	s.start(func() {
		a := s.post(ctx, d.name, attempt, r)
		late := ctx.Err() != nil
		s.mu.Lock()
		defer s.mu.Unlock()
		end()
		switch {
		case a.Status >= 200 && a.Status < 300:
			d.plain = !strings.HasPrefix(a.Header.Get("Content-Type"), jsonType)
			answer := json.RawMessage(a.Body)
			if !d.accepts {
				answer = nil
			}
			s.succeeded(d, answer)
		case !d.once && a.Header.Get("X-Slack-No-Retry") == "1":
			s.end(d)
			s.note(Entry{Kind: KindLost, Name: d.name, Body: d.payload})
		case late:
			s.failed(d, "operation_timeout", "http_timeout")
		case a.Status == 0:
			s.failed(d, "dispatch_failed", "connection_failed")
		case a.Status >= 300 && a.Status < 400:
			s.failed(d, "dispatch_failed", "too_many_redirects")
		default:
			s.failed(d, "dispatch_failed", "http_error")
		}
		s.touch()
	})
}

// Post sends any body to a URL, signed as said. contentType may be empty for JSON.
func (s *Server) Post(to, contentType, body string, sig Signature) Answer {
	s.mu.Lock()
	r := request{url: to, body: body, header: s.signed(body, sig)}
	if contentType == "" {
		contentType = jsonType
	}
	r.header.Set("Content-Type", contentType)
	ctx, end := s.limited()
	s.mu.Unlock()
	a := s.post(ctx, "post", 0, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	end()
	return a
}

// Resend sends the last request of Deliver again, signed as said; SignSame replays it as it was.
func (s *Server) Resend(sig Signature) Answer {
	s.t.Helper()
	s.mu.Lock()
	if len(s.sent) == 0 {
		s.mu.Unlock()
		s.t.Error("nothing was sent by HTTP")
		return Answer{}
	}
	r := s.sent[len(s.sent)-1]
	if sig != SignSame {
		h := s.signed(r.body, sig)
		h.Set("Content-Type", r.header.Get("Content-Type"))
		r.header = h
	}
	ctx, end := s.limited()
	s.mu.Unlock()
	a := s.post(ctx, "resend", 0, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	end()
	return a
}

// Verify asks whether a URL is the app's (url_verification), as when somebody fills it in.
func (s *Server) Verify(to string) bool {
	challenge := random(40)
	a := s.Post(to, jsonType, text(obj{"token": "verification", "challenge": challenge, "type": "url_verification"}), SignGood)
	return a.Status == http.StatusOK && (strings.TrimSpace(a.Body) == challenge || asObject(a.Body)["challenge"] == challenge)
}

// CheckSSL asks a URL for a sign of life (ssl_check).
func (s *Server) CheckSSL(to string) Answer {
	return s.Post(to, formType, url.Values{"ssl_check": {"1"}, "token": {"verification"}}.Encode(), SignGood)
}
