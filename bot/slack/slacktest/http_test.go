package slacktest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"

	"github.com/weerklank/weerklank/bot/slack/slacktest"
)

func TestHTTP(t *testing.T) {
	w := build(t, slacktest.Options{})
	var status, seen atomic.Int32
	var noRetry atomic.Bool
	hold := make(chan struct{})
	var held atomic.Bool
	retries := make(chan string, 100)
	events := make(chan slackevents.EventsAPIEvent, 100)
	app := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		v, err := slack.NewSecretsVerifier(r.Header, w.s.SigningSecret())
		if err == nil {
			_, _ = v.Write(body)
			err = v.Ensure()
		}
		if err != nil {
			rw.WriteHeader(http.StatusUnauthorized)
			return
		}
		if held.Load() {
			<-hold
		}
		seen.Add(1)
		if noRetry.Load() {
			rw.Header().Set("X-Slack-No-Retry", "1")
		}
		if n := status.Load(); n > 0 {
			retries <- r.Header.Get("X-Slack-Retry-Num") + r.Header.Get("X-Slack-Retry-Reason")
			rw.WriteHeader(int(n))
			return
		}
		if r.Header.Get("Content-Type") == "application/json" {
			evt, err := slackevents.ParseEvent(body, slackevents.OptionNoVerifyToken())
			if err != nil {
				t.Errorf("%v", err)
			}
			if evt.Type == slackevents.URLVerification {
				_, _ = io.WriteString(rw, evt.Data.(*slackevents.EventsAPIURLVerificationEvent).Challenge)
				return
			}
			events <- evt
			return
		}
		form, _ := url.ParseQuery(string(body))
		switch {
		case form.Get("ssl_check") == "1":
		case form.Get("command") != "":
			_, _ = io.WriteString(rw, "Gewone tekst voor "+form.Get("user_id"))
		default:
			r.Body = io.NopCloser(strings.NewReader(string(body)))
			in, err := slack.InteractionCallbackParse(r)
			if err != nil {
				t.Errorf("%v", err)
			}
			switch in.Type {
			case slack.InteractionTypeShortcut:
				if _, err := w.c.OpenViewContext(w.ctx, in.TriggerID, form2()); err != nil {
					t.Errorf("%v", err)
				}
			case slack.InteractionTypeViewSubmission:
				rw.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(rw, `{"response_action":"errors","errors":{"b-text":"nee"}}`)
			}
		}
	}))
	defer app.Close()
	w.s.Deliver(&slacktest.Target{Events: app.URL + "/e", Interactions: app.URL + "/i", Commands: app.URL + "/c"})
	w.s.TypeDirect(w.ann, "hallo")
	w.s.Settle()
	if e := <-events; e.InnerEvent.Data.(*slackevents.MessageEvent).Text != "hallo" {
		t.Errorf("%+v", e)
	}
	if r := w.s.Command(w.ann, w.wing, "/weerklank"); r.Response == nil || r.Response.Text != "Gewone tekst voor "+w.ann {
		t.Errorf("%+v", r)
	}
	if r := w.s.GlobalShortcut(w.ann, "x"); r.Modal == nil {
		t.Errorf("%+v", r)
	}
	if r := w.s.SubmitModal(w.ann, map[string]any{"b-text": "x", "b-share": "count"}); r.Errors["Jouw reactie"] != "nee" {
		t.Errorf("%+v", r)
	}
	if !w.s.Verify(app.URL) || w.s.CheckSSL(app.URL).Status != 200 {
		t.Error("no sign of life")
	}
	for sig, want := range map[slacktest.Signature]int{
		slacktest.SignGood: 200, slacktest.SignSame: 200, slacktest.SignNone: 401, slacktest.SignNoTime: 401, slacktest.SignWrong: 401, slacktest.SignForged: 401,
		slacktest.SignStale: 401, slacktest.SignFuture: 401, slacktest.SignBadTime: 401, slacktest.SignGarbage: 401,
	} {
		if a := w.s.Resend(sig); a.Status != want {
			t.Errorf("signature %d: %d", sig, a.Status)
		}
	}
	status.Store(500)
	w.s.TypeDirect(w.ann, "nog eens")
	w.s.Await("two attempts", func() bool { return len(retries) == 2 })
	w.s.Advance(time.Minute)
	w.s.Await("three", func() bool { return len(retries) == 3 })
	status.Store(0)
	w.s.Advance(4 * time.Minute)
	w.s.Settle()
	if a, b, c := <-retries, <-retries, <-retries; a != "" || b != "1http_error" || c != "2http_error" {
		t.Errorf("%q %q %q", a, b, c)
	}
	status.Store(400)
	noRetry.Store(true)
	w.s.TypeDirect(w.ann, "weg")
	w.s.Settle()
	if len(retries) != 1 {
		t.Errorf("%d attempts", len(retries))
	}
	status.Store(0)
	noRetry.Store(false)
	held.Store(true)
	got := make(chan slacktest.Result)
	go func() { got <- w.s.Command(w.ann, w.wing, "/weerklank") }()
	w.s.Await("a question", func() bool { return w.s.Unanswered() == 1 })
	w.s.Lapse()
	close(hold)
	if r := <-got; r.Err != "operation_timeout" {
		t.Errorf("%+v", r)
	}
	app.Close()
	if r := w.s.Command(w.ann, w.wing, "/weerklank"); r.Err != "dispatch_failed" {
		t.Errorf("%+v", r)
	}
}

func form2() slack.ModalViewRequest { return form("Formulier") }

func TestResponseURLs(t *testing.T) {
	w := build(t, slacktest.Options{})
	w.s.Command(w.ann, w.wing, "/weerklank") // nobody answers, and the URL is there
	var to string
	for _, e := range w.s.Journal() {
		if _, rest, ok := strings.Cut(e.Body, `"response_url":"`); ok {
			to, _, _ = strings.Cut(rest, `"`)
		}
	}
	say := func(text string, o ...slack.MsgOption) error {
		return slack.PostWebhookCustomHTTPContext(w.ctx, to, http.DefaultClient, &slack.WebhookMessage{Text: text, ResponseType: "ephemeral"})
	}
	for range 5 {
		w.ok("an answer", say("Antwoord"))
	}
	if err := say("te veel"); err == nil {
		t.Error("used six times")
	}
	if e := w.s.Ephemerals(w.ann); len(e) != 5 || e[0].Text != "Antwoord" {
		t.Errorf("%+v", e)
	}
	w.s.Command(w.ann, w.wing, "/weerklank")
	for _, e := range w.s.Journal() {
		if _, rest, ok := strings.Cut(e.Body, `"response_url":"`); ok {
			to, _, _ = strings.Cut(rest, `"`)
		}
	}
	w.s.Advance(31 * time.Minute)
	if err := say("te laat"); err == nil {
		t.Error("used too late")
	}
}
