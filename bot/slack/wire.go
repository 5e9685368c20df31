package slack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptrace"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	api "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/weerklank/weerklank/bot"
)

const (
	callTime      = 15 * time.Second
	uploadTime    = 60 * time.Second
	dialTime      = 10 * time.Second
	maxResponse   = 16 << 20
	maxFrame      = 1 << 20
	writeBuffer   = 32 << 10 // an acknowledgement leaves as one frame: Slack does not put parts together
	lingerTime    = 100 * time.Millisecond
	pingTime      = 30 * time.Second
	methodOpen    = "apps.connections.open"
	limitedFor    = 30 * time.Second // where a limit does not say how long
	longestLimit  = time.Hour
	notSentAgain  = 5 * time.Second
	openQuiet     = 30 * time.Second
	scopesHeader  = "X-Oauth-Scopes"
	retryHeader   = "Retry-After"
	defaultAPIURL = "https://slack.com/api/"
)

// wireConfig is what a wire needs.
type wireConfig struct {
	BotToken  string
	AppToken  string  // of Socket Mode
	APIURL    string  // ends in /api/; empty: Slack's
	PerSecond float64 // messages per second over all channels; zero: defaultPerSecond
}

// wire is the way to Slack: the clients of the library with an HTTP client of our own, and what the answers say beside what was
// asked.
type wire struct {
	api     *api.Client
	uploads *api.Client  // as api, and waits longer
	plain   *http.Client // of api, for what the library does not know
	url     string
	ping    time.Duration // without a ping for so long a connection is dead
	pace    *pace
	refused func(code string) // told that a call was answered as if the bot's token is not taken any more; may be nil

	mu      sync.Mutex
	scopes  map[slot][]string
	offset  time.Duration
	clocked bool
}

// slot is a token's place in the configuration.
type slot string

// The slots.
const (
	slotBot slot = "bot_token"
	slotApp slot = "app_token"
)

func newWire(c wireConfig) *wire {
	c.APIURL = strings.TrimRight(cmp.Or(c.APIURL, defaultAPIURL), "/") + "/"
	w := &wire{url: c.APIURL, ping: pingTime, pace: newPace(c.PerSecond), scopes: map[slot][]string{}}
	below := http.DefaultTransport.(*http.Transport).Clone() // proxies from the environment
	below.MaxIdleConnsPerHost = 16
	// A connection that died unseen would leave every post on it uncertain.
	below.HTTP2 = &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 10 * time.Second}
	opens := &spacing{apart: []time.Duration{
		0, time.Second / 2, time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute,
	}}
	client := func(timeout time.Duration) (*api.Client, *http.Client) {
		plain := &http.Client{
			Transport: &carrier{w: w, below: below, timeout: timeout, opens: opens},
			// A redirect would take the post and the token to another place.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
		return api.New(c.BotToken, api.OptionAppLevelToken(c.AppToken), api.OptionAPIURL(c.APIURL), api.OptionLog(log.New(io.Discard, "", 0)),
			api.OptionHTTPClient(plain)), plain
	}
	w.api, w.plain = client(callTime)
	w.uploads, _ = client(uploadTime)
	return w
}

// socket makes a client of Socket Mode. dialed is told of each connection that it makes, and ended of each that ended.
func (w *wire) socket(dialed, ended func(net.Conn)) *socketmode.Client {
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := (&net.Dialer{Timeout: dialTime}).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		if tcp, ok := c.(*net.TCPConn); ok {
			c = &lingering{tcp, ended}
		}
		dialed(c)
		return c, nil
	}
	return socketmode.New(w.api,
		socketmode.OptionLog(log.New(io.Discard, "", 0)), socketmode.OptionReadLimit(maxFrame), socketmode.OptionPingInterval(w.ping),
		socketmode.OptionDialer(&websocket.Dialer{
			Proxy: http.ProxyFromEnvironment, NetDialContext: dial, HandshakeTimeout: dialTime, WriteBufferSize: writeBuffer,
		}))
}

// lingering is a connection that tells a little later that it ended: what the library reads last before that it may forget.
type lingering struct {
	*net.TCPConn
	ended func(net.Conn)
}

// Read implements io.Reader.
func (l *lingering) Read(b []byte) (int, error) {
	n, err := l.TCPConn.Read(b)
	if err != nil {
		l.ended(l)
		<-time.After(lingerTime)
	}
	return n, err
}

// call makes a call of a method when the pace allows it; channel may be empty. A *bot.RetryError: nothing was done, for a limit
// of ours or Slack's, or because nothing left this machine. Anything else is the library's error.
func (w *wire) call(ctx context.Context, method, channel string, do func(context.Context) error) error {
	leave, err := w.turn(ctx, method, channel)
	if err != nil {
		return err
	}
	defer leave()
	err = do(ctx)
	if wait, ok := limitOf(err); ok {
		w.pace.limited(method, channel, wait)
		return &bot.RetryError{After: wait, Err: errLimited}
	}
	if notSent(err) {
		return &bot.RetryError{After: notSentAgain, Err: errNotSent}
	}
	if e, ok := errors.AsType[api.SlackErrorResponse](err); ok && w.refused != nil && slices.Contains(signedOut, e.Err) {
		w.refused(e.Err)
	}
	return err
}

// turn waits for a call's turn, and no longer than leaves time for the call itself: one that is cut off on its way has an
// unknown outcome.
func (w *wire) turn(ctx context.Context, method, channel string) (leave func(), err error) {
	if until, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, until.Add(-min(callTime, time.Until(until)/2)))
		defer cancel()
	}
	return w.pace.enter(ctx, method, channel)
}

var (
	errLimited = errors.New("slack: the limit of calls is reached")
	errNotSent = errors.New("slack: the server could not be reached")
)

// limitOf says whether an error is a limit's, and how long it wants us to wait.
func limitOf(err error) (time.Duration, bool) {
	if e, ok := errors.AsType[*api.RateLimitedError](err); ok {
		return min(max(e.RetryAfter, time.Second), longestLimit), true
	}
	if e, ok := errors.AsType[api.StatusCodeError](err); ok && e.Code == http.StatusTooManyRequests {
		return limitedFor, true
	}
	return 0, false
}

// notSent says whether a call certainly had no effect: not even its header left.
func notSent(err error) bool {
	_, ok := errors.AsType[*notSentError](err)
	return ok
}

// notSentError is an error of a call before its header was written.
type notSentError struct{ err error }

func (e *notSentError) Error() string { return errNotSent.Error() }

func (e *notSentError) Unwrap() error { return e.err }

// granted are the scopes of a token as Slack last said them; nil: it did not yet.
func (w *wire) granted(s slot) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.scopes[s])
}

// clock is how far Slack's clock is ahead of ours, to about a second; false: not known yet.
func (w *wire) clock() (time.Duration, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.offset, w.clocked
}

// keep remembers what the header of an answer says.
func (w *wire) keep(s slot, h http.Header, began time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if all := h.Values(scopesHeader); len(all) > 0 {
		w.scopes[s] = strings.FieldsFunc(strings.Join(all, ","), func(r rune) bool { return r == ',' || r == ' ' })
	}
	if at, err := http.ParseTime(h.Get("Date")); err == nil {
		now := time.Now()
		w.offset, w.clocked = at.Add(500*time.Millisecond).Sub(began.Add(now.Sub(began)/2)), true
	}
}

// carrier carries requests: it bounds their time, tells what certainly did not leave, and spaces the opening of connections.
type carrier struct {
	w       *wire
	below   http.RoundTripper
	timeout time.Duration
	opens   *spacing
}

// RoundTrip implements http.RoundTripper.
func (c *carrier) RoundTrip(r *http.Request) (*http.Response, error) {
	from := slotBot
	if path.Base(r.URL.Path) == methodOpen {
		from = slotApp
		if err := c.opens.wait(r.Context()); err != nil {
			if r.Body != nil {
				r.Body.Close()
			}
			return nil, &notSentError{err}
		}
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(r.Context(), c.timeout)
	var sent atomic.Bool
	// The first field of the header is written to a buffer before any of it leaves.
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaderField: func(string, []string) { sent.Store(true) }, WroteHeaders: func() { sent.Store(true) },
	})
	r = r.Clone(ctx)
	for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} { // with one, net/http sends a post again by itself
		r.Header.Del(name)
	}
	resp, err := c.below.RoundTrip(r)
	if err != nil {
		cancel()
		if !sent.Load() {
			err = &notSentError{err}
		}
		return nil, err
	}
	c.w.keep(from, resp.Header, began)
	if resp.StatusCode == http.StatusTooManyRequests {
		plainLimit(resp.Header)
	}
	resp.Body = &body{Reader: io.LimitReader(resp.Body, maxResponse), below: resp.Body, cancel: cancel}
	return resp, nil
}

// plainLimit writes how long to wait as the library reads it: it takes whole seconds only, and anything else for a failure.
func plainLimit(h http.Header) {
	said := strings.TrimSpace(h.Get(retryHeader))
	h.Del(retryHeader)
	if at, err := http.ParseTime(said); err == nil {
		said = strconv.Itoa(int(time.Until(at)/time.Second) + 1)
	}
	if n, err := strconv.ParseFloat(said, 64); err == nil && n >= 0 && n < maxNumber {
		h.Set(retryHeader, strconv.Itoa(int(n+0.999)))
	}
}

// body ends the time of a request when its answer is read.
type body struct {
	io.Reader
	below  io.Closer
	cancel context.CancelFunc
}

// Close implements io.Closer.
func (b *body) Close() error {
	err := b.below.Close()
	b.cancel()
	return err
}

// spacing keeps openings of connections apart, more so each time: the library opens the next one at once.
type spacing struct {
	apart []time.Duration // the last one for good

	mu   sync.Mutex
	step int
	last time.Time
}

// wait waits until the next connection may be opened.
func (s *spacing) wait(ctx context.Context) error {
	s.mu.Lock()
	now := time.Now()
	if now.Sub(s.last) > openQuiet {
		s.step, s.last = 0, now
	}
	if at := s.last.Add(s.apart[s.step]); at.After(now) {
		s.last = at
	} else {
		s.last = now
	}
	s.step = min(s.step+1, len(s.apart)-1)
	at := s.last
	s.mu.Unlock()
	return sleep(ctx, time.Until(at))
}

// sleep waits, or until ctx ends.
func sleep(ctx context.Context, wait time.Duration) error {
	if wait <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// signInError says that Slack does not let the bot in with a token, and what to do. It is a bot.ErrUnauthorised.
type signInError struct {
	Slot slot
	Code string // as Slack says it; http_404 where nothing answers at the address
}

func (e *signInError) Error() string {
	return fmt.Sprintf("slack: %s is not accepted (%s): %s", e.Slot, e.Code, e.next())
}

// Unwrap makes it a bot.ErrUnauthorised.
func (e *signInError) Unwrap() error { return bot.ErrUnauthorised }

// next is the one thing to do.
func (e *signInError) next() string {
	begins, where := "xoxb-", "OAuth & Permissions"
	if e.Slot == slotApp {
		begins, where = "xapp-", "Basic Information, App-Level Tokens"
	}
	switch e.Code {
	case "missing_scope":
		if e.Slot == slotApp {
			return "make an app-level token with the scope connections:write (" + where + ")"
		}
		return "give the app the scopes of the manifest and install it again"
	case "not_allowed_token_type":
		return "put the token that begins with " + begins + " there (" + where + ")"
	case "no_permission", "org_login_required", "access_denied", "team_access_not_granted", "enterprise_is_restricted", "forbidden_team":
		return "ask an admin of the workspace to admit the app"
	case "insecure_request", codeNotFound:
		return "look at api_url: it begins with https:// and ends in /api/"
	case "invalid_arguments", "missing_args":
		return "look at api_url and at proxies: something changes what is sent"
	case "app_uninstalled", "account_inactive":
		return "install the app again, and copy its new token (" + where + ")"
	}
	return "copy the token again, or make a new one (" + where + ")"
}

const codeNotFound = "http_404"

// fatalCodes are what Slack answers to a token for which trying again is no use.
func fatalCodes() []string {
	return []string{
		"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "missing_scope", "not_allowed_token_type",
		"no_permission", "org_login_required", "access_denied", "team_access_not_granted", "enterprise_is_restricted", "forbidden_team", "insecure_request",
		"invalid_arguments", "missing_args",
	}
}

// fatal says whether an answer at signing in means that trying again is no use; nil: it does not.
func fatal(s slot, err error) error {
	if e, ok := errors.AsType[api.SlackErrorResponse](err); ok && slices.Contains(fatalCodes(), e.Err) {
		return &signInError{s, e.Err}
	}
	if e, ok := errors.AsType[api.StatusCodeError](err); ok && e.Code == http.StatusNotFound {
		return &signInError{s, codeNotFound}
	}
	return nil
}

// short says what sort of error it is, in words that hold nothing of what was sent.
func short(err error) string {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[api.SlackErrorResponse](err); ok {
		return plainCode(e.Err)
	}
	if e, ok := errors.AsType[api.StatusCodeError](err); ok {
		return "http_" + strconv.Itoa(e.Code)
	}
	if _, ok := limitOf(err); ok {
		return "limited"
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "stopped"
	case notSent(err):
		return "unreachable"
	}
	return "cut"
}

// plainCode is an error code of Slack, unless it is no code.
func plainCode(code string) string {
	if len(code) > 64 || strings.ContainsFunc(code, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9') }) {
		return "unknown"
	}
	return code
}
