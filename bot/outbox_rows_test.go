package bot_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

// queued puts a message for the crew into the outbox.
func (w *world) queued(p bot.Post) {
	w.t.Helper()
	p.Team, p.State, p.Key = crew, bot.PostQueued, "key-"+string(p.ID)
	p.Message = bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{bot.Note(string(p.ID))}}
	if err := w.db.Queue(context.Background(), p); err != nil {
		w.t.Fatal(err)
	}
}

// row is what the store holds of a message.
func (w *world) row(id bot.PostID) bot.Post {
	w.t.Helper()
	p, err := w.db.Post(context.Background(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// slowLook is the real store, but the first look at what is pending comes back late.
type slowLook struct {
	bot.Store
	looks        atomic.Int32
	read, resume chan struct{}
}

func (s *slowLook) Pending(ctx context.Context, now time.Time, limit int) ([]bot.Post, time.Time, error) {
	posts, next, err := s.Store.Pending(ctx, now, limit)
	if s.looks.Add(1) == 1 {
		close(s.read)
		<-s.resume
	}
	return posts, next, err
}

// What was pending a moment ago may have been sent since: what counts is the row when its turn comes (TRUST D1).
func TestAStaleLookSendsNothingTwice(t *testing.T) {
	w := newWorld(t, nil)
	defer w.close()
	w.fake.Forget(-1) // a platform that drops no repeats
	slow := &slowLook{Store: w.db, read: make(chan struct{}), resume: make(chan struct{})}
	o := w.o
	o.Store, o.Keys, o.Chats = slow, w.keys, []bot.Chat{w.fake}
	b, err := bot.New(o)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	w.queued(bot.Post{ID: "r/prompt", After: now})
	stale := make(chan error)
	go func() { _, err := b.Send(context.Background(), now); stale <- err }()
	<-slow.read
	if _, err := b.Send(context.Background(), now); err != nil {
		t.Fatal(err)
	}
	close(slow.resume)
	if err := <-stale; err != nil {
		t.Fatal(err)
	}
	if n := len(w.fake.Posts(crew)); n != 1 || w.row("r/prompt").State != bot.PostSent {
		t.Errorf("it stands there %d times; %s", n, w.row("r/prompt").State)
	}
}

// Whom a private message was for is forgotten once it has left or failed, and kept while that is unknown.
func TestARowForgetsWhoItWasFor(t *testing.T) {
	for name, tc := range map[string]struct {
		err   error
		state bot.PostState
		to    bot.ActorID
	}{
		"sent":      {nil, bot.PostSent, ""},
		"refused":   {errors.New("no such conversation"), bot.PostFailed, ""},
		"left":      {bot.ErrGone, bot.PostFailed, ""},
		"uncertain": {bot.ErrUncertain, bot.PostUncertain, "fake:p1"},
	} {
		w := newWorld(t, nil)
		w.fake.SetFault(func(string, bot.TeamID) (error, bool) { return tc.err, tc.err == nil })
		now := time.Now()
		w.queued(bot.Post{ID: "ask", To: "fake:p1", After: now})
		for i := range 3 {
			w.bot.Send(context.Background(), now.Add(time.Duration(i)*2*time.Minute))
		}
		if p := w.row("ask"); p.State != tc.state || p.To != tc.to {
			t.Errorf("%s: %s, to %q", name, p.State, string(p.To))
		}
		w.close()
	}
}
