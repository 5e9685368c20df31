package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	api "github.com/slack-go/slack"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/bot/slack/slacktest"
)

// slackServer answers the Web API as a test says, and ends with it.
func slackServer(t *testing.T, answer http.HandlerFunc) *wire {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	return newWire(wireConfig{BotToken: "xoxb-secret", AppToken: "xapp-secret", APIURL: s.URL + "/api/", PerSecond: 1000})
}

func carrierOf(w *wire) *carrier { return w.plain.Transport.(*carrier) }

func post(w *wire) error {
	return w.call(context.Background(), methodPost, "C1", func(ctx context.Context) error {
		_, _, err := w.api.PostMessageContext(ctx, "C1", api.MsgOptionText("hallo", false))
		return err
	})
}

// What certainly was not done is told from what may have been.
func TestSentOrNot(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	cut := func(w http.ResponseWriter) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		c.Close()
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		again  bool // it was not done
	}{
		"cut after the request was read": {func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body); cut(w) }, false},
		"cut before it was read":         {func(w http.ResponseWriter, r *http.Request) { cut(w) }, false},
		"cut in the answer": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			w.WriteHeader(200)
			http.NewResponseController(w).Flush()
			cut(w)
		}, false},
		"a bad gateway":              {func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(502) }, false},
		"a page":                     {func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<html>") }, false},
		"a limit":                    {limited("3"), true},
		"a limit that says no time":  {limited(""), true},
		"a limit that says a moment": {limited(time.Now().Add(time.Minute).UTC().Format(http.TimeFormat)), true},
		"a limit that says nonsense": {limited("soon"), true},
		"a limit of half a second":   {limited("0.5"), true},
		"an error of Slack": {func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, `{"ok":false,"error":"not_in_channel"}`)
		}, false},
	} {
		var asked atomic.Int64
		err := post(slackServer(t, func(w http.ResponseWriter, r *http.Request) { asked.Add(1); c.answer(w, r) }))
		var later *bot.RetryError
		switch {
		case err == nil:
			t.Errorf("%s: no error", name)
		case c.again != errors.As(err, &later):
			t.Errorf("%s: %v", name, err)
		case later != nil && (later.After < time.Second || later.After > 2*time.Minute):
			t.Errorf("%s: %s", name, later.After)
		case asked.Load() != 1:
			t.Errorf("%s: asked %d times", name, asked.Load())
		}
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	for name, url := range map[string]string{
		"nobody listens": "http://" + closed.Addr().String() + "/api/", "no such name": "http://slack.invalid/api/", "no TLS": strings.Replace(plain.URL, "http:", "https:", 1) + "/api/",
	} {
		if err := post(newWire(wireConfig{BotToken: "x", APIURL: url})); !later(err) || !errors.Is(err, errNotSent) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func limited(after string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if after != "" {
			w.Header().Set("Retry-After", after)
		}
		w.WriteHeader(http.StatusTooManyRequests)
	}
}

// A connection that was cut while it was idle is opened anew, and the post still leaves once.
func TestPostLeavesOnce(t *testing.T) {
	var asked atomic.Int64
	var cut atomic.Bool
	w := slackServer(t, func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
			if r.Header.Get(name) != "" {
				t.Errorf("%s is set", name)
			}
		}
		asked.Add(1)
		if cut.Load() {
			if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
				c.Close()
			}
			return
		}
		io.WriteString(w, `{"ok":true,"channel":"C1","ts":"1.1"}`)
	})
	if err := post(w); err != nil {
		t.Fatal(err)
	}
	cut.Store(true)
	if err := post(w); err == nil || later(err) || asked.Load() != 2 {
		t.Errorf("%v, asked %d times", err, asked.Load())
	}
	r, err := http.NewRequest(http.MethodPost, w.url+"x", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header["Idempotency-Key"] = nil // as net/http reads it: send again
	cut.Store(false)
	resp, err := w.plain.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}

// A redirect is not followed: it would take the post and the token along.
func TestNoRedirect(t *testing.T) {
	var asked atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer other.Close()
	w := slackServer(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	})
	err := post(w)
	if e, ok := errors.AsType[api.StatusCodeError](err); !ok || e.Code != http.StatusTemporaryRedirect || asked.Load() != 0 {
		t.Errorf("%v, asked %d times", err, asked.Load())
	}
}

// A server that hangs holds a call for its time, also in the middle of an answer, and the body is bounded.
func TestCallsEnd(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	for name, answer := range map[string]http.HandlerFunc{
		"silent": func(http.ResponseWriter, *http.Request) { <-hang },
		"half a word": func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"ok":`)
			http.NewResponseController(w).Flush()
			<-hang
		},
	} {
		w := slackServer(t, answer)
		carrierOf(w).timeout = 50 * time.Millisecond
		if err := post(w); !errors.Is(err, context.DeadlineExceeded) || short(err) != "timeout" {
			t.Errorf("%s: %v", name, err)
		}
	}
	w := slackServer(t, func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"ok":true,"ts":"`)
		for range 17 {
			w.Write(bytes.Repeat([]byte("x"), 1<<20))
		}
		io.WriteString(w, `"}`)
	})
	if err := post(w); err == nil {
		t.Error("an answer without an end was read")
	}
}

func TestWhatHeadersSay(t *testing.T) {
	w := slackServer(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", time.Now().Add(90*time.Second).UTC().Format(http.TimeFormat))
		if strings.HasSuffix(r.URL.Path, methodOpen) {
			w.Header().Set("X-OAuth-Scopes", "connections:write")
			io.WriteString(w, `{"ok":false,"error":"internal_error"}`)
			return
		}
		w.Header().Set("X-OAuth-Scopes", "chat:write,im:write, users:read")
		io.WriteString(w, `{"ok":true}`)
	})
	if _, known := w.clock(); known || w.granted(slotBot) != nil {
		t.Error("known before anything was asked")
	}
	if err := post(w); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.api.StartSocketModeContext(t.Context()); err == nil {
		t.Error("no error")
	}
	if got := w.granted(slotBot); !slices.Equal(got, []string{"chat:write", "im:write", "users:read"}) {
		t.Error(got)
	}
	if got := w.granted(slotApp); !slices.Equal(got, []string{"connections:write"}) {
		t.Error(got)
	}
	if apart, known := w.clock(); !known || apart < 88*time.Second || apart > 92*time.Second {
		t.Error(apart, known)
	}
}

// The openings of connections: four in eight seconds, at most one a minute in the end, and at once after a quiet while.
func TestSpacingOfOpenings(t *testing.T) {
	chattest.Bubble(t, func(t *testing.T) {
		w := newWire(wireConfig{APIURL: "http://slack/api/"})
		var at []time.Duration
		began := time.Now()
		carrierOf(w).below = trip(func(r *http.Request) (*http.Response, error) {
			at = append(at, time.Since(began))
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"ok":true,"url":"x"}`)), Request: r}, nil
		})
		for range 12 {
			if _, _, err := w.api.StartSocketModeContext(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		within := func(d time.Duration) (n int) {
			for _, a := range at {
				if a <= d {
					n++
				}
			}
			return n
		}
		if at[0] != 0 || at[1] != time.Second/2 || within(8*time.Second) != 4 || at[11]-at[10] != time.Minute {
			t.Error(at)
		}
		time.Sleep(31 * time.Second)
		before := time.Now()
		if _, _, err := w.api.StartSocketModeContext(t.Context()); err != nil || time.Since(before) != 0 {
			t.Errorf("%v after %s", err, time.Since(before))
		}
		// Other calls are not held up, and who stops waiting goes.
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if _, err := w.api.AuthTestContext(ctx); err != nil || time.Since(before) != 0 {
			t.Errorf("%v after %s", err, time.Since(before))
		}
		cancel()
		if _, _, err := w.api.StartSocketModeContext(ctx); !notSent(err) {
			t.Error(err)
		}
	})
}

type trip func(*http.Request) (*http.Response, error)

func (f trip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Every answer that makes trying again useless says which token, what Slack says and what to do, and never the token.
func TestSignInErrors(t *testing.T) {
	said := map[string]bool{}
	for _, s := range []slot{slotBot, slotApp} {
		for _, code := range append(fatalCodes(), "app_uninstalled", codeNotFound) {
			var err error = &signInError{s, code}
			if !errors.Is(err, bot.ErrUnauthorised) || !strings.Contains(err.Error(), string(s)) || !strings.Contains(err.Error(), code) || strings.Count(err.Error(), ": ") < 2 {
				t.Error(err)
			}
			said[err.Error()] = true
		}
	}
	if len(said) != 2*(len(fatalCodes())+2) {
		t.Error("two errors say the same")
	}
	for _, c := range []struct {
		err        error
		code, says string
	}{
		{api.SlackErrorResponse{Err: "token_expired"}, "token_expired", "token_expired"},
		{fmt.Errorf("x: %w", api.SlackErrorResponse{Err: "missing_scope"}), "missing_scope", "missing_scope"},
		{api.StatusCodeError{Code: 404}, codeNotFound, codeNotFound},
		{api.StatusCodeError{Code: 503}, "", "http_503"},
		{api.SlackErrorResponse{Err: "internal_error"}, "", "internal_error"},
		{api.SlackErrorResponse{Err: "Jan zei: hallo"}, "", "unknown"},
		{&api.RateLimitedError{}, "", "limited"},
		{context.Canceled, "", "stopped"},
		{errors.New("xoxb-secret"), "", "cut"},
		{&notSentError{errors.New("xoxb-secret")}, "", "unreachable"},
		{nil, "", ""},
	} {
		got := ""
		if e, ok := errors.AsType[*signInError](fatal(slotApp, c.err)); ok {
			got = e.Code
		}
		if says := short(c.err); got != c.code || says != c.says {
			t.Errorf("%v: %q, %q", c.err, got, says)
		}
	}
}

// The library's debugging prints what people write. Nothing turns it on, and its log goes nowhere.
func TestDebuggingIsOutOfReach(t *testing.T) {
	w := newWire(wireConfig{})
	if w.api.Debug() || w.uploads.Debug() || w.socket(nil, nil).Debug() {
		t.Error("the library debugs")
	}
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"OptionDebug", "OptionRetry", "debug_reconnects"} {
			if bytes.Contains(source, []byte(word)) {
				t.Errorf("%s: %s", name, word)
			}
		}
		if n := bytes.Count(source, []byte("OptionLog(")); n != bytes.Count(source, []byte(`OptionLog(log.New(io.Discard, "", 0))`)) {
			t.Errorf("%s: a log that is kept", name)
		}
	}
	mod, err := os.ReadFile("../../go.mod")
	if err != nil || !bytes.Contains(mod, []byte("github.com/slack-go/slack v0.35.0\n")) {
		t.Error("another version of the library than the one that was looked at")
	}
}

// Nothing of a call that fails shows in its error: not the token, not the text.
func TestErrorsHoldNoSecrets(t *testing.T) {
	for _, answer := range []http.HandlerFunc{limited("1"), func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500) }} {
		if err := post(slackServer(t, answer)); err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "hallo") {
			t.Error(err)
		}
	}
	var e bytes.Buffer
	json.NewEncoder(&e).Encode(short(errors.New("hallo")))
	if strings.Contains(e.String(), "hallo") {
		t.Error("it shows")
	}
}

// Our pace provokes no limit in a channel, and a limit in one channel stops no other.
func TestPaceAtAServer(t *testing.T) {
	t.Parallel()
	s := slacktest.Start(t, slacktest.Options{})
	s.Set(func(c *slacktest.Settings) { c.PostEvery = time.Second })
	w := newWire(wireConfig{BotToken: s.BotToken(), APIURL: strings.TrimSuffix(s.URL(), "/"), PerSecond: 1000})
	var all []string
	for n := range 3 {
		all = append(all, s.AddChannel(slacktest.Channel{Name: fmt.Sprint("wing", n), Members: []string{s.Bot()}}))
	}
	say := func(channel string) error {
		return w.call(t.Context(), methodPost, channel, func(ctx context.Context) error {
			_, _, err := w.api.PostMessageContext(ctx, channel, api.MsgOptionText("hallo", false))
			return err
		})
	}
	var posting sync.WaitGroup
	for _, channel := range all {
		for range 3 {
			posting.Go(func() {
				if err := say(channel); err != nil {
					t.Error(err)
				}
			})
		}
	}
	posting.Wait()
	s.Fail(1, methodPost, all[0], slacktest.Limited("30"))
	if err := say(all[0]); !errors.Is(err, errLimited) || !later(err) {
		t.Error(err)
	}
	before := s.Calls(methodPost)
	if err := say(all[0]); !errors.Is(err, errLimited) || s.Calls(methodPost) != before {
		t.Errorf("%v: the limit is not kept", err)
	}
	if err := say(all[1]); err != nil {
		t.Error(err)
	}
	for _, e := range s.Journal() {
		if e.Kind == slacktest.KindRequest && e.Status == http.StatusTooManyRequests && e.Channel != all[0] {
			t.Errorf("a limit in %s", e.Channel)
		}
	}
	if n := len(s.Channel(all[0])); n != 3 {
		t.Errorf("%d messages", n)
	}
}
