package chattest

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

// Harness is one adapter under test, with a channel that has people in it.
type Harness struct {
	Chat   bot.Chat
	Team   bot.TeamID                                                     // a channel the bot is in
	Gone   bot.TeamID                                                     // a channel that does not exist
	Member string                                                         // somebody in Team who manages nothing
	Boss   string                                                         // somebody who manages Team
	Reopen func(*testing.T) bot.Chat                                      // the same platform after a restart, to which Type and Change go from then on; nil: not kept
	Missed bool                                                           // after a restart the adapter catches up with what was not handled; needs Reopen
	Type   func(ctx context.Context, person, text string) (string, error) // a direct message, as that person
	Change func(ctx context.Context, person, message, text string) error  // edits or, with no text, deletes it
	Late   func(*testing.T)                                               // from now on requests are finished only after their caller gave up; nil: that cannot be
	Pass   func(time.Duration)                                            // lets time go by, for the platform too; needed if Settles is not zero
	Stands func(text string) int                                          // how many messages of Team hold a text; nil: not visible
	Revoke func(*testing.T)                                               // takes the bot's token away, for good; nil: there is none
	Page   func(person string) string                                     // what somebody sees of Team, as raw output; nil: not visible
	Shows  func(png []byte) bool                                          // whether Team holds that picture; nil: not visible
	Log    func() string                                                  // what was logged; nil: nothing is
}

// Run runs the contract that every adapter keeps.
func Run(t *testing.T, open func(*testing.T) Harness) {
	for name, part := range map[string]func(*testing.T, Harness){
		"a key posts once": keyOnce, "an attempt that was given up": givenUp, "a refused token": revoked, "gone channels": gone, "edits and deletions": versions, "catches up after a restart": restart, "people": people, "hostile text is inert": inert, "pictures": pictures,
		"run ends with its context": ends, "nothing of people in the log": quiet,
	} {
		t.Run(name, func(t *testing.T) { part(t, open(t)) })
	}
}

func hello(text string) bot.Message {
	return bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{{Kind: bot.BlockText, Spans: []bot.Span{{Text: text}}}}}
}

func keyOnce(t *testing.T, h Harness) {
	first, err := h.Chat.Post(t.Context(), h.Team, hello("een"), "", "key-1")
	if err != nil || first == "" {
		t.Fatalf("%q %v", first, err)
	}
	again, err := h.Chat.Post(t.Context(), h.Team, hello("een"), "", "key-1")
	if err != nil || again != first {
		t.Errorf("the same key gave %q, then %q (%v)", first, again, err)
	}
	other, err := h.Chat.Post(t.Context(), h.Team, hello("twee"), first, "key-2")
	if err != nil || other == first {
		t.Errorf("another key gave the same post (%v)", err)
	}
	chat := h.Chat
	if h.Reopen != nil {
		chat = h.Reopen(t)
		if again, err := chat.Post(t.Context(), h.Team, hello("een"), "", "key-1"); err != nil || again != first {
			t.Errorf("after a restart the same key gave %q, first %q (%v)", again, first, err)
		}
	}
	if f, ok := chat.(bot.Finder); ok {
		if ref, err := f.Find(t.Context(), h.Team, "key-2", time.Now()); err != nil || ref != other {
			t.Errorf("found %q, want %q (%v)", ref, other, err)
		}
		if _, err := f.Find(t.Context(), h.Team, "key-3", time.Now()); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("found what was never posted: %v", err)
		}
	}
	if e, ok := chat.(bot.Editor); ok {
		if err := e.Edit(t.Context(), h.Team, first, hello("anders")); err != nil {
			t.Error(err)
		}
		if err := e.Edit(t.Context(), h.Team, "nothing", hello("x")); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("edited what is not there: %v", err)
		}
	}
}

// givenUp holds what the outbox builds on (TRUST 8, D3): once Settles has passed since an attempt began, what Find says is
// true and stays true, whatever became of the attempt; and a repeat after "not there" leaves one message.
func givenUp(t *testing.T, h Harness) {
	f, ok := h.Chat.(bot.Finder)
	if !ok || h.Stands == nil {
		return
	}
	window := f.Settles()
	if window < 0 || window > 10*time.Minute {
		t.Errorf("an attempt settles in %v", window)
	}
	if h.Late != nil {
		h.Late(t)
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := h.Chat.Post(ctx, h.Team, hello("opgegeven"), "", "key-late")
	var retry *bot.RetryError
	never := errors.As(err, &retry) // it says that nothing was posted
	if h.Late != nil && never {
		t.Errorf("what may still land is called not posted: %v", err)
	}
	pass := func(until time.Time) {
		if wait := time.Until(until); wait > 0 && h.Pass != nil {
			h.Pass(wait)
		}
	}
	find := func() (ref bot.Ref, err error) {
		for range 10 {
			var early *bot.RetryError
			if ref, err = f.Find(t.Context(), h.Team, "key-late", began); !errors.As(err, &early) {
				return ref, err
			}
			pass(time.Now().Add(early.After))
		}
		return ref, err
	}
	pass(began.Add(window))
	ref, err := find()
	switch {
	case err == nil && (h.Stands("opgegeven") != 1 || never):
		t.Errorf("found %q, and %d stand there", ref, h.Stands("opgegeven"))
	case errors.Is(err, bot.ErrNotFound):
		if ref, err = h.Chat.Post(t.Context(), h.Team, hello("opgegeven"), "", "key-late"); err != nil || ref == "" {
			t.Errorf("a repeat: %v", err)
		}
	case err != nil:
		t.Errorf("looking up: %v", err)
	}
	pass(time.Now().Add(window))
	if n := h.Stands("opgegeven"); n != 1 {
		t.Errorf("%d stand there in the end", n)
	}
}

// revoked holds that a token that is refused is told apart from everything that is about one channel, and posts nothing.
func revoked(t *testing.T, h Harness) {
	if h.Revoke == nil {
		return
	}
	ref, err := h.Chat.Post(t.Context(), h.Team, hello("eerst"), "", "key-before")
	if err != nil {
		t.Fatal(err)
	}
	h.Revoke(t)
	calls := map[string]func() error{
		"post": func() error {
			_, err := h.Chat.Post(t.Context(), h.Team, hello("geweigerd"), "", "key-revoked")
			return err
		},
	}
	if e, ok := h.Chat.(bot.Editor); ok {
		calls["edit"] = func() error { return e.Edit(t.Context(), h.Team, ref, hello("geweigerd")) }
	}
	if f, ok := h.Chat.(bot.Finder); ok {
		calls["find"] = func() error {
			_, err := f.Find(t.Context(), h.Team, "key-before", time.Now())
			return err
		}
	}
	if p, ok := h.Chat.(bot.People); ok {
		calls["count"] = func() error {
			_, err := p.Count(t.Context(), h.Team)
			return err
		}
	}
	for what, call := range calls {
		if err := call(); !errors.Is(err, bot.ErrUnauthorised) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if h.Stands != nil && h.Stands("geweigerd") != 0 {
		t.Error("something was posted all the same")
	}
}

func gone(t *testing.T, h Harness) {
	if h.Gone == "" {
		return
	}
	if _, err := h.Chat.Post(t.Context(), h.Gone, hello("x"), "", "k"); !errors.Is(err, bot.ErrGone) {
		t.Errorf("posting: %v", err)
	}
	if p, ok := h.Chat.(bot.People); ok {
		if _, err := p.Count(t.Context(), h.Gone); !errors.Is(err, bot.ErrGone) {
			t.Errorf("counting: %v", err)
		}
	}
}

// run runs a chat until stop, and returns once it takes messages: the first one that gets through says so.
func run(t *testing.T, h Harness, handle bot.Handler) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.Chat.Run(ctx, handle) }()
	for range 500 {
		if _, err := h.Type(ctx, h.Member, hallo); err == nil {
			break
		}
		select {
		case <-ctx.Done():
		case <-time.After(5 * time.Millisecond):
		}
	}
	return func() {
		cancel()
		select {
		case err := <-done:
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		case <-time.After(time.Second):
			t.Error("Run did not return within a second")
		}
	}
}

const hallo = "hallo"

// listen runs the chat and hands out what it delivers.
func listen(t *testing.T, h Harness, answer func(bot.Event) bot.Response) (events func() []bot.Event, stop func()) {
	t.Helper()
	got := make(chan bot.Event, 100)
	stop = run(t, h, func(_ context.Context, e bot.Event) (bot.Response, error) {
		got <- e
		return answer(e), nil
	})
	events = func() (all []bot.Event) {
		for {
			select {
			case e := <-got:
				all = append(all, e)
			case <-time.After(50 * time.Millisecond):
				return all
			}
		}
	}
	events()
	return events, stop
}

// restart holds that what was said and not handled is delivered once more after a restart, in order, before anything
// new, with its own key, message and time; and that what was handled is not.
func restart(t *testing.T, h Harness) {
	if h.Reopen == nil || !h.Missed {
		return
	}
	type call struct{ what, text, key, message, at string }
	describe := func(e bot.Event) call {
		switch e := e.(type) {
		case bot.DirectReply:
			what := "said"
			if e.Edited {
				what = "edited"
			}
			return call{what, string(e.Text), e.Key, e.Message, e.At.UTC().Format(time.RFC3339Nano)}
		case bot.ReplyWithdrawn:
			return call{"deleted", "", e.Key, e.Message, e.At.UTC().Format(time.RFC3339Nano)}
		}
		t.Errorf("%T", e)
		return call{}
	}
	var failing atomic.Bool
	var behind atomic.Int32 // how much is still to be caught up with
	calls := make(chan call, 100)
	handle := func(_ context.Context, e bot.Event) (bot.Response, error) {
		switch c := describe(e); {
		case c.text != hallo:
			calls <- c
			behind.Add(-1)
		case behind.Load() > 0: // said from the first moment of the restart on
			t.Errorf("something new came before %d that were missed (TRUST D16)", behind.Load())
		}
		if failing.Load() {
			return bot.Response{}, errors.New("the store takes nothing")
		}
		m := hello("ja")
		return bot.Response{Message: &m}, nil
	}
	next := func() call {
		t.Helper()
		select {
		case c := <-calls:
			return c
		case <-time.After(5 * time.Second):
			t.Fatal("a message was not delivered")
			return call{}
		}
	}
	say := func(text string) (string, call) {
		t.Helper()
		id, err := h.Type(t.Context(), h.Member, text)
		if err != nil {
			t.Fatal(err)
		}
		return id, next()
	}
	stop := run(t, h, handle)
	say("verwerkt")
	edited, _ := say("eerst")
	deleted, _ := say("gaat weg")
	failing.Store(true) // from here on nothing is handled; a platform that answers later may say nothing of it
	var missed []call
	miss := func() { // an adapter may try what came before again meanwhile
		t.Helper()
		c := next()
		for slices.Contains(missed, c) {
			c = next()
		}
		missed = append(missed, c)
	}
	h.Type(t.Context(), h.Member, "niet verwerkt")
	miss()
	h.Change(t.Context(), h.Member, edited, "later")
	miss()
	h.Change(t.Context(), h.Member, deleted, "")
	miss()
	stop()
	for len(calls) > 0 {
		<-calls
	}

	failing.Store(false)
	h.Chat = h.Reopen(t)
	behind.Store(int32(len(missed)))
	stop = run(t, h, handle)
	for _, want := range missed {
		if got := next(); got != want {
			t.Errorf("after a restart: %q %q, want %q %q as it was first delivered", got.what, got.text, want.what, want.text)
		}
	}
	if _, c := say("nieuw"); c.text != "nieuw" {
		t.Errorf("after a restart %q %q once too often", c.what, c.text)
	}
	stop()
	h.Chat = h.Reopen(t)
	stop = run(t, h, handle)
	defer stop()
	if _, c := say("nog nieuwer"); c.text != "nog nieuwer" {
		t.Errorf("%q %q was handled and came again", c.what, c.text)
	}
}

func versions(t *testing.T, h Harness) {
	events, stop := listen(t, h, func(bot.Event) bot.Response { m := hello("ja"); return bot.Response{Message: &m} })
	defer stop()
	id, err := h.Type(t.Context(), h.Member, "eerste")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Change(t.Context(), h.Member, id, "tweede"); err != nil {
		t.Fatal(err)
	}
	if err := h.Change(t.Context(), h.Member, id, ""); err != nil {
		t.Fatal(err)
	}
	all := events()
	if len(all) != 3 { // and none for the bot's own answers
		t.Fatalf("%d events", len(all))
	}
	first, ok1 := all[0].(bot.DirectReply)
	second, ok2 := all[1].(bot.DirectReply)
	third, ok3 := all[2].(bot.ReplyWithdrawn)
	if !ok1 || !ok2 || !ok3 {
		t.Fatalf("%T %T %T", all[0], all[1], all[2])
	}
	if string(first.Text) != "eerste" || string(second.Text) != "tweede" || !second.Edited || second.Message != first.Message || third.Message != first.Message {
		t.Error("the versions of a message do not belong together")
	}
	if !second.At.After(first.At) || !third.At.After(second.At) || first.Key == second.Key || first.User != second.User {
		t.Error("versions have no order, or one key")
	}
}

func people(t *testing.T, h Harness) {
	p, ok := h.Chat.(bot.People)
	if !ok {
		return
	}
	events, stop := listen(t, h, func(bot.Event) bot.Response { return bot.Response{} })
	defer stop()
	for person, manages := range map[string]bool{h.Member: false, h.Boss: true} {
		if _, err := h.Type(t.Context(), person, "hallo"); err != nil {
			t.Fatal(err)
		}
		e, ok := events()[0].(bot.DirectReply)
		if !ok {
			t.Fatalf("%T", e)
		}
		channels, err := p.Channels(t.Context(), e.User)
		if err != nil || !strings.Contains(strings.Join(names(channels), " "), string(h.Team)) {
			t.Errorf("%v %v", channels, err)
		}
		if got, err := p.Manages(t.Context(), e.User, h.Team); err != nil || got != manages {
			t.Errorf("manages: %v %v", got, err)
		}
		if got, _ := p.Manages(t.Context(), e.User, h.Gone); got {
			t.Error("manages a channel that is not there")
		}
		if err := h.Chat.Direct(t.Context(), e.User, hello("aan jou"), "d-"+person); err != nil {
			t.Error(err)
		}
	}
	n, err := p.Count(t.Context(), h.Team)
	if err != nil || n < 2 {
		t.Errorf("%d people, %v", n, err)
	}
	if roster, ok := h.Chat.(bot.Roster); ok {
		all, err := roster.Names(t.Context(), h.Team)
		if err != nil || len(all) < n || slices.Contains(all, "") {
			t.Errorf("%d names of %d people, %v", len(all), n, err)
		}
	}
}

// pictures holds that a picture stands in the channel, and what it shows in words with it.
func pictures(t *testing.T, h Harness) {
	if h.Shows == nil || h.Stands == nil {
		return
	}
	var raw bytes.Buffer
	if err := encodePNG(&raw); err != nil {
		t.Fatal(err)
	}
	const shows = "Twee spanningen kwamen vaker terug"
	m := hello("Het seizoen")
	m.Blocks = append(m.Blocks, bot.Block{Kind: bot.BlockPicture, PNG: raw.Bytes(), Spans: []bot.Span{{Text: shows}}})
	if _, err := h.Chat.Post(t.Context(), h.Team, m, "", "key-picture"); err != nil {
		t.Fatal(err)
	}
	if !h.Shows(raw.Bytes()) || h.Stands(shows) != 1 {
		t.Error("the picture does not stand there, or nobody says what it shows")
	}
}

func encodePNG(w io.Writer) error {
	p := image.NewGray(image.Rect(0, 0, 3, 2))
	p.SetGray(1, 1, color.Gray{Y: 200})
	return png.Encode(w, p)
}

func names(ids []bot.TeamID) (out []string) {
	for _, id := range ids {
		out = append(out, string(id))
	}
	return out
}

func inert(t *testing.T, h Harness) {
	if h.Page == nil {
		return
	}
	live := []string{"<script>alert(1)</script>", "<img src=x onerror=alert(1)>", `"><svg onload=alert(1)>`, "javascript:alert(1)", "</textarea><script>"}
	m := bot.Message{Lang: prompts.Dutch}
	for _, kind := range []bot.BlockKind{bot.BlockHeading, bot.BlockText, bot.BlockQuote, bot.BlockPoles, bot.BlockList, bot.BlockCode, bot.BlockNote} {
		for _, text := range live {
			m.Blocks = append(m.Blocks, bot.Block{Kind: kind, Spans: []bot.Span{{Text: text, Person: true}, {Text: text}}})
		}
	}
	m.Blocks = append(m.Blocks, bot.Block{Kind: bot.BlockActions, Actions: []bot.Action{{Do: live[0], Arg: live[2], Label: live[1]}}})
	m.Blocks = append(m.Blocks, bot.Block{Kind: bot.BlockQuote, Spans: []bot.Span{{Text: strings.Repeat("x", 10_000), Person: true}}})
	if _, err := h.Chat.Post(t.Context(), h.Team, m, "", "hostile"); err != nil {
		t.Fatal(err)
	}
	page := h.Page(h.Member)
	for _, bad := range []string{"<script>alert", "<img src=x", "<svg onload", `href="javascript:`, "</textarea><script"} {
		if strings.Contains(page, bad) {
			t.Errorf("%q is live on the page", bad)
		}
	}
	if !strings.Contains(page, "alert(1)") {
		t.Error("the text is not on the page at all: the test looks in the wrong place")
	}
}

func ends(t *testing.T, h Harness) {
	_, stop := listen(t, h, func(bot.Event) bot.Response { return bot.Response{} })
	stop()
	if _, err := h.Type(t.Context(), h.Member, "niemand luistert"); err == nil {
		t.Error("a message was taken after Run ended")
	}
}

func quiet(t *testing.T, h Harness) {
	if h.Log == nil {
		return
	}
	_, stop := listen(t, h, func(bot.Event) bot.Response { return bot.Response{} })
	if _, err := h.Type(t.Context(), h.Member, "GEHEIME-TEKST-81"); err != nil {
		t.Fatal(err)
	}
	stop()
	h.Type(t.Context(), h.Member, "GEHEIME-TEKST-82")
	for _, word := range []string{"GEHEIME-TEKST", h.Member} {
		if strings.Contains(h.Log(), word) {
			t.Errorf("the log holds %q", word)
		}
	}
}
