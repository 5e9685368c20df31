package bot

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"time"

	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// A give-back ends with one follow-up question (PRACTICE 3.6). It may be answered openly in the thread, and without a name
// in a second ballot box: a round of its own kind, with its own key slots, that goes through the same steps as a question.
// What is given in it is words and what may be done with them. Its shared texts are given back once, in the same thread and
// under the same minimum. Nothing is counted: that too few answered, or that nobody would share, is told in the same words,
// and the file keeps no number of either.

// replies says whether a round's box takes people's own words; the others take votes, or nothing.
func (k RoundKind) replies() bool { return k == RoundQuestion || k == RoundFollow }

// Boxes are the rounds of a team that take something, or have yet to give it back.
func (t Team) Boxes() []RoundID {
	all := t.asks()
	if t.Vote != "" {
		all = append(all, t.Vote)
	}
	return all
}

// asks are those that take words.
func (t Team) asks() []RoundID {
	var all []RoundID
	if t.Open != "" {
		all = append(all, t.Open)
	}
	return append(all, t.Follows...)
}

// Ends takes a round off what the team has open, if it is there.
func (t *Team) Ends(id RoundID) {
	if t.Open == id {
		t.Open = ""
	}
	if i := slices.Index(t.Follows, id); i >= 0 {
		t.Follows = slices.Delete(slices.Clone(t.Follows), i, i+1)
	}
}

// thread is the post below which everything of a round stands; empty: in the channel itself.
func (r Round) thread() PostID {
	if r.Of == "" {
		return ""
	}
	return stepPost(r.Of, "give-back")
}

// title is what a round is called, so that a follow-up is told apart from its question.
func (r Round) title(lang prompts.Lang) string {
	title := r.Prompt.In(lang).Title
	if r.Kind == RoundFollow {
		return locale.Say(lang, "follow.name", "title", title)
	}
	return title
}

// followDays is how long a follow-up stands open where no next opening ends it.
const followDays = 7

// openFollow opens the box of the follow-up question that a give-back ended with, and takes its mark off the round.
func (b *Bot) openFollow(ctx context.Context, r Round, now time.Time) error {
	t, err := b.o.Store.Team(ctx, r.Team)
	if err != nil {
		return err
	}
	if t.State == TeamOn { // who switched off, or rests, is asked nothing
		err = b.askFollow(ctx, t, r, now)
	}
	if err != nil {
		return err
	}
	return b.o.Store.UpdateRound(ctx, r.ID, func(r *Round, _ *Team) (Also, error) {
		r.Second = false
		return Also{}, nil
	})
}

func (b *Bot) askFollow(ctx context.Context, t Team, r Round, now time.Time) error {
	until := b.followUntil(t, now).UTC()
	f := Round{
		ID: RoundID(rand.Text()), Team: t.ID, Kind: RoundFollow, Of: r.ID, State: RoundOpen, Number: r.Number, Season: r.Season,
		Due:   r.Closes, // each question has its own, so that its follow-up is planned once
		Opens: now.UTC(), Closes: until, GivesBack: until, Prompt: followPrompt(r),
		Lang: r.Lang, Zone: r.Zone, Rhythm: r.Rhythm, MinReplies: r.MinReplies, Adviser: r.Adviser,
	}
	if err := b.o.Keys.Create(ctx, newBallotSlot(f.ID)); err != nil {
		return err
	}
	err := b.o.Store.PlanRound(ctx, f, func(t *Team) (Also, error) {
		if t.State != TeamOn {
			return Also{}, errSame
		}
		t.Follows = append(slices.Clone(t.Follows), f.ID)
		p := b.say(t.ID, stepPost(f.ID, "prompt"), Invitation(f, false), b.permitted(*t, now))
		p.ReplyTo, p.Until = f.thread(), f.Closes
		return Also{Posts: []Post{p}}, nil
	})
	if err != nil {
		err = errors.Join(err, b.o.Keys.Destroy(ctx, ballotSlot(f.ID)))
	}
	if errors.Is(err, errSame) || errors.Is(err, ErrExists) { // planned before a crash, or nobody to ask any more
		return nil
	}
	return err
}

// followUntil is the team's next opening, after the moment at which the follow-up may be posted. Where nothing is planned it
// is a week from then.
func (b *Bot) followUntil(t Team, now time.Time) time.Time {
	from := b.permitted(t, now)
	if t.Wake().After(from) {
		return t.Wake()
	}
	if cal, err := ParseCalendar(t.Settings, b.o.Holidays...); err == nil && !t.Wake().IsZero() { // it opens this moment: the one after
		if next := cal.Next(t.Since, from, time.Time{}, t.HalfPace).Opens; next.After(from) {
			return next
		}
	}
	return from.AddDate(0, 0, followDays)
}

// followPrompt is the follow-up question as a round asks it, in every language.
func followPrompt(r Round) prompts.Prompt {
	p := prompts.Prompt{ID: r.Prompt.ID, Revision: r.Prompt.Revision, Kind: r.Prompt.Kind, Words: map[prompts.Lang]prompts.Words{}}
	for _, lang := range prompts.Langs() {
		p.Words[lang] = prompts.Words{Title: r.Prompt.In(lang).Title, Question: followIn(r, lang)}
	}
	return p
}

// followIn is the follow-up question that was given back, in another language if it is one that has it.
func followIn(r Round, lang prompts.Lang) string {
	own := r.Prompt.In(lang).Followups
	if i := slices.Index(r.Prompt.In(r.Lang).Followups, r.Followup); i >= 0 && i < len(own) {
		return own[i]
	}
	for _, key := range []string{"giveback.ask-perspective", "giveback.ask-alternative", "giveback.ask-appreciative", "giveback.ask-agreement"} {
		if locale.Text(r.Lang, key) == r.Followup {
			return locale.Text(lang, key)
		}
	}
	return r.Followup
}

// giveBackFollow gives the shared texts of a follow-up back, once, below the give-back that asked it.
func (b *Bot) giveBackFollow(ctx context.Context, r Round, now time.Time) error {
	pages := 0
	if !r.Keep.IsZero() {
		replies, err := b.released(ctx, r)
		if err != nil {
			return err
		}
		pages = max(1, len(Followed(r, replies)))
	}
	return b.o.Store.UpdateRound(ctx, r.ID, func(r *Round, t *Team) (Also, error) {
		if r.State != RoundClosed {
			return Also{}, errSame
		}
		t.Ends(r.ID)
		at := b.permitted(*t, now)
		post := func(step string, m Message) Post {
			p := b.say(r.Team, stepPost(r.ID, step), m, at)
			p.ReplyTo = r.thread()
			return p
		}
		if pages == 0 { // too few, or nobody would share: nobody learns which
			r.State = RoundTooFew
			return Also{Posts: []Post{post("give-back", FollowedTooFew(*r))}}, nil
		}
		r.State, r.Pages = RoundGivenBack, pages
		var posts []Post
		for page := range pages {
			p := post(threadStep(page), Message{})
			p.Round, p.Part, p.Page = r.ID, PartQuotes, page
			posts = append(posts, p)
		}
		return Also{Posts: posts}, nil
	})
}

// statusFollows tells how the follow-up questions of a team stand.
func (b *Bot) statusFollows(ctx context.Context, lang prompts.Lang, t Team) ([]string, error) {
	say := sayer(lang)
	var lines []string
	for _, id := range t.Follows {
		r, err := b.o.Store.Round(ctx, id)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if r.State == RoundOpen {
			lines = append(lines, say("follow.status-open", "closing", locale.Moment(lang, r.Closes.In(zoneOf(r.Zone)))))
		} else {
			lines = append(lines, say("follow.status-closed", "giveback", locale.Moment(lang, r.GivesBack.In(zoneOf(r.Zone)))))
		}
	}
	return lines, nil
}

// ---- what it says

// followLine is a paragraph that begins with the follow-up question.
func followLine(r Round, text string, pairs ...string) Block {
	b := Text(Rich(text, pairs...)...)
	b.Spans = append([]Span{{Text: r.Prompt.In(r.Lang).Question, Strong: true}, {Text: " "}}, b.Spans...)
	return b
}

// Invitation is the post below a give-back with which a follow-up stands open, and what it becomes when that closes.
func Invitation(r Round, closed bool) Message {
	say := sayer(r.Lang)
	if closed {
		return Message{Lang: r.Lang, Blocks: []Block{followLine(r, locale.Text(r.Lang, "follow.closed"))}}
	}
	return Message{Lang: r.Lang, Blocks: []Block{
		followLine(r, locale.Text(r.Lang, "follow.invite"), "closing", locale.Moment(r.Lang, r.Closes.In(zoneOf(r.Zone)))),
		{Kind: BlockActions, Actions: []Action{{Do: "answer", Round: r.ID, Label: say("round.answer"), Main: true}}},
		Note(say("follow.footer")),
	}}
}

// Followed are the shared texts of a follow-up, whole and in random order, in as many messages as they need.
func Followed(r Round, replies []Reply) []Message {
	return pagesOf(r.Lang, followLine(r, locale.Text(r.Lang, "follow.given")), quotable(replies))
}

// FollowedTooFew says that there is nothing to give back of a follow-up.
func FollowedTooFew(r Round) Message {
	return Message{Lang: r.Lang, Blocks: []Block{followLine(r, locale.Text(r.Lang, "follow.too-few"))}}
}

// ---- a reply to it

// plain leaves out of a reply what its box does not take: a follow-up takes words, and asks nothing else about them.
func (bx *box) plain(h *hand) {
	if bx.round.Kind != RoundFollow {
		return
	}
	for _, s := range []*slip{h.ballot, h.aside} {
		if s == nil {
			continue
		}
		s.Stance, s.StanceAt, s.Tags, s.TagsAt, s.Mirror, s.Plain, s.Other = "", 0, nil, 0, "", "", ""
		if s.Wait == awaitTags {
			s.Wait = ""
		}
	}
}

func (bx *box) textHint(lang prompts.Lang) string {
	if bx.round.Kind == RoundFollow {
		return locale.Say(lang, "follow.field-text-hint")
	}
	return locale.Say(lang, "reply.field-text-hint")
}

func (bx *box) shareHint(lang prompts.Lang) string {
	if bx.round.Kind == RoundFollow {
		return locale.Say(lang, "follow.field-share-hint")
	}
	return locale.Say(lang, "reply.field-share-hint")
}

func (bx *box) nothingYet(lang prompts.Lang) string {
	if bx.round.Kind == RoundFollow {
		return locale.Say(lang, "follow.nothing-yet")
	}
	return locale.Say(lang, "reply.nothing-yet")
}

// keptText confirms the reply of a form; its placeholders stand in it.
func (bx *box) keptText(lang prompts.Lang, ballot *slip) string {
	switch follow, shared := bx.round.Kind == RoundFollow, ballot.shared(); {
	case follow && shared:
		return locale.Text(lang, "follow.receipt")
	case follow:
		return locale.Text(lang, "follow.receipt-count")
	case shared:
		return locale.Text(lang, "reply.receipt")
	}
	return locale.Text(lang, "reply.receipt-count")
}

// keptTypedText confirms a typed reply.
func (bx *box) keptTypedText(lang prompts.Lang) string {
	if bx.round.Kind == RoundFollow {
		return locale.Text(lang, "follow.kept-typed")
	}
	return locale.Text(lang, "reply.kept-typed")
}

func (bx *box) previewNote(lang prompts.Lang) string {
	if bx.round.Kind == RoundFollow {
		return locale.Say(lang, "follow.preview-note")
	}
	return locale.Say(lang, "reply.preview-note")
}

func (bx *box) typedWords(lang prompts.Lang) string {
	if bx.round.Kind == RoundFollow {
		return locale.Say(lang, "follow.typed-words")
	}
	return locale.Say(lang, "reply.typed-words")
}
