package bot

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weerklank/weerklank/prompts"
)

// closeRound takes the steps of TRUST 2.4. Each may be repeated after a crash at that very step.
func (b *Bot) closeRound(ctx context.Context, r Round, now time.Time) error {
	leave, ok := b.closes(r.ID)
	if !ok {
		return errWaits // two that close one round would each make a key for its shelf
	}
	defer leave()
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
		err = b.release(ctx, r, nil, nil, nil, RoundLost, now) // nobody can open it, or nobody is there to hear: destroyed unread
	case err != nil:
		return err
	case len(ballots) == 0 && r.Kind.replies() && b.neverPosted(ctx, r):
		err = b.release(ctx, r, nil, nil, nil, RoundLapsed, now)
	case len(ballots) < r.MinReplies: // never opened: not even the program learns what was in them
		err = b.release(ctx, r, nil, nil, nil, RoundClosed, now)
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
	lib, err := b.library(ctx)
	if err != nil {
		return err
	}
	r.Offers = r.offered(&lib)
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
	if r.Kind == RoundFollow {
		tally = nil // nothing is counted, and no number remains
	} else {
		if people, ok, err := b.countPeople(ctx, r.Team); err == nil && ok { // a platform that does not answer delays no closing
			tally.People = people
		}
		if tally.Words, err = b.wordTable(ctx, r, tally, slips); err != nil {
			return err
		}
	}
	var replies []SealedReply
	if r.Kind.replies() {
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
			sealed, err := sealReply(key, r.ID, id, shelved{Text: s.text(), Stance: s.Stance, Tags: s.Tags, Other: s.Other})
			if err != nil {
				return err
			}
			replies = append(replies, SealedReply{ID: id, Receipt: receiptHash(keys.receiptOf(addresses[i], s)), Sealed: sealed})
		}
		if err := shuffle(replies); err != nil {
			return err
		}
	}
	return b.release(ctx, r, replies, tally, b.judged(ctx, r, slips), RoundClosed, now)
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
func (b *Bot) release(ctx context.Context, r Round, replies []SealedReply, tally *Tally, judged *JudgedBy, state RoundState, now time.Time) error {
	held := false
	if r.Kind == RoundFollow { // the law asks for what belongs to its question too
		of, err := b.o.Store.Round(ctx, r.Of)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		held = of.Held
	}
	return b.o.Store.Release(ctx, r.ID, replies, func(r *Round, t *Team) (Also, error) {
		if r.State != RoundClosing {
			return Also{}, errSame
		}
		r.State, r.Tally = state, tally
		if len(replies) > 0 {
			r.Keep, r.Held = r.Closes.AddDate(0, 0, b.o.KeepDays), held
		}
		also := Also{Judged: judged}
		if held && !r.Keep.IsZero() && t.State != TeamGone {
			also.Posts = append(also.Posts, heldPost(*r, *t, now))
		}
		switch {
		case !r.Kind.replies():
			also = b.counted(r, t, now)                       // votes have no give-back moment
			if r.Kind == RoundSeason && t.State != TeamGone { // what was asked is over: its buttons go
				also.Posts = append(also.Posts, b.repaint(r.Team, []RoundID{r.ID}, now)...)
			}
		case state == RoundLost || state == RoundLapsed:
			t.Ends(r.ID)
			if state == RoundLost && t.State != TeamGone && !now.After(r.Closes.Add(lostNews)) {
				r.Owed = t.owed(now)
				lost := b.say(r.Team, stepPost(r.ID, "lost"), Lost(*r), now)
				lost.ReplyTo = r.thread()
				also.Posts = append(also.Posts, lost)
			}
		}
		if r.Kind.replies() && state != RoundLapsed && t.State != TeamGone {
			also.Posts = append(also.Posts, Post{
				ID: stepPost(r.ID, "closed"), Key: newKey(), Team: r.Team, State: PostQueued, After: now,
				EditOf: stepPost(r.ID, "prompt"), Message: b.promptMessage(*r, true),
			})
		}
		if r.Kind == RoundQuestion && state != RoundLapsed && t.State != TeamGone {
			also.Posts = append(also.Posts, Post{ // a button that leads nowhere would invite for nothing
				ID: stepPost(r.ID, "reminder/closed"), Key: newKey(), Team: r.Team, State: PostQueued, After: now,
				EditOf: stepPost(r.ID, "reminder"), Message: Message{Lang: r.Lang, Blocks: []Block{Note(sayer(r.Lang)("round.reminder-closed"))}},
			})
		}
		return also, nil
	})
}

// lostNews is how long after its closing a team still hears that a round was lost; later it is no news any more.
const lostNews = 24 * time.Hour

// neverPosted says whether a round's prompt surely never stood in the channel.
func (b *Bot) neverPosted(ctx context.Context, r Round) bool {
	p, err := b.o.Store.Post(ctx, stepPost(r.ID, "prompt"))
	return err == nil && (p.State == PostFailed || p.State == PostQueued)
}

// neverSent says whether a round's prompt was given up.
func (b *Bot) neverSent(ctx context.Context, r Round) bool {
	p, err := b.o.Store.Post(ctx, stepPost(r.ID, "prompt"))
	return err == nil && p.State == PostFailed
}

func newTally(r Round) *Tally {
	if r.Kind != RoundQuestion {
		return &Tally{}
	}
	return &Tally{Prompt: r.Prompt.ID, Revision: r.Prompt.Revision, Asked: r.Prompt.Tensions, Senses: sensesOf(r.Offers)}
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
		if s.mirrored(tag) {
			count(&t.Mirror, tag)
		}
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

// giveBack says in the channel what was heard, or that it was too little. What people wrote is put in only when the
// message leaves (compose).
func (b *Bot) giveBack(ctx context.Context, r Round, now time.Time) error {
	if r.Kind == RoundFollow {
		return b.giveBackFollow(ctx, r, now)
	}
	lib, err := b.library(ctx)
	if err != nil {
		return err
	}
	rounds, err := b.o.Store.Rounds(ctx, r.Team)
	if err != nil {
		return err
	}
	labels, err := b.labelsOf(ctx, r, rounds)
	if err != nil {
		return err
	}
	ahead, err := outlooks(r, slices.Clone(rounds), &lib)
	if err != nil {
		return err
	}
	pages := 0
	if !r.Keep.IsZero() { // somebody shared a text
		replies, err := b.released(ctx, r)
		if err != nil {
			return err
		}
		pages = max(1, len(GiveBack(r, replies, &lib, nil).Thread))
	}
	return b.o.Store.UpdateRound(ctx, r.ID, func(r *Round, t *Team) (Also, error) {
		if r.State != RoundClosed {
			return Also{}, errSame
		}
		t.Ends(r.ID)
		at := b.permitted(*t, now) // after downtime it may be night
		post := func(step string, m Message) Post { return b.say(r.Team, stepPost(r.ID, step), m, at) }
		if r.Tally == nil {
			r.State = RoundTooFew
			t.Thin++
			r.Then = b.voteAfter(*t, now)
			r.Ends = r.Then == RoundSeason
			r.Statements = ahead[r.Ends].said
			r.Owed = t.owed(at)
			few := post("give-back", TooFew(*r, &lib, r.Then == RoundPace))
			return Also{Posts: slices.Concat([]Post{few}, b.told(*r, few.ID, at), b.lookedBack(*r, t, at))}, nil
		}
		r.State = RoundGivenBack
		t.Thin = 0
		r.Then = b.voteAfter(*t, now)
		r.Ends = r.Then == RoundSeason
		r.Statements = ahead[r.Ends].said
		r.Owed = t.owed(at)
		chooses := append(b.lookedBack(*r, t, at), b.askAfter(r, t, at)...)
		given := GiveBack(*r, nil, &lib, ahead[r.Ends].recurring)
		r.Followup = given.Followup
		r.Second = given.Followup != ""
		heard, guide := post("give-back", Message{}), post("guide", *given.Guide)
		heard.Round, heard.Part = r.ID, PartHeard
		guide.ReplyTo = heard.ID
		r.Pages = pages
		posts := []Post{heard}
		for page := range pages {
			quotes := post(threadStep(page), Message{})
			quotes.Round, quotes.Part, quotes.Page, quotes.ReplyTo = r.ID, PartQuotes, page, heard.ID
			posts = append(posts, quotes) // read first, then talk
		}
		posts = append(posts, b.told(*r, heard.ID, at)...)
		t.noteLabels(labels)
		if t.news(r, rounds); len(r.News) > 0 {
			words := post("words", newsMessage(*r, nil, &lib))
			words.ReplyTo = heard.ID
			posts = append(posts, words)
		}
		return Also{Posts: append(append(posts, guide), chooses...)}, nil
	})
}

// threadStep is the step of one of the messages with quotes below a give-back; the first is 0.
func threadStep(page int) string {
	if page == 0 {
		return "thread"
	}
	return "thread-" + strconv.Itoa(page+1)
}

// outlook is what a round's give-back knows of what comes back.
type outlook struct {
	said      []Statement
	recurring map[prompts.TensionID]bool
}

// outlooks work out what the give-back of a round tells of what comes back, for a round that ends its season and for one
// that does not. That takes a while, and so it is done before the transaction that decides between the two. rounds are its
// to change.
func outlooks(r Round, rounds []Round, lib *prompts.Library) (map[bool]outlook, error) {
	i := slices.IndexFunc(rounds, func(q Round) bool { return q.ID == r.ID })
	if i < 0 {
		return nil, ErrNotFound
	}
	rounds[i].State = RoundGivenBack
	if r.Tally == nil {
		rounds[i].State = RoundTooFew
	}
	out := map[bool]outlook{}
	for _, ends := range []bool{false, true} {
		rounds[i].Ends, rounds[i].Statements = ends, nil
		rounds[i].Statements = Statements(r.Team, rounds, r.ID, lib)
		recurring := map[prompts.TensionID]bool{}
		for _, id := range comingBack(rounds) {
			recurring[id] = true
		}
		out[ends] = outlook{rounds[i].Statements, recurring}
	}
	return out, nil
}

// told is the post of what came back or changed, in the thread of the give-back that closed a window or block. At the end
// of a season its overview says it.
func (b *Bot) told(r Round, under PostID, at time.Time) []Post {
	if len(r.Statements) == 0 || r.Ends {
		return nil
	}
	p := b.say(r.Team, stepPost(r.ID, "told"), Told(r), at)
	p.ReplyTo = under
	return []Post{p}
}

// stepPost is the outbox row of one step of a round.
func stepPost(id RoundID, step string) PostID { return PostID(string(id) + "/" + step) }

// compose makes the message of a post that holds people's words, of the replies that are there now.
func (b *Bot) compose(ctx context.Context, p Post) (Message, error) {
	r, err := b.o.Store.Round(ctx, p.Round)
	if err != nil {
		return Message{}, err
	}
	if p.Part == PartSeason {
		return b.composeSeason(ctx, r)
	}
	replies, err := b.released(ctx, r)
	if err != nil {
		return Message{}, err
	}
	var given Given
	switch {
	case r.Kind == RoundFollow:
		given.Thread = Followed(r, replies)
	case r.Tally == nil:
		return Message{}, errors.New("a round without a tally has nothing to give back")
	default:
		lib, err := b.library(ctx)
		if err != nil {
			return Message{}, err
		}
		given = GiveBack(r, replies, &lib, nil)
	}
	switch {
	case p.Part == PartHeard:
		return given.Message, nil
	case p.Page < len(given.Thread):
		m := given.Thread[p.Page]
		if p.Page == max(1, r.Pages)-1 { // of a round that was given back by an older program: what it put there stays there
			for _, rest := range given.Thread[p.Page+1:] {
				m.Blocks = append(m.Blocks, rest.Blocks...)
			}
		}
		return m, nil
	case len(given.Thread) > 0: // what was taken away made them fewer
		return Message{Lang: r.Lang, Blocks: []Block{Note(sayer(r.Lang)("round.quotes-above"))}}, nil
	}
	return Message{Lang: r.Lang, Blocks: []Block{Note(sayer(r.Lang)("round.quotes-gone"))}}, nil
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
		if err != nil { // one that is damaged keeps nobody from the others
			b.o.Log.Error("a released reply does not open", "round", r.ID, "err", err)
			continue
		}
		replies = append(replies, reply)
	}
	return replies, nil
}

// rewrite gives the posts that edit a round's give-back after its author took a reply away. A part that has not left yet
// is made without the reply anyway.
func (b *Bot) rewrite(r Round, now time.Time) []Post {
	if r.State != RoundGivenBack {
		return nil
	}
	var posts []Post
	edit := func(step string, part Part, page int) {
		of := stepPost(r.ID, step)
		p := b.say(r.Team, PostID(string(of)+"/"+newKey()), Message{}, now)
		p.EditOf, p.Round, p.Part, p.Page = of, r.ID, part, page
		posts = append(posts, p)
	}
	if r.Kind == RoundQuestion {
		edit("give-back", PartHeard, 0)
	}
	for page := range max(1, r.Pages) { // older rounds have one
		edit(threadStep(page), PartQuotes, page)
	}
	return posts
}

// errHeld says that the law asks to keep a round's replies.
var errHeld = errors.New("the round is held")

// takeAway removes a released reply by the hash of its receipt: a slot outside the store says so first, then the record
// goes and the give-back is written anew. ErrNotFound: no reply has that receipt; errHeld: its round is held (TRUST P6).
// Then nothing was written.
func (b *Bot) takeAway(ctx context.Context, receipt [32]byte, now time.Time) error {
	var id RoundID
	err := b.o.Store.Unshelve(ctx, receipt, func(r *Round, _ *Team) (Also, error) {
		if r.Held {
			return Also{}, errHeld
		}
		id = r.ID
		return Also{}, errSame // only looked
	})
	if !errors.Is(err, errSame) {
		return err
	}
	if err := b.o.Keys.Create(ctx, newRemovedSlot(id, receipt)); err != nil && !errors.Is(err, ErrExists) {
		return err
	}
	err = b.unshelve(ctx, receipt, now)
	if errors.Is(err, errHeld) { // held just now
		return cmp.Or(b.o.Keys.Destroy(ctx, newRemovedSlot(id, receipt).Name), err)
	}
	return err
}

func (b *Bot) unshelve(ctx context.Context, receipt [32]byte, now time.Time) error {
	seasons, err := b.overviewsWith(ctx, receipt)
	if err != nil {
		return err
	}
	err = b.o.Store.Unshelve(ctx, receipt, func(r *Round, _ *Team) (Also, error) {
		if r.Held {
			return Also{}, errHeld
		}
		return Also{Posts: append(b.rewrite(*r, now), b.repaint(r.Team, seasons, now)...)}, nil
	})
	if err == nil {
		b.wake(b.wakeSender)
		b.tidyLater()
	}
	return err
}

// removeAgain takes away what authors had removed and an older backup brought back, or what a crash left between the slot
// and the record (TRUST 2.5, S12).
func (b *Bot) removeAgain(ctx context.Context, now time.Time) error {
	slots, err := b.o.Keys.Slots(ctx)
	if err != nil {
		return err
	}
	for _, name := range slots {
		if _, ok := slotOfRemoved(name); !ok {
			continue
		}
		receipt, err := b.o.Keys.Open(ctx, name)
		if errors.Is(err, ErrNotFound) || err == nil && len(receipt) != 32 { // cut short: nobody was told that it is gone
			continue
		}
		if err == nil {
			err = b.unshelve(ctx, [32]byte(receipt), now)
		}
		if err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, errHeld) { // held: it goes once that is over
			return err
		}
	}
	return nil
}

// closes says that a round is being closed until leave is called; ok is false if it is already.
func (b *Bot) closes(id RoundID) (leave func(), ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closing[id] {
		return nil, false
	}
	b.closing[id] = true
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.closing, id)
	}, true
}

// forget ends the retention of a round's replies: first nobody can hold them any more, then the key goes, then the sealed
// texts.
func (b *Bot) forget(ctx context.Context, r Round) error {
	err := b.o.Store.UpdateRound(ctx, r.ID, func(r *Round, _ *Team) (Also, error) {
		if r.Held || r.Keep.IsZero() {
			return Also{}, errSame
		}
		r.Forgets = true
		return Also{}, nil
	})
	if errors.Is(err, errSame) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := b.o.Keys.Destroy(ctx, shelfSlot(r.ID)); err != nil {
		return err
	}
	err = b.o.Store.ClearShelf(ctx, r.ID, func(r *Round, t *Team) (Also, error) {
		r.Keep, r.Forgets = time.Time{}, false
		t.dropLabels(r.ID)
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
// off; only orphans says that nothing is being planned now. That a reply was removed is remembered for as long as its
// round's shelf has a key: afterwards no backup can show it, whichever is put back.
func (b *Bot) sweep(ctx context.Context, orphans bool) error {
	slots, err := b.o.Keys.Slots(ctx)
	if err != nil {
		return err
	}
	var dead []string
	for _, name := range slots {
		id, kind, ok := strings.Cut(name, ".")
		if !ok || kind == "removed" || "."+kind == erasedKind {
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
	for _, name := range slots {
		id, ok := slotOfRemoved(name)
		if shelf := shelfSlot(id); ok && (!slices.Contains(slots, shelf) || slices.Contains(dead, shelf)) {
			dead = append(dead, name)
		}
	}
	return b.o.Keys.Destroy(ctx, dead...)
}
