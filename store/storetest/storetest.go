// Package storetest has the contract that every store keeps; a change of meaning lands here first.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

// Harness is one store under test.
type Harness struct {
	Store  bot.Store
	Reopen func() bot.Store // closes and opens the same data; nil: the store keeps nothing over a restart
}

var (
	start = time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	team  = bot.TeamID("test:crew")
)

// Run runs the contract; open gives a fresh store for each part and checks its integrity when the part is done.
func Run(t *testing.T, open func(*testing.T) Harness) {
	for name, part := range map[string]func(*testing.T, Harness){
		"one round per team and due moment": planOnce, "moments": moments, "closed boxes": closedBoxes, "one address, one ballot": oneBallot,
		"closing races with replies": race, "failing edits leave nothing": failing, "concurrent edits all count": concurrent,
		"results are copies": copies, "cancelled contexts write nothing": cancelled, "reopening changes nothing": reopening,
		"shelf and receipts": shelf, "outbox": outbox, "agenda": agenda, "the own library": library, "two editors at once": editors, "the names of editors are forgotten": editorsForgotten, "audit": audit, "what scorers are worth": judgements, "a moved team": moved,
	} {
		t.Run(name, func(t *testing.T) { part(t, open(t)) })
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newTeam(t *testing.T, s bot.Store, id bot.TeamID) {
	t.Helper()
	must(t, s.UpdateTeam(t.Context(), id, func(t *bot.Team) (bot.Also, error) {
		t.Name, t.State, t.NextOpens = "crew", bot.TeamOn, start
		return bot.Also{}, nil
	}))
}

// Round makes an open round.
func round(id string, due time.Time) bot.Round {
	return bot.Round{ID: bot.RoundID(id), Team: team, Kind: bot.RoundQuestion, State: bot.RoundOpen, Due: due, Opens: due, Closes: due.AddDate(0, 0, 6), GivesBack: due.AddDate(0, 0, 6).Add(5 * time.Hour), MinReplies: 5}
}

func keep(*bot.Team) (bot.Also, error) { return bot.Also{}, nil }

func planned(t *testing.T, s bot.Store, r bot.Round) {
	t.Helper()
	must(t, s.PlanRound(t.Context(), r, keep))
}

func at(i int) bot.Address { return bot.Address{byte(i >> 8), byte(i), 7} }

func cast(ctx context.Context, s bot.Store, r bot.RoundID, a bot.Address, ballot string) error {
	return s.Cast(ctx, r, a, func(old bot.Slip) (bot.Slip, error) {
		old.Ballot = []byte(ballot)
		return old, nil
	})
}

func planOnce(t *testing.T, h Harness) {
	newTeam(t, h.Store, team)
	var won, lost atomic.Int32
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			due := start.In(time.FixedZone("", i*3600)) // one instant, many zones
			switch err := h.Store.PlanRound(t.Context(), round("r"+strconv.Itoa(i), due), func(t *bot.Team) (bot.Also, error) {
				t.Asked++
				return bot.Also{Posts: []bot.Post{{ID: bot.PostID("p" + strconv.Itoa(i)), Team: team, State: bot.PostQueued, After: start}}}, nil
			}); {
			case err == nil:
				won.Add(1)
			case errors.Is(err, bot.ErrExists):
				lost.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 || lost.Load() != 7 {
		t.Fatalf("%d won, %d lost", won.Load(), lost.Load())
	}
	got, err := h.Store.Team(t.Context(), team)
	must(t, err)
	posts, _, err := h.Store.Pending(t.Context(), start, 10)
	must(t, err)
	if got.Asked != 1 || len(posts) != 1 {
		t.Errorf("asked %d, %d posts: the losers left something", got.Asked, len(posts))
	}
	if err := h.Store.PlanRound(t.Context(), bot.Round{ID: "x", Team: "test:nobody", Due: start}, keep); !errors.Is(err, bot.ErrNotFound) {
		t.Errorf("unknown team: %v", err)
	}
}

func moments(t *testing.T, h Harness) {
	newTeam(t, h.Store, team)
	loc, err := time.LoadLocation("Europe/Amsterdam")
	must(t, err)
	var want []bot.RoundID
	due := time.Date(2026, 3, 10, 10, 0, 0, 0, loc)
	for i := range 40 { // through both changes of the clocks
		id := fmt.Sprintf("r%02d", (i*17)%40)
		planned(t, h.Store, round(id, due))
		want = append(want, bot.RoundID(id))
		due = due.AddDate(0, 0, 7)
	}
	rounds, err := h.Store.Rounds(t.Context(), team)
	must(t, err)
	var got []bot.RoundID
	for _, r := range rounds {
		got = append(got, r.ID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("rounds %v\nwant %v", got, want)
	}
}

func closedBoxes(t *testing.T, h Harness) {
	newTeam(t, h.Store, team)
	planned(t, h.Store, round("open", start))
	if err := cast(t.Context(), h.Store, "nowhere", at(1), "x"); !errors.Is(err, bot.ErrNotFound) {
		t.Errorf("unknown round: %v", err)
	}
	must(t, cast(t.Context(), h.Store, "open", at(1), "x"))
	must(t, h.Store.UpdateRound(t.Context(), "open", func(r *bot.Round, _ *bot.Team) (bot.Also, error) {
		r.State = bot.RoundClosing
		return bot.Also{}, nil
	}))
	if err := cast(t.Context(), h.Store, "open", at(2), "y"); !errors.Is(err, bot.ErrClosed) {
		t.Errorf("closing round: %v", err)
	}
	if _, err := h.Store.Slip(t.Context(), "open", at(1)); !errors.Is(err, bot.ErrClosed) {
		t.Errorf("reading a closing box: %v", err)
	}
	box, err := h.Store.Box(t.Context(), "open")
	must(t, err)
	if len(box) != 1 {
		t.Errorf("%d ballots", len(box))
	}
	release(t, h.Store, "open")
	if err := cast(t.Context(), h.Store, "open", at(1), "z"); !errors.Is(err, bot.ErrClosed) {
		t.Errorf("released round: %v", err)
	}
	if _, err := h.Store.Box(t.Context(), "open"); !errors.Is(err, bot.ErrNotFound) {
		t.Errorf("the box is still there: %v", err)
	}
}

func release(t *testing.T, s bot.Store, id bot.RoundID, replies ...bot.SealedReply) {
	t.Helper()
	must(t, s.Release(t.Context(), id, replies, func(r *bot.Round, _ *bot.Team) (bot.Also, error) {
		r.State = bot.RoundClosed
		return bot.Also{}, nil
	}))
}

func oneBallot(t *testing.T, h Harness) {
	newTeam(t, h.Store, team)
	planned(t, h.Store, round("r", start))
	must(t, cast(t.Context(), h.Store, "r", at(1), "first"))
	must(t, cast(t.Context(), h.Store, "r", at(1), "second"))
	must(t, h.Store.Cast(t.Context(), "r", at(1), func(old bot.Slip) (bot.Slip, error) {
		if string(old.Ballot) != "second" {
			t.Errorf("saw %q", old.Ballot)
		}
		return bot.Slip{Ballot: old.Ballot, Aside: []byte("draft")}, nil
	}))
	must(t, h.Store.Cast(t.Context(), "r", at(2), func(bot.Slip) (bot.Slip, error) { return bot.Slip{Aside: []byte("only a draft")}, nil }))
	box, err := h.Store.Box(t.Context(), "r")
	must(t, err)
	if len(box) != 1 || string(box[0].Sealed) != "second" || box[0].Address != at(1) {
		t.Errorf("box %v", box)
	}
	must(t, h.Store.Cast(t.Context(), "r", at(1), func(bot.Slip) (bot.Slip, error) { return bot.Slip{}, nil }))
	s, err := h.Store.Slip(t.Context(), "r", at(1))
	must(t, err)
	if s.Ballot != nil || s.Aside != nil {
		t.Errorf("withdrawn, and still %v", s)
	}
}

// A reply that meets the closing is in the box that is opened, or refused; never lost.
func race(t *testing.T, h Harness) {
	newTeam(t, h.Store, team)
	planned(t, h.Store, round("r", start))
	var kept atomic.Int32
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			switch err := cast(t.Context(), h.Store, "r", at(i), "x"); {
			case err == nil:
				kept.Add(1)
			case !errors.Is(err, bot.ErrClosed):
				t.Error(err)
			}
		})
		if i == 16 {
			wg.Go(func() {
				if err := h.Store.UpdateRound(t.Context(), "r", func(r *bot.Round, _ *bot.Team) (bot.Also, error) {
					r.State = bot.RoundClosing
					return bot.Also{}, nil
				}); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	box, err := h.Store.Box(t.Context(), "r")
	must(t, err)
	if len(box) != int(kept.Load()) {
		t.Errorf("%d kept, %d in the box", kept.Load(), len(box))
	}
}

func failing(t *testing.T, h Harness) {
	newTeam(t, h.Store, team)
	planned(t, h.Store, round("r", start))
	boom := errors.New("boom")
	must(t, cast(t.Context(), h.Store, "r", at(1), "x"))
	var wg sync.WaitGroup
	for i := range 20 { // failing ones among others that must not suffer
		wg.Go(func() {
			if err := cast(t.Context(), h.Store, "r", at(100+i), "fine"); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			if err := h.Store.Cast(t.Context(), "r", at(200+i), func(bot.Slip) (bot.Slip, error) { return bot.Slip{Ballot: []byte("no")}, boom }); !errors.Is(err, boom) {
				t.Errorf("got %v", err)
			}
		})
	}
	wg.Wait()
	for name, err := range map[string]error{
		"team": h.Store.UpdateTeam(t.Context(), team, func(t *bot.Team) (bot.Also, error) { t.Name = "no"; return bot.Also{}, boom }),
		"round": h.Store.UpdateRound(t.Context(), "r", func(r *bot.Round, t *bot.Team) (bot.Also, error) {
			r.State, t.Name = bot.RoundLost, "no"
			return bot.Also{Posts: []bot.Post{{ID: "no", State: bot.PostQueued}}}, boom
		}),
		"plan":    h.Store.PlanRound(t.Context(), round("r2", start.AddDate(0, 0, 7)), func(*bot.Team) (bot.Also, error) { return bot.Also{}, boom }),
		"release": h.Store.Release(t.Context(), "r", []bot.SealedReply{{ID: "x"}}, func(*bot.Round, *bot.Team) (bot.Also, error) { return bot.Also{}, boom }),
	} {
		if !errors.Is(err, boom) {
			t.Errorf("%s: %v", name, err)
		}
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("a panic was swallowed")
			}
		}()
		h.Store.UpdateTeam(t.Context(), team, func(t *bot.Team) (bot.Also, error) { t.Name = "no"; panic("boom") })
	}()
	got, err := h.Store.Team(t.Context(), team)
	must(t, err)
	r, err := h.Store.Round(t.Context(), "r")
	must(t, err)
	box, err := h.Store.Box(t.Context(), "r")
	must(t, err)
	posts, _, err := h.Store.Pending(t.Context(), start, 10)
	must(t, err)
	if got.Name != "crew" || r.State != bot.RoundOpen || len(box) != 21 || len(posts) != 0 {
		t.Errorf("left behind: %q %s %d ballots %d posts", got.Name, r.State, len(box), len(posts))
	}
	if _, err := h.Store.Round(t.Context(), "r2"); !errors.Is(err, bot.ErrNotFound) {
		t.Errorf("planned all the same: %v", err)
	}
}

func concurrent(t *testing.T, h Harness) {
	newTeam(t, h.Store, team)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if err := h.Store.UpdateTeam(t.Context(), team, func(t *bot.Team) (bot.Also, error) { t.Asked++; return bot.Also{}, nil }); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got, err := h.Store.Team(t.Context(), team)
	must(t, err)
	if got.Asked != 50 {
		t.Errorf("%d of 50 edits count", got.Asked)
	}
}

func copies(t *testing.T, h Harness) {
	newTeam(t, h.Store, team)
	planned(t, h.Store, round("r", start))
	must(t, cast(t.Context(), h.Store, "r", at(1), "ballot"))
	s, err := h.Store.Slip(t.Context(), "r", at(1))
	must(t, err)
	s.Ballot[0] = 'X'
	box, err := h.Store.Box(t.Context(), "r")
	must(t, err)
	box[0].Sealed[1] = 'X'
	again, err := h.Store.Slip(t.Context(), "r", at(1))
	must(t, err)
	if string(again.Ballot) != "ballot" {
		t.Errorf("a result was no copy: %q", again.Ballot)
	}
}

func cancelled(t *testing.T, h Harness) {
	newTeam(t, h.Store, team)
	planned(t, h.Store, round("r", start))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := cast(ctx, h.Store, "r", at(1), "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("cast: %v", err)
	}
	if err := h.Store.UpdateTeam(ctx, team, func(t *bot.Team) (bot.Also, error) { t.Name = "no"; return bot.Also{}, nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("team: %v", err)
	}
	if err := h.Store.Queue(ctx, bot.Post{ID: "p", State: bot.PostQueued}); !errors.Is(err, context.Canceled) {
		t.Errorf("queue: %v", err)
	}
	box, err := h.Store.Box(t.Context(), "r")
	must(t, err)
	if got, _ := h.Store.Team(t.Context(), team); len(box) != 0 || got.Name != "crew" {
		t.Error("something was written")
	}
}

func reopening(t *testing.T, h Harness) {
	if h.Reopen == nil {
		t.Skip("this store keeps nothing")
	}
	newTeam(t, h.Store, team)
	planned(t, h.Store, round("r", start))
	must(t, cast(t.Context(), h.Store, "r", at(1), "ballot"))
	must(t, h.Store.Queue(t.Context(), bot.Post{ID: "p", Team: team, State: bot.PostQueued, After: start}))
	s := h.Reopen()
	slip, err := s.Slip(t.Context(), "r", at(1))
	must(t, err)
	got, err := s.Team(t.Context(), team)
	must(t, err)
	posts, _, err := s.Pending(t.Context(), start, 10)
	must(t, err)
	tasks, _, err := s.Due(t.Context(), start.AddDate(1, 0, 0), 10)
	must(t, err)
	if string(slip.Ballot) != "ballot" || got.Name != "crew" || len(posts) != 1 || len(tasks) != 2 {
		t.Errorf("%q %q %d posts %d tasks", slip.Ballot, got.Name, len(posts), len(tasks))
	}
}

func shelf(t *testing.T, h Harness) {
	newTeam(t, h.Store, team)
	planned(t, h.Store, round("r", start))
	var replies []bot.SealedReply
	for i := range 20 {
		replies = append(replies, bot.SealedReply{ID: bot.ReplyID(fmt.Sprintf("%016x", rand.Uint64())), Receipt: [32]byte{byte(i + 1)}, Sealed: []byte{byte(i)}})
	}
	release(t, h.Store, "r", replies...)
	got, err := h.Store.Shelf(t.Context(), "r")
	must(t, err)
	if len(got) != 20 || !slices.IsSortedFunc(got, func(a, b bot.SealedReply) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	}) {
		t.Errorf("%d replies, or not in the order of their random IDs", len(got))
	}
	edit := func(r *bot.Round, _ *bot.Team) (bot.Also, error) {
		if r.ID != "r" {
			t.Errorf("round %s", r.ID)
		}
		return bot.Also{}, nil
	}
	must(t, h.Store.Unshelve(t.Context(), [32]byte{3}, edit))
	for _, receipt := range [][32]byte{{3}, {99}, {}} {
		if err := h.Store.Unshelve(t.Context(), receipt, edit); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("receipt %x: %v", receipt[0], err)
		}
	}
	if got, _ := h.Store.Shelf(t.Context(), "r"); len(got) != 19 {
		t.Errorf("%d replies after a removal", len(got))
	}
	must(t, h.Store.Erase(t.Context()))
	must(t, h.Store.ClearShelf(t.Context(), "r", edit))
	must(t, h.Store.Erase(t.Context()))
	must(t, h.Store.Erase(t.Context()))
	if got, _ := h.Store.Shelf(t.Context(), "r"); len(got) != 0 {
		t.Errorf("%d replies after retention", len(got))
	}
	if err := h.Store.Unshelve(t.Context(), [32]byte{4}, edit); !errors.Is(err, bot.ErrNotFound) {
		t.Errorf("a receipt outlived its reply: %v", err)
	}
}

func outbox(t *testing.T, h Harness) {
	ctx := t.Context()
	for i, after := range []time.Duration{time.Hour, 0, 0, time.Minute} {
		must(t, h.Store.Queue(ctx, bot.Post{ID: bot.PostID("p" + strconv.Itoa(i)), Key: "k", Team: team, State: bot.PostQueued, After: start.Add(after)}))
	}
	must(t, h.Store.Queue(ctx, bot.Post{ID: "p1", Key: "other", State: bot.PostQueued, After: start}))
	posts, next, err := h.Store.Pending(ctx, start, 10)
	must(t, err)
	if len(posts) != 2 || posts[0].ID != "p1" || posts[1].ID != "p2" || posts[0].Key != "k" || !next.Equal(start.Add(time.Minute)) {
		t.Errorf("pending %v, next %v", posts, next)
	}
	if posts, _, _ := h.Store.Pending(ctx, start, 1); len(posts) != 1 {
		t.Errorf("limit: %d", len(posts))
	}
	must(t, h.Store.UpdatePost(ctx, "p1", func(p *bot.Post) (bot.Also, error) {
		p.State, p.Ref = bot.PostSent, "ref"
		return bot.Also{}, nil
	}))
	must(t, h.Store.UpdatePost(ctx, "p2", func(p *bot.Post) (bot.Also, error) {
		p.State, p.After = bot.PostSending, start.Add(2*time.Hour)
		return bot.Also{}, nil
	}))
	posts, _, err = h.Store.Pending(ctx, start.Add(3*time.Hour), 10)
	must(t, err)
	if len(posts) != 3 || posts[2].ID != "p2" {
		t.Errorf("pending %v", posts)
	}
	p, err := h.Store.Post(ctx, "p1")
	must(t, err)
	if p.Ref != "ref" || p.State != bot.PostSent {
		t.Errorf("%+v", p)
	}
	// What else an edit does is done with it, or not at all.
	ask := bot.Also{Posts: []bot.Post{{ID: "ask", Team: team, State: bot.PostQueued, After: start}}}
	if err := h.Store.UpdatePost(ctx, "nothing", func(*bot.Post) (bot.Also, error) { return ask, nil }); !errors.Is(err, bot.ErrNotFound) {
		t.Error(err)
	}
	refused := errors.New("refused")
	err = h.Store.UpdatePost(ctx, "p2", func(p *bot.Post) (bot.Also, error) { p.State = bot.PostUncertain; return ask, refused })
	if !errors.Is(err, refused) {
		t.Error(err)
	}
	if _, err := h.Store.Post(ctx, "ask"); !errors.Is(err, bot.ErrNotFound) {
		t.Errorf("a refused edit queued its post: %v", err)
	}
	must(t, h.Store.UpdatePost(ctx, "p2", func(p *bot.Post) (bot.Also, error) { p.State = bot.PostUncertain; return ask, nil }))
	if p, err := h.Store.Post(ctx, "ask"); err != nil || p.State != bot.PostQueued {
		t.Errorf("%+v %v", p, err)
	}
	if p, err := h.Store.Post(ctx, "p2"); err != nil || p.State != bot.PostUncertain {
		t.Errorf("%+v %v", p, err)
	}
}

func agenda(t *testing.T, h Harness) {
	ctx := t.Context()
	newTeam(t, h.Store, team)
	planned(t, h.Store, round("r", start.AddDate(0, 0, -6)))
	tasks, next, err := h.Store.Due(ctx, start, 10)
	must(t, err)
	if len(tasks) != 2 || tasks[0].Round != "r" || tasks[1].Team != team || !next.IsZero() {
		t.Errorf("tasks %v, next %v", tasks, next)
	}
	tasks, next, err = h.Store.Due(ctx, start.Add(-time.Second), 10)
	must(t, err)
	if len(tasks) != 0 || !next.Equal(start) {
		t.Errorf("tasks %v, next %v", tasks, next)
	}
	must(t, h.Store.UpdateTeam(ctx, team, func(t *bot.Team) (bot.Also, error) { t.State = bot.TeamOff; return bot.Also{}, nil }))
	must(t, h.Store.UpdateRound(ctx, "r", func(r *bot.Round, _ *bot.Team) (bot.Also, error) {
		r.State, r.GivesBack = bot.RoundClosed, start.Add(time.Hour)
		return bot.Also{}, nil
	}))
	tasks, next, err = h.Store.Due(ctx, start, 10)
	must(t, err)
	if len(tasks) != 0 || !next.Equal(start.Add(time.Hour)) {
		t.Errorf("tasks %v, next %v", tasks, next)
	}
}

func audit(t *testing.T, h Harness) {
	for i := range 3 {
		must(t, h.Store.UpdateTeam(t.Context(), team, func(*bot.Team) (bot.Also, error) {
			return bot.Also{Audit: []bot.AuditEntry{{At: start.AddDate(0, 0, i), By: "test:m", What: strconv.Itoa(i)}}}, nil
		}))
	}
	entries, err := h.Store.Audit(t.Context())
	must(t, err)
	if len(entries) != 3 || entries[2].What != "2" {
		t.Errorf("%v", entries)
	}
	must(t, h.Store.ForgetAudit(t.Context(), start)) // what was made at that very moment stays
	must(t, h.Store.ForgetAudit(t.Context(), start.AddDate(0, 0, 2)))
	must(t, h.Store.Erase(t.Context()))
	entries, err = h.Store.Audit(t.Context())
	must(t, err)
	if len(entries) != 1 || entries[0].What != "2" {
		t.Errorf("after forgetting: %v", entries)
	}
}

// moved gives a team another ID: everything of it is found below the new one, at its moments, and nothing below the old.
func moved(t *testing.T, h Harness) {
	s, ctx, to := h.Store, t.Context(), bot.TeamID("test:moved")
	newTeam(t, s, team)
	newTeam(t, s, "test:crew2") // whose ID begins with the other's
	r := round("r1", start)
	must(t, s.PlanRound(ctx, r, func(*bot.Team) (bot.Also, error) {
		return bot.Also{Posts: []bot.Post{{ID: "r1/prompt", Key: "k", Team: team, State: bot.PostQueued, After: start}}}, nil
	}))
	other := round("r2", start)
	other.Team = "test:crew2"
	must(t, s.PlanRound(ctx, other, func(*bot.Team) (bot.Also, error) { return bot.Also{}, nil }))
	if err := s.MoveTeam(ctx, team, "test:crew2"); !errors.Is(err, bot.ErrExists) {
		t.Errorf("onto another team: %v", err)
	}
	if err := s.MoveTeam(ctx, "test:none", to); !errors.Is(err, bot.ErrNotFound) {
		t.Errorf("no team: %v", err)
	}
	must(t, s.MoveTeam(ctx, team, to))
	if _, err := s.Team(ctx, team); !errors.Is(err, bot.ErrNotFound) {
		t.Errorf("the old team: %v", err)
	}
	got, err := s.Team(ctx, to)
	if err != nil || got.ID != to || got.Name != "crew" {
		t.Errorf("%+v %v", got, err)
	}
	rounds, err := s.Rounds(ctx, to)
	if err != nil || len(rounds) != 1 || rounds[0].ID != "r1" || rounds[0].Team != to {
		t.Errorf("%+v %v", rounds, err)
	}
	if rounds, err := s.Rounds(ctx, team); err != nil || len(rounds) != 0 {
		t.Errorf("the old team's rounds: %d %v", len(rounds), err)
	}
	if rounds, err := s.Rounds(ctx, "test:crew2"); err != nil || len(rounds) != 1 {
		t.Errorf("another team's rounds: %d %v", len(rounds), err)
	}
	if p, err := s.Post(ctx, "r1/prompt"); err != nil || p.Team != to {
		t.Errorf("%+v %v", p, err)
	}
	again := round("r3", start)
	again.Team = to
	if err := s.PlanRound(ctx, again, func(*bot.Team) (bot.Also, error) { return bot.Also{}, nil }); !errors.Is(err, bot.ErrExists) {
		t.Errorf("the same moment twice: %v", err)
	}
	due, _, err := s.Due(ctx, start.AddDate(1, 0, 0), 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range due {
		if task.Team == team {
			t.Error("the old team is due")
		}
	}
	if !slices.ContainsFunc(due, func(task bot.Task) bool { return task.Team == to }) {
		t.Errorf("%+v", due)
	}
	must(t, s.UpdateRound(ctx, "r1", func(r *bot.Round, t *bot.Team) (bot.Also, error) {
		r.State = bot.RoundClosing
		return bot.Also{}, nil
	}))
}

// Totals of scorers add up with the operation they belong to, each under its own name.
func judgements(t *testing.T, h Harness) {
	ctx := t.Context()
	more := func(scorer string, m bot.Modes, fail error) error {
		return h.Store.UpdateTeam(ctx, team, func(*bot.Team) (bot.Also, error) {
			return bot.Also{Judged: &bot.JudgedBy{Scorer: scorer, Tensions: map[prompts.TensionID]bot.Modes{"a": m}}}, fail
		})
	}
	one := bot.Modes{Strict: bot.Judged{Spoke: 2, Right: 1}, Relaxed: bot.Judged{Spoke: 3, Right: 2}}
	for range 2 {
		if err := more("x/1", one, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := more("x/2", one, nil); err != nil {
		t.Fatal(err)
	}
	if err := more("x/1", one, bot.ErrConflict); !errors.Is(err, bot.ErrConflict) {
		t.Error(err)
	}
	s := h.Store
	if h.Reopen != nil {
		s = h.Reopen()
	}
	twice := bot.Modes{Strict: bot.Judged{Spoke: 4, Right: 2}, Relaxed: bot.Judged{Spoke: 6, Right: 4}}
	for name, want := range map[string]bot.Modes{"x/1": twice, "x/2": one, "x": {}} {
		if got, err := s.Judged(ctx, name); err != nil || got["a"] != want || len(got) > 1 {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
}
