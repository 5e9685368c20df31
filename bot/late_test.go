package bot_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
)

// through builds the bot anew on another store and chat, which wrap the real ones.
func (w *world) through(s bot.Store, c bot.Chat) {
	w.t.Helper()
	o := w.o
	o.Store, o.Keys, o.Chats = s, w.keys, []bot.Chat{c}
	var err error
	if w.bot, err = bot.New(o); err != nil {
		w.t.Fatal(err)
	}
	w.fake.Use(w.bot.Handle)
}

// castFails is the real store, but as many writes of replies as pass says succeed, and then one is cut off.
type castFails struct {
	bot.Store
	pass int
}

func (c *castFails) Cast(ctx context.Context, round bot.RoundID, at bot.Address, edit func(bot.Slip) (bot.Slip, error)) error {
	if c.pass--; c.pass == -1 {
		return context.DeadlineExceeded
	}
	return c.Store.Cast(ctx, round, at, edit)
}

// Cut off between an answer's effect and the mark that it was given, the same words come again: the number that chose how
// to share is no tag. What was not committed is not confirmed (TRUST D14).
func TestCutOffBetweenEffectAndMark(t *testing.T) {
	for pass := range 3 {
		s := newScene(t)
		s.do(typed(0, "woorden", "a"))
		s.through(&castFails{s.db, pass}, s.fake)
		choice := bot.DirectReply{From: s.from(10), Text: "2", Message: "b"}
		r, err := s.fake.Send(context.Background(), choice)
		if pass == 0 && (err == nil || strings.Contains(plain(r), "Bewaard")) {
			t.Errorf("before the first write: confirmed with %q, %v", plain(r), err)
		}
		s.through(s.db, s.fake)
		if got := s.send(choice); !strings.Contains(got, "Bewaard, zonder naam") || s.ballots() != 1 {
			t.Errorf("after %d writes, again: %q, %d ballots", pass, got, s.ballots())
		}
		if _, tally := s.rest(); tally.Tagged != 0 || tally.Respondents != 7 {
			t.Errorf("after %d writes: %+v", pass, tally)
		}
	}
}

// A tag that comes again after a newer one that takes its place does not come back.
func TestAnOlderTagStaysAway(t *testing.T) {
	for _, tc := range []struct{ older, newer string }{{"quality-speed", "none"}, {"none", "quality-speed"}, {"none", "unknown"}} {
		s := newScene(t)
		s.do(typed(0, "woorden", "a"), typed(1, "2", "b"), pressed(10, "tag", tc.older), pressed(20, "tag", tc.newer), pressed(10, "tag", tc.older))
		_, tally := s.rest()
		got := map[string]int{"none": tally.None, "unknown": tally.Unknown, "quality-speed": tally.Tags["quality-speed"]}
		if got[tc.older] != 0 || got[tc.newer] != 1 {
			t.Errorf("%s, then %s, then the first again: %v", tc.older, tc.newer, got)
		}
	}
}

// Words of just before an opening, by a clock that is behind, belong to the round; older ones do not.
func TestClocksDifferALittle(t *testing.T) {
	s := newScene(t)
	opens := int(s.r.Opens.Sub(s.T).Seconds())
	if got := s.do(typed(opens-3*60, "van daarvoor", "a")); !strings.Contains(got, "Deze ronde is dicht") {
		t.Errorf("three minutes before the opening: %q", got)
	}
	if got := s.do(typed(opens-60, "op tijd", "b")); !strings.Contains(got, "nog niet bewaard") {
		t.Errorf("a minute before the opening: %q", got)
	}
}

// "It is there", typed and delivered again, settles no other post than it did.
func TestTypedAnswerSettlesOnePost(t *testing.T) {
	for _, words := range []string{"staat er", "staat er niet"} {
		s := newScene(t)
		ctx := context.Background()
		state := func() string {
			var out []string
			for _, step := range []string{"prompt", "reminder"} {
				p, err := s.db.Post(ctx, bot.PostID(string(s.r.ID)+"/"+step))
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, fmt.Sprint(p.State, p.Key))
			}
			return strings.Join(out, " ")
		}
		for _, step := range []string{"prompt", "reminder"} {
			id := bot.PostID(string(s.r.ID) + "/" + step)
			if _, err := s.db.Post(ctx, id); err != nil {
				if err := s.db.Queue(ctx, bot.Post{ID: id, Key: string(id), Team: crew, State: bot.PostQueued, After: s.r.Opens}); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.db.UpdatePost(ctx, id, func(p *bot.Post) (bot.Also, error) { p.State = bot.PostUncertain; return bot.Also{}, nil }); err != nil {
				t.Fatal(err)
			}
		}
		answer := func(at int) bot.Event {
			f := s.fake.From("p1", "")
			f.At = s.T.Add(time.Duration(at) * time.Second)
			return bot.DirectReply{From: f, Text: bot.ReplyText(words), Message: fmt.Sprint("m", at)}
		}
		first := answer(10)
		said := s.send(first)
		want := state()
		for range 3 {
			if got := s.send(first); got != said || state() != want {
				t.Errorf("%q again: %q, %s, want %s", words, got, state(), want)
			}
		}
		if s.send(answer(20)); strings.Contains(state(), string(bot.PostUncertain)) {
			t.Errorf("a second answer settled nothing: %s", state())
		}
	}
}

// An older vote that comes again tells the one that counts.
func TestAnOlderVoteTellsTheNewer(t *testing.T) {
	w := newWorld(t, func(o *bot.Options) { o.Activation = "announced" })
	defer w.close()
	w.switchOn(crew, nil)
	s := &scene{world: w, t: t, r: w.votes(bot.RoundJoin)[0], T: w.fake.Now()}
	s.do(pressed(1, "vote", "yes"))
	newer := s.do(pressed(2, "vote", "no"))
	if got := s.do(pressed(1, "vote", "yes")); got != newer {
		t.Errorf("%q, want %q", got, newer)
	}
}
