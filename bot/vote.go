package bot

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// Votes are rounds whose box takes one choice per person. They are sealed and counted like replies, and no list of
// voters remains (TRUST 2.1).

// A season is twelve rounds or 26 weeks, whichever comes first (DESIGN 11).
const (
	seasonRounds = 12
	seasonWeeks  = 26
	thinRounds   = 2 // paused or with too few answers, in a row: then the team is asked what fits (PRACTICE 3.5)
	votesNeeded  = 5 // to change the pace
	seasonVotes  = 3 // to go on with a season (DESIGN 11)
)

var choices = map[RoundKind][]string{
	RoundJoin:   {"yes", "no"},
	RoundPace:   {"less", "other", "talk", "stop"},
	RoundSeason: {"go-on", "change", "stop"},
}

func choiceLabel(lang prompts.Lang, kind RoundKind, choice string) string {
	say := sayer(lang)
	switch string(kind) + "/" + choice {
	case "join/yes":
		return say("vote.join-yes")
	case "join/no":
		return say("vote.join-no")
	case "pace/less":
		return say("vote.pace-less")
	case "pace/other":
		return say("vote.pace-other")
	case "pace/talk":
		return say("vote.pace-talk")
	case "pace/stop":
		return say("vote.pace-stop")
	case "season/go-on":
		return say("vote.season-go-on")
	case "season/change":
		return say("vote.season-change")
	}
	return say("vote.season-stop")
}

// voteActions are the buttons of a vote, equal in weight.
func voteActions(r Round) Block {
	var actions []Action
	for _, c := range choices[r.Kind] {
		label := choiceLabel(r.Lang, r.Kind, c)
		actions = append(actions, Action{Do: "vote", Round: r.ID, Arg: c, Label: label, Typed: strings.ToLower(label)})
	}
	return Block{Kind: BlockActions, Actions: actions}
}

// vote keeps one person's choice; the last one counts.
func (b *Bot) vote(ctx context.Context, s *seat, f From, choice string) (Response, error) {
	say := sayer(f.Lang)
	if !slices.Contains(choices[s.round.Kind], choice) {
		return say.message("reply.pick-again"), nil
	}
	at, asked := version(f.At), choice
	_, err := b.write(ctx, s.box, s.at, func(h *hand) error {
		if h.ballot != nil && h.ballot.Version >= at {
			choice = h.ballot.Choice // the newer one counts, and is told
			return errSame
		}
		h.ballot = &slip{Version: at, Choice: choice}
		return nil
	})
	if err != nil {
		return b.refused(err, f.Lang)
	}
	r := say.message("vote.kept", "choice", choiceLabel(f.Lang, s.round.Kind, choice),
		"closing", locale.Moment(f.Lang, s.round.Closes.In(zoneOf(s.round.Zone))))
	r.Kept = choice == asked
	return r, nil
}

// voteWord reads a whole message as a choice in the vote that is open for its author. While a question is open too (alone is
// false) it is a choice only if the bot is called by its name, since it may be an answer.
func (b *Bot) voteWord(ctx context.Context, f From, text string, alone bool) (r Response, ok bool, err error) {
	word := strings.ToLower(strings.Trim(text, " ."))
	word, called := strings.CutPrefix(strings.TrimPrefix(word, "@"), "weerklank ")
	if !alone && !called || !isChoice(strings.TrimSpace(word)) {
		return Response{}, false, nil
	}
	channels, err := b.channelsOf(ctx, f.User)
	if err != nil {
		r, err = b.refused(err, f.Lang)
		return r, true, err
	}
	type open struct {
		round  RoundID
		choice string
	}
	var found []open
	for _, id := range channels {
		t, err := b.o.Store.Team(ctx, id)
		if errors.Is(err, ErrNotFound) || err == nil && t.Vote == "" {
			continue
		}
		var vote Round
		if err == nil {
			vote, err = b.o.Store.Round(ctx, t.Vote)
		}
		if err != nil {
			r, err = b.refused(err, f.Lang)
			return r, true, err
		}
		for _, c := range choices[vote.Kind] {
			if vote.State == RoundOpen && saysChoice(word, vote.Kind, c) {
				found = append(found, open{vote.ID, c})
			}
		}
	}
	switch len(found) {
	case 0:
		return Response{}, false, nil
	case 1:
		s, err := b.seatIn(ctx, f, found[0].round)
		if err == nil {
			r, err = b.vote(ctx, s, f, found[0].choice)
		} else {
			r, err = b.refused(err, f.Lang)
		}
		return r, true, err
	}
	return sayer(f.Lang).message("cmd.which-channel"), true, nil
}

func isChoice(word string) bool {
	for kind, all := range choices {
		if slices.ContainsFunc(all, func(c string) bool { return saysChoice(word, kind, c) }) {
			return true
		}
	}
	return false
}

func saysChoice(word string, kind RoundKind, choice string) bool {
	return slices.ContainsFunc(prompts.Langs(), func(lang prompts.Lang) bool {
		return strings.TrimSpace(word) == strings.ToLower(choiceLabel(lang, kind, choice))
	})
}

// newVote makes a vote round that is due at the moment it follows from: so it is unique, however often it is planned.
// Votes never show a number: three is the least that may decide anything.
func newVote(kind RoundKind, t Team, due, now, closes time.Time) Round {
	return Round{
		ID: RoundID(rand.Text()), Team: t.ID, Kind: kind, State: RoundOpen, Season: t.Season,
		Due: due.UTC(), Opens: now.UTC(), Closes: closes.UTC(),
		Lang: t.Settings.Lang, Zone: t.Settings.Zone, MinReplies: seasonVotes,
	}
}

// counted acts on a vote that has closed. It runs inside the transaction that released it.
func (b *Bot) counted(r *Round, t *Team, now time.Time) Also {
	votes := map[string]int{}
	total := 0
	if r.Tally != nil {
		votes, total = r.Tally.Choices, r.Tally.Respondents
	}
	r.Tally = nil // decided; no number remains
	r.State = RoundGivenBack
	if t.Vote != r.ID { // switched off or on again since: what was asked then decides nothing now
		return Also{}
	}
	t.Vote = ""
	say := sayer(t.Settings.Lang)
	at := b.permitted(*t, now)
	tell := func(text string, actions ...Action) Also {
		m := Message{Lang: t.Settings.Lang, Blocks: []Block{Text(Rich(text)...)}}
		if len(actions) > 0 {
			m.Blocks = append(m.Blocks, Block{Kind: BlockActions, Actions: actions})
		}
		return Also{Posts: []Post{b.say(t.ID, stepPost(r.ID, "counted"), m, at)}}
	}
	rest := func(text string) Also {
		t.State, t.NextDue, t.NextOpens = TeamResting, time.Time{}, time.Time{}
		return tell(text, Action{Do: "wake-up", Arg: string(t.ID), Label: say("vote.wake-up"), Typed: say("vote.wake-up-word")})
	}
	cal, err := ParseCalendar(t.Settings, b.o.Holidays...)
	if err != nil || t.State == TeamOff || t.State == TeamGone {
		return Also{}
	}
	switch r.Kind {
	case RoundJoin:
		if t.State != TeamJoining {
			return Also{}
		}
		if votes["yes"] < max(t.Settings.MinReplies, b.o.Limits.MinReplies) {
			t.State = TeamOff
			return tell(say("vote.join-too-few"))
		}
		m := cal.Next(t.Since, now, time.Time{}, false)
		t.State, t.NextDue, t.NextOpens = TeamOn, m.Due.UTC(), m.Opens.UTC()
		return tell(say("vote.join-enough", "moment", locale.Moment(t.Settings.Lang, m.Opens.In(zoneOf(t.Settings.Zone)))))
	case RoundPace:
		if total < votesNeeded {
			if t.HalfPace {
				return rest(say("vote.pace-rest"))
			}
			t.HalfPace = true
			return tell(say("vote.pace-half"))
		}
		switch most(votes, choices[RoundPace]) {
		case "less":
			t.HalfPace = true
			return tell(say("vote.pace-half"))
		case "talk":
			t.Settings.Rhythm = RhythmTalkOnly
			return tell(say("vote.pace-talk-now"))
		case "stop":
			return rest(say("vote.pace-rest"))
		}
		return tell(say("vote.pace-other-now"))
	case RoundSeason:
		onward := votes["go-on"] + votes["change"]
		if total < seasonVotes || onward <= votes["stop"] {
			return rest(say("vote.season-rest"))
		}
		t.Season++
		t.SeasonRounds, t.SeasonSince = 0, time.Time{}
		text := say("vote.season-on")
		if votes["change"] > votes["go-on"] {
			text = say("vote.season-changed")
		}
		return tell(text)
	}
	return Also{}
}

// most is the choice with the most votes; of equals the first in the fixed order.
func most(votes map[string]int, order []string) string {
	best := order[0]
	for _, c := range order[1:] {
		if votes[c] > votes[best] {
			best = c
		}
	}
	return best
}

// voteAfter says which vote a team's season or a row of thin rounds leads to; empty: none. The season's end goes first.
func (b *Bot) voteAfter(t Team, now time.Time) RoundKind {
	switch {
	case t.State != TeamOn || t.Vote != "":
		return ""
	case t.SeasonRounds >= seasonRounds || !t.SeasonSince.IsZero() && now.After(t.SeasonSince.AddDate(0, 0, 7*seasonWeeks)):
		return RoundSeason
	case t.Thin >= thinRounds:
		return RoundPace
	}
	return ""
}

// openVote opens the vote that a give-back led to, and takes its mark off the round.
func (b *Bot) openVote(ctx context.Context, r Round, now time.Time) error {
	t, err := b.o.Store.Team(ctx, r.Team)
	if err != nil {
		return err
	}
	if t.State == TeamOn {
		cal, err := ParseCalendar(t.Settings, b.o.Holidays...)
		if err != nil {
			return err
		}
		if until := t.restsUntil(cal); until.After(now) {
			return b.o.Store.UpdateRound(ctx, r.ID, func(r *Round, _ *Team) (Also, error) {
				r.ThenFrom = until.UTC()
				return Also{}, nil
			})
		}
	}
	if t.State == TeamOn {
		switch r.Then {
		case RoundPace:
			err = b.ask(ctx, t, RoundPace, r.Due, now, nil, b.paceMessage)
		case RoundSeason:
			err = b.ask(ctx, t, RoundSeason, r.Due, now, nil, nil)
		}
	}
	if err != nil {
		return err
	}
	return b.o.Store.UpdateRound(ctx, r.ID, func(r *Round, t *Team) (Also, error) {
		also := Also{Posts: b.untold(*r, *t, now)}
		r.Then, r.ThenFrom = "", time.Time{}
		return also, nil
	})
}

func (b *Bot) paceMessage(t Team, vote Round) Message {
	say := sayer(vote.Lang)
	key := "vote.pace-ask"
	if t.HalfPace {
		key = "vote.pace-ask-again"
	}
	return Message{Lang: vote.Lang, Blocks: []Block{
		Text(Rich(say(key), "closing", locale.Moment(vote.Lang, vote.Closes.In(zoneOf(vote.Zone))))...), voteActions(vote),
	}}
}

// voteUntil gives a vote its time: until the team's next opening, and that opening at least five days away for the
// rhythms that count in weeks, at least one whole round for one that does not.
func voteUntil(cal *Calendar, t Team, now time.Time) Moments {
	after := now.AddDate(0, 0, 5)
	if t.Settings.Rhythm == RhythmCustom {
		m := cal.Next(t.Since, now, time.Time{}, false)
		after = now.Add(m.Closes.Sub(m.Due))
	}
	return cal.Next(t.Since, after, time.Time{}, t.HalfPace)
}

// ask opens a vote that decides about the next opening, and moves that opening to the end of the vote. also is what else
// changes in the team. message is what asks; that of a season's end is made when it leaves.
func (b *Bot) ask(ctx context.Context, t Team, kind RoundKind, due, now time.Time, also func(*Team), message func(Team, Round) Message) error {
	cal, err := ParseCalendar(t.Settings, b.o.Holidays...)
	if err != nil {
		return err
	}
	until := voteUntil(cal, t, now)
	if until.Opens.IsZero() {
		return nil
	}
	vote := newVote(kind, t, due, now, until.Opens)
	rounds, err := b.o.Store.Rounds(ctx, t.ID)
	if err != nil {
		return err
	}
	if err := b.o.Keys.Create(ctx, newBallotSlot(vote.ID)); err != nil {
		return err
	}
	err = b.o.Store.PlanRound(ctx, vote, func(t *Team) (Also, error) {
		if t.State != TeamOn {
			return Also{}, errSame
		}
		if also != nil {
			also(t)
		}
		t.Vote, t.Thin = vote.ID, 0
		t.NextDue, t.NextOpens = until.Due.UTC(), until.Opens.UTC()
		at := b.permitted(*t, now)
		p := b.say(t.ID, stepPost(vote.ID, "prompt"), Message{}, at)
		if kind == RoundSeason {
			p.Round, p.Part = vote.ID, PartSeason
			if asksAtSeasonEnd(vote.Season, vote.Due, rounds, t.Agreements, zoneOf(vote.Zone)) {
				t.ask(vote, at, false)
			}
		} else {
			p.Message = message(*t, vote)
		}
		p.Until = vote.Closes
		return Also{Posts: []Post{p}}, nil
	})
	if err != nil {
		err = errors.Join(err, b.o.Keys.Destroy(ctx, ballotSlot(vote.ID)))
	}
	if errors.Is(err, errSame) || errors.Is(err, ErrExists) { // planned before a crash, or nobody to ask any more
		return nil
	}
	return err
}
