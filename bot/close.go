package bot

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// closeRound takes the steps of TRUST 2.4. Each may be repeated after a crash at that very step.
func (b *Bot) closeRound(ctx context.Context, r Round, now time.Time) error {
	if r.State == RoundOpen { // step 0: from here on the box takes nothing
		err := b.o.Store.UpdateRound(ctx, r.ID, func(r *Round, _ *Team) (Also, error) {
			if r.State != RoundOpen {
				return Also{}, errSame
			}
			r.State = RoundClosing
			return Also{}, nil
		})
		if err != nil && !errors.Is(err, errSame) {
			return err
		}
	}
	b.boxes.drop(r.ID)
	team, err := b.o.Store.Team(ctx, r.Team)
	if err != nil {
		return err
	}
	ballots, err := b.o.Store.Box(ctx, r.ID)
	if err != nil {
		return err
	}
	raw, err := b.o.Keys.Open(ctx, ballotSlot(r.ID))
	switch {
	case errors.Is(err, ErrNotFound) || team.State == TeamGone:
		err = b.release(ctx, r, nil, nil, RoundLost, now) // nobody can open it, or nobody is there to hear: destroyed unread
	case err != nil:
		return err
	case len(ballots) == 0 && r.Kind == RoundQuestion && b.neverPosted(ctx, r):
		err = b.release(ctx, r, nil, nil, RoundLapsed, now)
	case len(ballots) < r.MinReplies: // never opened: not even the program learns what was in them
		err = b.release(ctx, r, nil, nil, RoundClosed, now)
	default:
		err = b.openBox(ctx, r, raw, ballots, now)
	}
	if err != nil {
		return err
	}
	if err := b.o.Keys.Destroy(ctx, ballotSlot(r.ID)); err != nil {
		b.tidyLater()
		return nil // the round is closed; the slot is destroyed at the next tidying
	}
	b.tidyLater()
	return nil
}

// openBox opens the ballots in memory, counts, shuffles and releases them.
func (b *Bot) openBox(ctx context.Context, r Round, raw []byte, ballots []SealedBallot, now time.Time) error {
	keys, err := parseBallotSlot(raw)
	if err != nil {
		return err
	}
	tally := newTally(r)
	var slips []*slip
	var addresses []Address
	for _, sealed := range ballots {
		s, err := keys.openSlip(r.ID, lidBallot, sealed.Address, sealed.Sealed)
		if err != nil {
			return fmt.Errorf("a ballot does not open; the round waits: %w", err) // never deleted by itself
		}
		tally.add(s)
		slips, addresses = append(slips, s), append(addresses, sealed.Address)
	}
	if people, ok, err := b.countPeople(ctx, r.Team); err == nil && ok {
		tally.People = people
	}
	var replies []SealedReply
	if r.Kind == RoundQuestion {
		shelf := newShelfSlot(r.ID)
		if err := b.o.Keys.Destroy(ctx, shelf.Name); err != nil { // left by an attempt that released nothing
			return err
		}
		if err := b.o.Keys.Create(ctx, shelf); err != nil {
			return err
		}
		key, err := newAEAD(shelf.Key)
		if err != nil {
			return err
		}
		for i, s := range slips {
			if !s.shared() {
				continue // counted; its words end here
			}
			id := ReplyID(rand.Text())
			sealed, err := sealReply(key, r.ID, id, shelved{Text: s.text(), Stance: s.Stance, Tags: s.Tags, Other: s.Other, Hard: s.Hard})
			if err != nil {
				return err
			}
			replies = append(replies, SealedReply{ID: id, Receipt: receiptHash(keys.receiptOf(addresses[i], s.CodeAt)), Sealed: sealed})
		}
		if err := shuffle(replies); err != nil {
			return err
		}
	}
	return b.release(ctx, r, replies, tally, RoundClosed, now)
}

// shuffle is Fisher-Yates with crypto/rand, so that no order of writing follows the order of answering.
func shuffle[T any](s []T) error {
	for i := len(s) - 1; i > 0; i-- {
		j, err := rand.Int(rand.Reader, big.NewInt(int64(i+1)))
		if err != nil {
			return err
		}
		s[i], s[j.Int64()] = s[j.Int64()], s[i]
	}
	return nil
}

// release empties the box in one transaction and says in the channel that the round is closed.
func (b *Bot) release(ctx context.Context, r Round, replies []SealedReply, tally *Tally, state RoundState, now time.Time) error {
	return b.o.Store.Release(ctx, r.ID, replies, func(r *Round, t *Team) (Also, error) {
		if r.State != RoundClosing {
			return Also{}, errSame
		}
		r.State, r.Tally = state, tally
		if len(replies) > 0 {
			r.Keep = r.Closes.AddDate(0, 0, b.o.KeepDays)
		}
		var also Also
		switch {
		case r.Kind != RoundQuestion:
			also = b.counted(r, t, now) // votes have no give-back moment
		case state == RoundLost || state == RoundLapsed:
			if t.Open == r.ID {
				t.Open = ""
			}
			if state == RoundLost && t.State != TeamGone {
				also.Posts = append(also.Posts, b.say(r.Team, PostID(string(r.ID)+"/lost"), Lost(*r), now))
			}
		}
		if r.Kind == RoundQuestion && state != RoundLapsed && t.State != TeamGone {
			also.Posts = append(also.Posts, Post{
				ID: PostID(string(r.ID) + "/closed"), Key: newKey(), Team: r.Team, State: PostQueued, After: now,
				EditOf: promptPost(r.ID), Message: b.promptMessage(*r, true),
			})
		}
		return also, nil
	})
}

// neverPosted says whether a round's prompt surely never stood in the channel.
func (b *Bot) neverPosted(ctx context.Context, r Round) bool {
	p, err := b.o.Store.Post(ctx, promptPost(r.ID))
	return err == nil && (p.State == PostFailed || p.State == PostQueued)
}

func newTally(r Round) *Tally {
	t := &Tally{Asked: r.Prompt.Tensions}
	if r.Kind != RoundQuestion {
		t.Asked = nil
	}
	return t
}

// add counts one ballot. A reply without any tag is a respondent and no more.
func (t *Tally) add(s *slip) {
	t.Respondents++
	if s.Choice != "" {
		count(&t.Choices, s.Choice)
		return
	}
	if s.Stance != "" {
		count(&t.Stances, s.Stance)
	}
	for _, tag := range s.Tags {
		count(&t.Tags, tag)
	}
	switch {
	case s.Plain == "none":
		t.None++
	case s.Plain == "unknown":
		t.Unknown++
	}
	if s.Other != "" {
		t.Other++
	}
	if len(s.Tags) > 0 || s.Other != "" || s.Plain == "none" {
		t.Tagged++
	}
}

func count[K comparable](m *map[K]int, k K) {
	if *m == nil {
		*m = map[K]int{}
	}
	(*m)[k]++
}

// giveBack says in the channel what was heard, or that it was too little.
func (b *Bot) giveBack(ctx context.Context, r Round, now time.Time) error {
	lib, err := b.library(ctx)
	if err != nil {
		return err
	}
	replies, err := b.released(ctx, r)
	if err != nil {
		return err
	}
	return b.o.Store.UpdateRound(ctx, r.ID, func(r *Round, t *Team) (Also, error) {
		if r.State != RoundClosed {
			return Also{}, errSame
		}
		var also Also
		id := string(r.ID)
		if t.Open == r.ID {
			t.Open = ""
		}
		if r.Tally == nil {
			r.State = RoundTooFew
			t.Thin++
			r.AskPace = t.State == TeamOn && b.paceDue(*t) // who is switched off is not asked
			also.Posts = append(also.Posts, b.say(r.Team, PostID(id+"/give-back"), TooFew(*r, &lib, r.AskPace), now))
		} else {
			r.State = RoundGivenBack
			t.Thin = 0
			given := GiveBack(*r, replies, &lib, nil)
			r.Followup = given.Followup
			also.Posts = append(also.Posts, b.say(r.Team, PostID(id+"/give-back"), given.Message, now))
			for _, part := range []struct {
				step string
				m    *Message
			}{{"thread", given.Thread}, {"guide", given.Guide}} { // read first, then talk
				if part.m != nil {
					p := b.say(r.Team, PostID(id+"/"+part.step), *part.m, now)
					p.ReplyTo = PostID(id + "/give-back")
					also.Posts = append(also.Posts, p)
				}
			}
		}
		return also, nil
	})
}

// released opens a round's shelf. A shelf without its key is read as empty: retention ended or a backup came back.
func (b *Bot) released(ctx context.Context, r Round) ([]Reply, error) {
	if r.Keep.IsZero() {
		return nil, nil
	}
	sealed, err := b.o.Store.Shelf(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	raw, err := b.o.Keys.Open(ctx, shelfSlot(r.ID))
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	key, err := newAEAD(raw)
	if err != nil {
		return nil, err
	}
	replies := make([]Reply, 0, len(sealed))
	for _, s := range sealed {
		reply, err := openReply(key, r.ID, s)
		if err != nil {
			return nil, err
		}
		replies = append(replies, reply)
	}
	return replies, nil
}

// rewrite edits a give-back that was posted, after its author took a reply away.
func (b *Bot) rewrite(ctx context.Context, id RoundID) error {
	r, err := b.o.Store.Round(ctx, id)
	if err != nil || r.State != RoundGivenBack {
		return err
	}
	lib, err := b.library(ctx)
	if err != nil {
		return err
	}
	replies, err := b.released(ctx, r)
	if err != nil {
		return err
	}
	given := GiveBack(r, replies, &lib, nil)
	now := time.Now()
	var posts []Post
	edits := map[string]Message{"give-back": given.Message, "thread": {Lang: r.Lang}}
	if given.Thread != nil {
		edits["thread"] = *given.Thread
	} else {
		edits["thread"] = Message{Lang: r.Lang, Blocks: []Block{Note(sayer(r.Lang)("round.quotes-gone"))}}
	}
	for step, m := range edits {
		of := PostID(string(id) + "/" + step)
		if _, err := b.o.Store.Post(ctx, of); errors.Is(err, ErrNotFound) {
			continue
		}
		p := b.say(r.Team, PostID(string(of)+"/"+newKey()), m, now)
		p.EditOf = of
		posts = append(posts, p)
	}
	err = b.o.Store.Queue(ctx, posts...)
	b.wake(b.wakeSender)
	return err
}

// forget ends the retention of a round's replies: the key first, then the sealed texts.
func (b *Bot) forget(ctx context.Context, r Round) error {
	if err := b.o.Keys.Destroy(ctx, shelfSlot(r.ID)); err != nil {
		return err
	}
	err := b.o.Store.ClearShelf(ctx, r.ID, func(r *Round, _ *Team) (Also, error) {
		r.Keep = time.Time{}
		return Also{}, nil
	})
	b.tidyLater()
	return err
}

// say makes a post of a message to a team's channel.
func (b *Bot) say(team TeamID, id PostID, m Message, now time.Time) Post {
	return Post{ID: id, Key: newKey(), Team: team, Message: m, State: PostQueued, After: now}
}

func (b *Bot) tidyLater() {
	b.untidy.Store(true)
	b.wake(b.wakeAgenda)
}

// tidy destroys the key slots that no round needs any more and erases freed pages. What a crash left behind is found
// the same way: there is nothing to remember.
func (b *Bot) tidy(ctx context.Context) error {
	if !b.untidy.Swap(false) {
		return nil
	}
	err := b.sweep(ctx, false)
	if err == nil {
		err = b.o.Store.Erase(ctx)
	}
	if err != nil {
		b.untidy.Store(true)
	}
	return err
}

// sweep destroys slots. A slot without a round belongs to one that is just being planned, or to planning that was cut
// off; only orphans says that nothing is being planned now.
func (b *Bot) sweep(ctx context.Context, orphans bool) error {
	slots, err := b.o.Keys.Slots(ctx)
	if err != nil {
		return err
	}
	var dead []string
	for _, name := range slots {
		id, kind, ok := strings.Cut(name, ".")
		if !ok {
			continue
		}
		r, err := b.o.Store.Round(ctx, RoundID(id))
		switch {
		case errors.Is(err, ErrNotFound):
			ok = !orphans
		case err != nil:
			return err
		case kind == "ballot":
			ok = r.State == RoundOpen || r.State == RoundClosing
		case kind == "shelf":
			ok = r.State == RoundClosing || !r.Keep.IsZero()
		}
		if !ok {
			dead = append(dead, name)
		}
	}
	return b.o.Keys.Destroy(ctx, dead...)
}
