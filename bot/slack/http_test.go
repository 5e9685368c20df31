package slack

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot/slack/slacktest"
)

const signingSecret = "sh-secret"

// request is one as Slack sends it; tests spoil it.
type request struct {
	method, media, body, path string
	secret                    string
	at                        time.Time
	header                    map[string]string
}

func event1(text string) string {
	b, _ := json.Marshal(text)
	return `{"type":"event_callback","event_id":"E1","team_id":"T1","event":{"type":"message","channel_type":"im","channel":"D1","user":"U1","ts":"1.1","text":` + string(b) + `}}`
}

func signed(body string) request {
	media := "application/json"
	if !strings.HasPrefix(body, "{") {
		media = formType
	}
	return request{method: http.MethodPost, media: media, body: body, path: "/slack", secret: signingSecret, at: time.Now()}
}

func (q request) send(t *testing.T, s *httptest.Server) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), q.method, s.URL+q.path, strings.NewReader(q.body))
	if err != nil {
		t.Fatal(err)
	}
	stamp := strconv.FormatInt(q.at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(q.secret))
	fmt.Fprintf(mac, "v0:%s:%s", stamp, q.body)
	r.Header.Set("Content-Type", q.media)
	r.Header.Set("X-Slack-Request-Timestamp", stamp)
	r.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
	for k, v := range q.header {
		if v == "" {
			r.Header.Del(k)
		} else {
			r.Header.Set(k, v)
		}
	}
	resp, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

// served runs an intake with the HTTP transport, until the test ends.
func served(t *testing.T, k *intake, handle func(context.Context, inbound)) (*hooks, *httptest.Server) {
	t.Helper()
	h := newHooks(signingSecret, k)
	s := httptest.NewServer(h)
	running(t, k, handle, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	t.Cleanup(s.Close)
	return h, s
}

// running runs an intake until the test ends, or until stop is called, which waits.
func running(t *testing.T, k *intake, handle func(context.Context, inbound), carry func(context.Context) error) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	open := make(chan struct{})
	go func() {
		ended <- k.serve(ctx, handle, func(ctx context.Context) error { close(open); return carry(ctx) })
	}()
	<-open
	var err error
	var done bool
	stop = func() error {
		cancel()
		if !done {
			err, done = <-ended, true
		}
		return err
	}
	t.Cleanup(func() { stop() })
	return stop
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// Only what Slack signed not long ago is taken. A refusal says nothing, and that it is of no use to send it again.
func TestSignatures(t *testing.T) {
	var handled atomic.Int64
	h, s := served(t, newIntake(nil, quiet()), func(context.Context, inbound) { handled.Add(1) })
	for name, c := range map[string]struct {
		spoil  func(*request)
		status int
	}{
		"as Slack does it":            {func(q *request) {}, 200},
		"a little before":             {func(q *request) { q.at = q.at.Add(-4 * time.Minute) }, 200},
		"a little later":              {func(q *request) { q.at = q.at.Add(4 * time.Minute) }, 200},
		"too old":                     {func(q *request) { q.at = q.at.Add(-6 * time.Minute) }, 401},
		"from the future":             {func(q *request) { q.at = q.at.Add(6 * time.Minute) }, 401},
		"another secret":              {func(q *request) { q.secret = "x" }, 401},
		"no secret":                   {func(q *request) { q.secret = "" }, 401},
		"no signature":                {func(q *request) { q.header = map[string]string{"X-Slack-Signature": ""} }, 401},
		"a signature of another kind": {func(q *request) { q.header = map[string]string{"X-Slack-Signature": "v1=00"} }, 401},
		"half a signature":            {func(q *request) { q.header = map[string]string{"X-Slack-Signature": "v0=abcd"} }, 401},
		"no time":                     {func(q *request) { q.header = map[string]string{"X-Slack-Request-Timestamp": ""} }, 401},
		"a time that is none":         {func(q *request) { q.header = map[string]string{"X-Slack-Request-Timestamp": "soon"} }, 401},
		"another time than was signed": {func(q *request) {
			q.header = map[string]string{"X-Slack-Request-Timestamp": strconv.FormatInt(time.Now().Unix()+1, 10)}
		}, 401},
		"a command in the address":      {func(q *request) { q.path, q.body, q.media = "/slack?payload=%7B%7D&command=%2Fx", "a=b", formType }, 400},
		"signed nonsense":               {func(q *request) { q.body = "<html>" }, 400},
		"asked for":                     {func(q *request) { q.method, q.body = http.MethodGet, "" }, 405},
		"too large":                     {func(q *request) { q.body = event1(strings.Repeat("x", maxBody)) }, 413},
		"as large as it may be, nearly": {func(q *request) { q.body = event1(strings.Repeat("x", maxBody-1000)) }, 200},
	} {
		q := signed(event1("hallo"))
		c.spoil(&q)
		before := handled.Load()
		resp, body := q.send(t, s)
		if resp.StatusCode != c.status {
			t.Errorf("%s: status %d", name, resp.StatusCode)
		}
		if taken := handled.Load() > before; taken != (c.status == 200) {
			t.Errorf("%s: handled %v", name, taken)
		}
		if refused := c.status != 200; refused != (resp.Header.Get("X-Slack-No-Retry") == "1") || refused && body != http.StatusText(c.status)+"\n" {
			t.Errorf("%s: %q", name, body)
		}
	}
	if got := h.health(); got.Refused != 10 || got.Odd != 2 || got.Taken != 4 {
		t.Errorf("%+v", got)
	}
	empty := httptest.NewServer(newHooks("", newIntake(nil, quiet())))
	defer empty.Close()
	q := signed(event1("x"))
	q.secret = ""
	if resp, _ := q.send(t, empty); resp.StatusCode != 401 {
		t.Error("without a secret everything is taken")
	}
}

func TestChallengeAndCertificate(t *testing.T) {
	_, s := served(t, newIntake(nil, quiet()), func(context.Context, inbound) { t.Error("handled") })
	q := signed(`{"type":"url_verification","challenge":"c<h>"}`)
	if resp, body := q.send(t, s); resp.StatusCode != 200 || body != "c<h>" || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") {
		t.Errorf("%d %q", resp.StatusCode, body)
	}
	q.secret = "x"
	if resp, body := q.send(t, s); resp.StatusCode != 401 || strings.Contains(body, "c<h>") {
		t.Errorf("%d %q", resp.StatusCode, body)
	}
	q = signed("ssl_check=1&token=x")
	q.secret = "x"
	if resp, body := q.send(t, s); resp.StatusCode != 200 || body != "" {
		t.Errorf("%d %q", resp.StatusCode, body)
	}
}

// What came in is answered with what the handler says, and comes again with its number.
func TestAnswersOverHTTP(t *testing.T) {
	seen := make(chan inbound, 10)
	_, s := served(t, newIntake(nil, quiet()), func(_ context.Context, in inbound) {
		seen <- in
		if in.Kind == kindInteraction {
			if err := in.Answer(json.RawMessage(`{"response_action":"clear"}`)); err != nil {
				t.Error(err)
			}
			if err := in.Answer(nil); !errors.Is(err, errAnswered) {
				t.Error(err)
			}
		}
	})
	q := signed("payload=" + url.QueryEscape(`{"type":"view_submission","user":{"id":"U1"},"view":{"id":"V1"}}`))
	if resp, body := q.send(t, s); resp.StatusCode != 200 || body != `{"response_action":"clear"}` || !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		t.Errorf("%d %q", resp.StatusCode, body)
	}
	if in := <-seen; in.Interaction.View.ID != "V1" {
		t.Error("the form is lost")
	}
	q = signed(event1("hallo"))
	q.header = map[string]string{"X-Slack-Retry-Num": "2", "X-Slack-Retry-Reason": "http_timeout"}
	if resp, body := q.send(t, s); resp.StatusCode != 200 || body != "" {
		t.Errorf("%d %q", resp.StatusCode, body)
	}
	if in := <-seen; in.Attempt != 2 || in.Reason != "http_timeout" || string(in.Event.Message.Text) != "hallo" || time.Since(in.At) > time.Minute {
		t.Error("it is not told that it comes again")
	}
	for header, want := range map[string]int{"1": 1, "-1": 0, "x": 0, "99999999": 0, "": 0} {
		if got := attempt(header); got != want {
			t.Errorf("%q: %d", header, got)
		}
	}
}

// A handler that takes long is waited for until just before Slack shows an error; what is shown then says that it goes on.
func TestSlowHandlerOverHTTP(t *testing.T) {
	k := newIntake(func(in inbound) json.RawMessage {
		if in.Interaction.Type == interactSubmit {
			return json.RawMessage(`{"wait":true}`)
		}
		if in.Kind == kindCommand {
			return bytes.Repeat([]byte("x"), maxAnswer+1)
		}
		if in.Kind == kindEvent {
			panic("hallo")
		}
		return nil
	}, quiet())
	k.within = 50 * time.Millisecond
	free := make(chan struct{})
	late := make(chan error, 10)
	_, s := served(t, k, func(_ context.Context, in inbound) {
		<-free
		late <- in.Answer(json.RawMessage(`{"late":true}`))
	})
	for body, want := range map[string]string{
		"payload=" + url.QueryEscape(`{"type":"view_submission","user":{"id":"U1"}}`): `{"wait":true}`,
		"payload=" + url.QueryEscape(`{"type":"block_actions","user":{"id":"U2"}}`):   "",
		"command=%2Fweerklank&user_id=U3":                                             "",
		event1("hallo"):                                                               "",
	} {
		if resp, got := signed(body).send(t, s); resp.StatusCode != 200 || got != want {
			t.Errorf("%d %q", resp.StatusCode, got)
		}
	}
	close(free)
	for range 4 {
		if err := <-late; !errors.Is(err, errAnswered) {
			t.Error(err)
		}
	}
	await(t, "the count", func() bool { return k.health().Late == 4 })
	if h := k.health(); h.Panics != 1 || h.Unsent != 0 {
		t.Errorf("%+v", h)
	}
}

// An answer that Slack would drop is refused, and a smaller one is taken then.
func TestLargeAnswer(t *testing.T) {
	_, s := served(t, newIntake(nil, quiet()), func(_ context.Context, in inbound) {
		if err := in.Answer(bytes.Repeat([]byte("1"), maxAnswer+1)); !errors.Is(err, errLarge) {
			t.Error(err)
		}
		if err := in.Answer(bytes.Repeat([]byte("1"), maxAnswer)); err != nil {
			t.Error(err)
		}
	})
	if resp, got := signed("command=%2Fweerklank&user_id=U3").send(t, s); resp.StatusCode != 200 || len(got) != maxAnswer {
		t.Errorf("%d, %d bytes", resp.StatusCode, len(got))
	}
}

// What cannot be taken now is sent again by Slack: before the start, after the end, and when too much waits. A handler that
// panics holds up nothing and shows nothing.
func TestNotNow(t *testing.T) {
	var out bytes.Buffer
	k := newIntake(nil, slog.New(slog.NewTextHandler(&out, nil)))
	s := httptest.NewServer(newHooks(signingSecret, k))
	defer s.Close()
	now := func(want int) {
		t.Helper()
		resp, _ := signed(event1("hallo")).send(t, s)
		if resp.StatusCode != want || resp.Header.Get("X-Slack-No-Retry") != "" {
			t.Errorf("%d", resp.StatusCode)
		}
	}
	now(503)
	free := make(chan struct{})
	stop := running(t, k, func(_ context.Context, in inbound) {
		if string(in.Event.Message.Text) == "panic" {
			panic("hallo")
		}
		<-free
	}, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	if resp, _ := signed(event1("panic")).send(t, s); resp.StatusCode != 200 {
		t.Error(resp.StatusCode)
	}
	k.within = time.Millisecond
	k.events.limit = 3
	now(200)
	now(200)
	now(200)
	now(503)
	close(free)
	if err := stop(); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	now(503)
	if h := k.health(); h.Waiting != 0 || h.Full != 1 || h.Panics != 1 {
		t.Errorf("%+v", h)
	}
	if strings.Contains(out.String(), "hallo") || !strings.Contains(out.String(), "handler failed") {
		t.Error("the log holds what it should not, or not what it should")
	}
}

// The whole way over HTTP, at a workspace for tests.
func TestEverythingOverHTTP(t *testing.T) {
	s := slacktest.Start(t, slacktest.Options{})
	l := linkTo(t, s)
	h := newHooks(s.SigningSecret(), l.k)
	at := httptest.NewServer(h)
	defer at.Close()
	s.Deliver(&slacktest.Target{Events: at.URL + "/slack/events", Interactions: at.URL + "/slack/interactions", Commands: at.URL + "/slack/commands"})
	s.TypeDirect(l.ann, "geheim te vroeg")
	s.Await("that it is refused", func() bool { return s.Count(slacktest.KindCallback, "message") == 2 })
	running(t, l.k, func(_ context.Context, in inbound) {
		l.mu.Lock()
		l.seen = append(l.seen, in)
		l.mu.Unlock()
		switch {
		case in.Interaction.Type == interactShortcut:
			modal(t, l, in)
		case in.Interaction.Type == interactSubmit:
			in.Answer(json.RawMessage(`{"response_action":"errors","errors":{"b":"korter"}}`))
		case in.Kind == kindCommand:
			in.Answer(json.RawMessage(`{"text":"hulp"}`))
		}
	}, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	s.Advance(2 * time.Minute)
	s.Settle()
	wing := s.AddChannel(slacktest.Channel{Name: "wing", Members: []string{l.ann, s.Bot()}})
	if r := s.Command(l.ann, wing, "/weerklank help"); r.Err != "" || r.Response == nil || r.Response.Text != "hulp" {
		t.Errorf("%+v", r)
	}
	if r := s.GlobalShortcut(l.ann, "open"); r.Err != "" || r.Modal == nil {
		t.Errorf("%+v", r)
	}
	if r := s.SubmitModal(l.ann, map[string]any{"Tekst": "lang"}); r.Err != "" || r.Errors["Tekst"] != "korter" {
		t.Errorf("%+v", r)
	}
	s.TypeDirect(l.ann, "geheim")
	s.Settle()
	for sig, want := range map[slacktest.Signature]int{
		slacktest.SignSame: 200, slacktest.SignGood: 200, slacktest.SignNone: 401, slacktest.SignNoTime: 401, slacktest.SignWrong: 401, slacktest.SignForged: 401,
		slacktest.SignStale: 401, slacktest.SignFuture: 401, slacktest.SignBadTime: 401, slacktest.SignGarbage: 401,
	} {
		if a := s.Resend(sig); a.Status != want {
			t.Errorf("signature %d: status %d", sig, a.Status)
		}
	}
	if !s.Verify(at.URL) || s.CheckSSL(at.URL).Status != 200 {
		t.Error("the address is not ours")
	}
	typed := l.typed()
	if typed["geheim te vroeg"] != 1 || typed["geheim"] != 3 || l.seen[0].Attempt == 0 { // a replay has the same key
		t.Error(typed)
	}
	l.sound()
}
