package bot

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// After the talk a team chooses: try something, leave it as it is, or pass it on (PRACTICE 3.2, DESIGN 11). Its rounds ask
// for that once in four weeks. Whoever is in the channel may write the line, openly, and the latest one stands; who wrote it
// is kept nowhere.

// AgreementChoice is what a team does with a round.
type AgreementChoice string

// The choices. Empty: the team was asked, and nobody has written anything.
const (
	AgreeTry   AgreementChoice = "try"
	AgreeLeave AgreementChoice = "leave"
	AgreePass  AgreementChoice = "pass"
)

// Agreement is what a team was asked to choose after a round, and what it chose. It belongs to its team, since the one it
// is passed on to is a manager; it has no author.
type Agreement struct {
	Round  RoundID      `json:"round"`  // after whose give-back it was asked; of a season's end, the vote
	Season int          `json:"season"` // of that round
	Lang   prompts.Lang `json:"lang"`
	Due    time.Time    `json:"due"`             // unmoved moment of that round: four weeks are counted from it
	Asked  time.Time    `json:"asked"`           // when
	Closed time.Time    `json:"closed,omitzero"` // the opening after it, from which on nothing is written any more
	Posted bool         `json:"posted,omitempty"`

	Choice AgreementChoice `json:"choice,omitempty"`
	Line   string          `json:"line,omitempty"`
	Made   time.Time       `json:"made,omitzero"` // version of the line: what is not newer is a redelivery

	LookBackFrom time.Time `json:"look_back_from,omitzero"` // of what is tried: from when on it is looked back on
	LookBack     RoundID   `json:"look_back,omitempty"`     // the round that asked about it
	LookedBack   time.Time `json:"looked_back,omitzero"`    // when that round was given back

	To      ActorID        `json:"to,omitempty"`      // whom it was passed on to, if that is known; not what people typed
	Manager string         `json:"manager,omitempty"` // what people call them
	Promise time.Time      `json:"promise,omitzero"`  // the day by which an answer is promised
	Answer  *ManagerAnswer `json:"answer,omitempty"`
}

// AnswerKind is what became of something that was passed on.
type AnswerKind string

// The answers of a manager. Later leaves it open, until another day.
const (
	AnswerDone  AnswerKind = "done"
	AnswerNot   AnswerKind = "not"
	AnswerLater AnswerKind = "later"
)

// ManagerAnswer is what a manager said of something that was passed on. Which manager that was stands in the audit log.
type ManagerAnswer struct {
	Kind  AnswerKind `json:"kind"`
	Words string     `json:"words,omitempty"`
	At    time.Time  `json:"at"` // version
}

// Owed is what a give-back tells of something that was passed on and waits for its answer, as it stood then.
type Owed struct {
	Item    string    `json:"item"`
	Manager string    `json:"manager,omitempty"`
	On      time.Time `json:"on"`
	Promise time.Time `json:"promise"`
	Late    bool      `json:"late,omitempty"`
}

// About is the agreement that a round looks back on: its own words, which its prompt holds.
type About struct {
	Agreement RoundID `json:"agreement"` // after whose give-back it was made
	Line      string  `json:"line"`
}

const (
	agreeEvery   = 28  // days: at most one agreement in four weeks
	agreeRunes   = 160 // of its line
	managerRunes = 80
	promiseDays  = 14 // within which a manager answers
	lookBackDays = 42
	answerRunes  = 160
	laterDays    = 366 // "later" is within a year
)

// asksAgreement says whether a round that was given back asks for an agreement, and how many days after its due moment; zero:
// with its give-back. It is pure. In weekly, fortnightly and custom rhythms every fourth, light round asks; four beats and a
// month have a moment of their own, on the Thursday of the fourth week. The end of a season asks by itself.
func asksAgreement(r Round, made []Agreement) (days int, asks bool) {
	if r.Kind != RoundQuestion || r.State != RoundGivenBack || r.Tally == nil || r.Ends || !mayAgree(made, r.Due, zoneOf(r.Zone)) {
		return 0, false
	}
	light := r.Slot == prompts.SlotLight
	switch r.Rhythm {
	case RhythmFourBeat:
		if light { // it opens in the third week
			days = 9
		}
		return days, light
	case RhythmMonthly:
		return 23, true
	}
	return 0, light
}

// asksAtSeasonEnd says the same of the overview at a season's end: at least one of its rounds must have had something to talk
// about.
func asksAtSeasonEnd(season int, due time.Time, rounds []Round, made []Agreement, zone *time.Location) bool {
	return mayAgree(made, due, zone) && slices.ContainsFunc(rounds, func(r Round) bool {
		return r.Kind == RoundQuestion && r.Season == season && r.State == RoundGivenBack && r.Tally != nil
	})
}

// mayAgree says whether the last agreement lies four weeks back. One that was asked for and not made is none.
func mayAgree(made []Agreement, due time.Time, zone *time.Location) bool {
	for _, a := range slices.Backward(made) {
		if a.Choice != "" {
			return !due.Before(a.Due.In(zone).AddDate(0, 0, agreeEvery))
		}
	}
	return true
}

// takes says whether a line may be written at a moment: from when it was asked until the next opening, and in a team that is
// asked nothing any more for four weeks.
func (a Agreement) takes(at time.Time) bool {
	return !at.Before(a.Asked.Add(-clockSlack)) && (a.Closed.IsZero() || at.Before(a.Closed)) && at.Before(a.Asked.AddDate(0, 0, agreeEvery))
}

// waits says whether something was passed on and is not answered, or answered with "later".
func (a Agreement) waits() bool {
	return a.Choice == AgreePass && (a.Answer == nil || a.Answer.Kind == AnswerLater)
}

// waited says the same of a moment in the past, as far as is known: words that come again mean what they meant then.
func (a Agreement) waited(at time.Time) bool {
	return a.Choice == AgreePass && at.After(a.Made) && (a.waits() || !at.After(a.Answer.At))
}

// settled says whether a passed-on line stands for good: its answer has come, or should have. A tap of anybody must not take it
// away.
func (a Agreement) settled(at time.Time, zone *time.Location) bool {
	return a.Choice == AgreePass && (a.Answer != nil || !at.Before(dayAfter(a.Promise, zone)))
}

// late says whether the promised day has passed.
func (a Agreement) late(now time.Time, zone *time.Location) bool {
	return a.waits() && !now.Before(dayAfter(a.Promise, zone))
}

// dayAfter is the start of the day after that of t.
func dayAfter(t time.Time, zone *time.Location) time.Time {
	t = t.In(zone)
	return time.Date(t.Year(), t.Month(), t.Day()+1, 0, 0, 0, 0, zone)
}

// atTen is ten o'clock, n days after the day of t.
func atTen(t time.Time, n int, zone *time.Location) time.Time {
	t = t.In(zone)
	return time.Date(t.Year(), t.Month(), t.Day()+n, 10, 0, 0, 0, zone)
}

// agreementAfter finds what was chosen after a round.
func (t *Team) agreementAfter(id RoundID) *Agreement {
	for i := range t.Agreements {
		if t.Agreements[i].Round == id {
			return &t.Agreements[i]
		}
	}
	return nil
}

// owed lists what waits for an answer, the oldest first.
func (t *Team) owed(now time.Time) (out []Owed) {
	zone := zoneOf(t.Settings.Zone)
	for _, a := range t.Agreements {
		if a.waits() {
			out = append(out, Owed{a.Line, a.Manager, a.Made, a.Promise, a.late(now, zone)})
		}
	}
	return out
}

// dueLookBack finds the oldest agreement that a round opening at that moment looks back on: one that was tried for six weeks
// and not looked back on. A look-back that never stood in the
// channel, or that nobody could open, was none.
func dueLookBack(t Team, rounds []Round, opens time.Time) (Agreement, bool) {
	for _, a := range t.Agreements {
		asked := a.LookBack != "" && slices.ContainsFunc(rounds, func(r Round) bool { return r.ID == a.LookBack && r.State != RoundLapsed && r.State != RoundLost })
		if a.Choice == AgreeTry && !a.LookBackFrom.IsZero() && !asked && !a.LookBackFrom.After(opens) {
			return a, true
		}
	}
	return Agreement{}, false
}

// lookBackOn puts an agreement's own words into the prompt that asks about it.
func (r *Round) lookBackOn(a Agreement) {
	zone := zoneOf(r.Zone)
	r.About = &About{Agreement: a.Round, Line: a.Line}
	r.Prompt.Words = maps.Clone(r.Prompt.Words)
	for lang, words := range r.Prompt.Words {
		pairs := []string{"date", dayOf(lang, a.Made, r.Opens, zone), "agreement", a.Line}
		words.Text = locale.Fill(ended(words.Text, "agreement", a.Line), pairs...)
		words.Question = locale.Fill(ended(words.Question, "agreement", a.Line), pairs...)
		r.Prompt.Words[lang] = words
	}
}

// ask begins an agreement: from now on the team may write it. One that is still open ends here.
func (t *Team) ask(r Round, at time.Time, posted bool) Agreement {
	t.Agreements = slices.Clone(t.Agreements)
	for i := range t.Agreements {
		if t.Agreements[i].Closed.IsZero() {
			t.Agreements[i].Closed = at.UTC()
		}
	}
	a := Agreement{Round: r.ID, Season: r.Season, Lang: r.Lang, Due: r.Due, Asked: at.UTC(), Posted: posted}
	t.Agreements = append(t.Agreements, a)
	return a
}

// agreeSteps of a round's posts.
const (
	stepAgree   = "agree"
	stepOverdue = "overdue"
)

// askAfter begins the agreement of a round that is given back, in the thread of its give-back, or notes when its own moment
// comes.
func (b *Bot) askAfter(r *Round, t *Team, at time.Time) []Post {
	days, asks := asksAgreement(*r, t.Agreements)
	if !asks || t.State != TeamOn {
		return nil
	}
	if days > 0 {
		if cal, err := ParseCalendar(t.Settings, b.o.Holidays...); err == nil {
			moment := cal.Move(r.Due.In(zoneOf(r.Zone)).AddDate(0, 0, days))
			if r.Asks = later(moment.UTC(), at); r.Asks.After(at) {
				return nil
			}
			r.Asks = time.Time{}
		}
	}
	r.Chooses = true
	p := b.say(r.Team, stepPost(r.ID, stepAgree), agreementMessage(t.ask(*r, at, true), zoneOf(t.Settings.Zone), at), at)
	p.ReplyTo = stepPost(r.ID, "give-back")
	return []Post{p}
}

// askLater asks for an agreement at the moment that a rhythm has for it. Once the next round has opened it is too late.
func (b *Bot) askLater(ctx context.Context, r Round, now time.Time) error {
	return b.o.Store.UpdateRound(ctx, r.ID, func(r *Round, t *Team) (Also, error) {
		if r.Asks.IsZero() || r.Asks.After(now) {
			return Also{}, errSame
		}
		if t.State != TeamOn || t.Asked > r.Number || !mayAgree(t.Agreements, r.Due, zoneOf(r.Zone)) {
			r.Asks = time.Time{}
			return Also{}, nil
		}
		if at := b.permitted(*t, now); at.After(now) {
			r.Asks = at
			return Also{}, nil
		}
		r.Asks = time.Time{}
		p := b.say(r.Team, stepPost(r.ID, stepAgree), agreementMessage(t.ask(*r, now, true), zoneOf(t.Settings.Zone), now), now)
		return Also{Posts: []Post{p}}, nil
	})
}

// endAsking ends an agreement that is open, since the next round opens: from here on its message takes no line.
func (b *Bot) endAsking(t *Team, opens, now time.Time) (posts []Post) {
	for i, a := range t.Agreements {
		if !a.Closed.IsZero() {
			continue
		}
		t.Agreements = slices.Clone(t.Agreements)
		t.Agreements[i].Closed = opens.UTC()
		if a.Posted {
			posts = append(posts, b.agreementPost(*t, t.Agreements[i], "closed", now))
		}
	}
	return posts
}

// agreementPost is the post that shows how an agreement stands: the first in the thread of what it follows, later ones in its
// place. what makes each of them one row, however often it is queued.
func (b *Bot) agreementPost(t Team, a Agreement, what string, now time.Time) Post {
	of := stepPost(a.Round, stepAgree)
	p := b.say(t.ID, PostID(string(of)+"/"+what), agreementMessage(a, zoneOf(t.Settings.Zone), now), now)
	p.EditOf = of
	return p
}

// showAgreement gives an agreement its message, or puts what is new into the one it has.
func (b *Bot) showAgreement(t *Team, a *Agreement, what string, now time.Time) Post {
	if a.Posted {
		return b.agreementPost(*t, *a, what, now)
	}
	a.Posted = true
	p := b.say(t.ID, stepPost(a.Round, stepAgree), agreementMessage(*a, zoneOf(t.Settings.Zone), now), now)
	p.ReplyTo = stepPost(a.Round, "prompt") // of a season's end, whose overview asked
	return p
}

// promised gives the moment at which the channel hears that an answer is late: the first permitted one after the promised day.
func (b *Bot) promised(t Team, promise time.Time) time.Time {
	at := atTen(promise, 1, zoneOf(t.Settings.Zone))
	if cal, err := ParseCalendar(t.Settings, b.o.Holidays...); err == nil {
		at = later(at, cal.Move(at))
	}
	return at.UTC()
}

// tellOverdue says in the channel that an answer is late, once for each promised day, whether or not a round goes on. Give-backs
// and the overview say it after that, until it is answered.
func (b *Bot) tellOverdue(ctx context.Context, r Round, now time.Time) error {
	return b.o.Store.UpdateRound(ctx, r.ID, func(r *Round, t *Team) (Also, error) {
		if r.Owes.IsZero() || r.Owes.After(now) {
			return Also{}, errSame
		}
		a := t.agreementAfter(r.ID)
		if a == nil || !a.late(now, zoneOf(t.Settings.Zone)) || t.State == TeamGone {
			r.Owes = time.Time{}
			return Also{}, nil
		}
		if at := b.permitted(*t, now); at.After(now) {
			r.Owes = at
			return Also{}, nil
		}
		r.Owes = time.Time{}
		return Also{Posts: []Post{b.say(t.ID, stepPost(r.ID, fmt.Sprintf("%s/%d", stepOverdue, version(a.Promise))), overdueMessage(*t, *a), now)}}, nil
	})
}

// lookedBack notes with a look-back's give-back that its agreement was looked back on, and shows it. A question that is only
// talked about is its own give-back.
func (b *Bot) lookedBack(r Round, t *Team, at time.Time) (posts []Post) {
	for i := range t.Agreements {
		if t.Agreements[i].LookBack != r.ID {
			continue
		}
		t.Agreements = slices.Clone(t.Agreements)
		a := &t.Agreements[i]
		a.LookedBack = r.GivesBack
		posts = append(posts, b.showAgreement(t, a, "looked-back", at))
	}
	return posts
}

// asksAbout notes that a round looks back on an agreement.
func (t *Team) asksAbout(r Round) {
	if r.About == nil {
		return
	}
	t.Agreements = slices.Clone(t.Agreements)
	if a := t.agreementAfter(r.About.Agreement); a != nil {
		a.LookBack = r.ID
	}
}

// DueLookBack lets six weeks pass for a team's newest agreement: the next main round looks back on it, and another may be made.
// It is for trying the product out (`weerklank demo`). ErrNotFound: there is nothing to look back on.
func (b *Bot) DueLookBack(ctx context.Context, team TeamID, now time.Time) error {
	return b.o.Store.UpdateTeam(ctx, team, func(t *Team) (Also, error) {
		t.Agreements = slices.Clone(t.Agreements)
		for i := len(t.Agreements) - 1; i >= 0; i-- {
			if a := &t.Agreements[i]; a.Choice == AgreeTry && a.LookBack == "" {
				a.LookBackFrom, a.Due = now.UTC(), a.Due.AddDate(0, 0, -lookBackDays)
				if a.Closed.IsZero() {
					a.Closed = now.UTC()
				}
				return Also{}, nil
			}
		}
		return Also{}, ErrNotFound
	})
}

// oneLineOf cleans one open line. Its own full stop goes: it stands in a sentence of ours.
func oneLineOf(s string, runes int) (string, error) {
	s = strings.Join(strings.Fields(clean(s)), " ")
	s = strings.TrimSpace(strings.TrimSuffix(s, "."))
	if len([]rune(s)) > runes {
		return "", errTooLong
	}
	return s, nil
}

// errLate says that a line came when nothing could be written any more.
var errLate = errors.New("nothing is asked now")
