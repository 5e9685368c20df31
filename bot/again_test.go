package bot_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
)

// watched is the real store, and counts what it wrote.
type watched struct {
	bot.Store
	writes atomic.Int64
}

func (s *watched) count(err error) error {
	if err == nil {
		s.writes.Add(1)
	}
	return err
}

func (s *watched) UpdateTeam(ctx context.Context, id bot.TeamID, edit func(*bot.Team) (bot.Also, error)) error {
	return s.count(s.Store.UpdateTeam(ctx, id, edit))
}

func (s *watched) PlanRound(ctx context.Context, r bot.Round, edit func(*bot.Team) (bot.Also, error)) error {
	return s.count(s.Store.PlanRound(ctx, r, edit))
}

func (s *watched) UpdateRound(ctx context.Context, id bot.RoundID, edit func(*bot.Round, *bot.Team) (bot.Also, error)) error {
	return s.count(s.Store.UpdateRound(ctx, id, edit))
}

func (s *watched) Cast(ctx context.Context, id bot.RoundID, at bot.Address, edit func(bot.Slip) (bot.Slip, error)) error {
	return s.count(s.Store.Cast(ctx, id, at, edit))
}

func (s *watched) Unshelve(ctx context.Context, receipt [32]byte, edit func(*bot.Round, *bot.Team) (bot.Also, error)) error {
	return s.count(s.Store.Unshelve(ctx, receipt, edit))
}

func (s *watched) UpdateOwn(ctx context.Context, edit func(*bot.Own) (bot.Also, error)) error {
	return s.count(s.Store.UpdateOwn(ctx, edit))
}

func (s *watched) UpdateWatchers(ctx context.Context, edit func([]bot.Watcher) ([]bot.Watcher, error)) error {
	return s.count(s.Store.UpdateWatchers(ctx, edit))
}

func (s *watched) UpdatePost(ctx context.Context, id bot.PostID, edit func(*bot.Post) (bot.Also, error)) error {
	return s.count(s.Store.UpdatePost(ctx, id, edit))
}

func (s *watched) Queue(ctx context.Context, posts ...bot.Post) error {
	return s.count(s.Store.Queue(ctx, posts...))
}

// again is a scene in which events come more than once.
type again struct {
	*scene
	store *watched
	other bot.Round // of a second team, if there is one
}

func newAgain(t *testing.T, more ...bot.TeamID) *again {
	a := &again{scene: newScene(t, more...), store: &watched{}}
	a.store.Store = a.db
	if len(more) > 0 {
		a.other = a.openRound(more[0])
	}
	a.restart()
	return a
}

// restart lets a new process go on with the same store.
func (a *again) restart() {
	a.t.Helper()
	o := a.o
	o.Store, o.Keys, o.Chats = a.store, a.keys, []bot.Chat{a.fake}
	var err error
	if a.bot, err = bot.New(o); err != nil {
		a.t.Fatal(err)
	}
	a.fake.Use(a.bot.Handle)
}

// flush sends what is queued; a manager's act may be some minutes from now.
func (a *again) flush() {
	a.t.Helper()
	if _, err := a.bot.Send(context.Background(), a.fake.Now().Add(time.Hour)); err != nil {
		a.t.Fatal(err)
	}
}

func (a *again) by(person string, team bot.TeamID, at int) bot.From {
	f := a.fake.From(person, team)
	f.At = a.T.Add(time.Duration(at) * time.Second)
	return f
}

// answered is everything an answer shows.
func answered(r bot.Response) string {
	s := plain(r)
	if r.Form != nil {
		s += formText(r.Form, r.Errors)
	}
	return s
}

// makes an event of p2, or of the manager.
type makes func(a *again) bot.Event

func types(at int, text, id string) makes {
	return func(a *again) bot.Event {
		return bot.DirectReply{From: a.by("p2", "", at), Text: bot.ReplyText(text), Message: id}
	}
}

func changes(at int, text, id string) makes {
	return func(a *again) bot.Event {
		return bot.DirectReply{From: a.by("p2", "", at), Text: bot.ReplyText(text), Message: id, Edited: true}
	}
}

func takes(at int, id string) makes {
	return func(a *again) bot.Event { return bot.ReplyWithdrawn{From: a.by("p2", "", at), Message: id} }
}

func fills(at int, values map[string][]string, action string) makes {
	return func(a *again) bot.Event {
		return bot.FormSubmitted{From: a.by("p2", crew, at), Form: "reply", State: string(a.r.ID), Values: values, Action: action}
	}
}

func presses(at int, do, arg string) makes {
	return func(a *again) bot.Event {
		return bot.ActionPressed{From: a.by("p2", crew, at), Action: bot.Action{Do: do, Round: a.r.ID, Arg: arg}}
	}
}

func brings(at int, values map[string][]string) makes {
	return func(a *again) bot.Event {
		return bot.FormSubmitted{From: a.by("p2", crew, at), Form: "propose", State: "fake:ABCD-EFGH-IJKL-MNOP", Values: values}
	}
}

func commands(at int, text string) makes {
	return func(a *again) bot.Event { return bot.Command{From: a.by("p1", crew, at), Text: text} }
}

// boss presses or sends a form as the manager.
func boss(at int, do, arg string) makes {
	return func(a *again) bot.Event {
		return bot.ActionPressed{From: a.by("p1", crew, at), Action: bot.Action{Do: do, Arg: arg}}
	}
}

func sends(at int, form string, values map[string][]string) makes {
	return func(a *again) bot.Event {
		word := map[string]string{"on": "aan", "settings": "instellingen"}[form]
		r, err := a.fake.Command(context.Background(), "p1", crew, word)
		if err != nil || r.Form == nil {
			a.t.Fatalf("%s: %v %q", form, err, plain(r))
		}
		all := map[string][]string{"worktime": {"yes"}}
		for _, f := range r.Form.Fields {
			if f.Name != "worktime" {
				all[f.Name] = f.Value
			}
		}
		maps.Copy(all, values)
		return bot.FormSubmitted{From: a.by("p1", crew, at), Form: form, State: string(crew), Values: all}
	}
}

// writes sends the form for a line in, as p2.
func writes(at int, choice bot.AgreementChoice, line string) makes {
	return func(a *again) bot.Event {
		return bot.FormSubmitted{From: a.by("p2", crew, at), Form: "agree", State: string(a.r.ID) + "/" + string(choice), Values: map[string][]string{"line": {line}}}
	}
}

// settled sends the form for an answer in, as the manager.
func settled(at int, kind bot.AnswerKind, day, words string) makes {
	return func(a *again) bot.Event {
		return bot.FormSubmitted{From: a.by("p1", crew, at), Form: "passed", State: string(a.r.ID), Values: map[string][]string{"answer": {string(kind)}, "day": {day}, "words": {words}}}
	}
}

// Every event that a person or the platform causes may be delivered one to five times, after a restart, and after a newer
// one: the repeat writes nothing at all and posts nothing, and the same event gets the same answer (TRUST 10, D13).
func TestEverythingMayComeAgain(t *testing.T) {
	const other = bot.TeamID("fake:other")
	words := []makes{types(0, "een", "a")}
	kept := append(words[:1:1], types(1, "2", "b"))
	more := append(kept[:2:2], types(2, "meer", "c"))
	said := []makes{types(0, nearlySaid, "a"), types(1, "2", "b")}
	asked := append(said[:2:2], presses(2, "tag", "unknown"))
	count := map[string][]string{"text": {"x"}, "share": {"count"}, "tags": {"quality-speed"}, "stance": {"not-me"}}
	self := map[string][]string{"text": {"x"}, "share": {"self"}}
	resting := func(a *again) {
		a.editTeam(func(t *bot.Team) { t.State, t.NextOpens, t.NextDue = bot.TeamResting, time.Time{}, time.Time{} })
	}
	doubt := func(a *again, at time.Time) {
		err := a.db.UpdatePost(context.Background(), bot.PostID(a.r.ID)+"/prompt", func(p *bot.Post) (bot.Also, error) {
			p.State, p.At, p.Message = bot.PostUncertain, at, bot.Message{Lang: "nl", Blocks: []bot.Block{bot.Note("in twijfel")}}
			return bot.Also{}, nil
		})
		if err != nil {
			a.t.Fatal(err)
		}
	}
	uncertain := func(a *again) { doubt(a, a.T.Add(-time.Minute)) }
	inDoubt := func(a *again) { // the next attempt of the same post ends in doubt too
		if p, err := a.db.Post(context.Background(), bot.PostID(a.r.ID)+"/prompt"); err != nil || p.State != bot.PostSent {
			a.t.Fatalf("%+v %v", p, err)
		}
		doubt(a, a.T.Add(time.Hour))
	}
	settles := func(do string) makes {
		return func(a *again) bot.Event { return boss(0, do, string(a.r.ID)+"/prompt")(a) }
	}
	choosing := func(a *again) { // an agreement is open; it hangs on the round of the scene
		a.editTeam(func(t *bot.Team) {
			t.Agreements = []bot.Agreement{{Round: a.r.ID, Season: 1, Lang: "nl", Due: a.r.Due, Asked: a.T.Add(-time.Hour)}}
		})
	}
	passed := func(a *again) {
		choosing(a)
		a.editTeam(func(t *bot.Team) {
			t.Agreements = slices.Clone(t.Agreements)
			g := &t.Agreements[0]
			g.Choice, g.Line, g.Made, g.Promise = bot.AgreePass, "de bloktijden", a.T.Add(-time.Minute), a.T.AddDate(0, 0, 14)
		})
	}
	number := func(a *again) bot.Event { return writes(0, bot.AgreeTry, "bel 06 12345678")(a) }
	ended := func(a *again) {
		a.editTeam(func(t *bot.Team) {
			t.Agreements = slices.Clone(t.Agreements)
			t.Agreements[0].Closed = a.T.Add(time.Minute)
		})
	}
	skipped := func(a *again) { a.finish(a.r); a.step(a.team().NextOpens) }
	for name, tc := range map[string]repeated{
		"words":                       {event: types(0, "een", "a"), newer: []makes{types(1, "2", "b"), types(2, "meer", "c"), types(3, "vervangen", "d"), types(4, "2", "e")}},
		"words that wait for a merge": {before: kept, event: types(2, "meer", "c"), newer: []makes{types(3, "erbij", "d")}},
		"words for one of two rounds": {more: []bot.TeamID{other}, event: types(0, "een", "a"), newer: []makes{presses(1, "round", "")}},
		"forced words":                {event: types(0, "> help", "a"), newer: []makes{types(1, "2", "b")}},
		"typed round number":          {more: []bot.TeamID{other}, before: words, event: types(1, "2", "b"), newer: []makes{types(2, "2", "c")}},
		"typed share choice":          {before: words, event: types(1, "2", "b"), newer: []makes{types(2, "meer", "c"), types(3, "erbij", "d")}},
		"typed for myself":            {before: words, event: types(1, "3", "b"), newer: []makes{types(2, "meer", "c")}},
		"typed merge":                 {before: more, event: types(3, "erbij", "d"), newer: []makes{types(4, "2", "e"), types(5, "nog", "f")}},
		"typed replace":               {before: more, event: types(3, "vervangen", "d"), newer: []makes{types(4, "2", "e"), types(5, "nog", "f")}},
		"typed tags":                  {before: kept, event: types(2, "1 3", "c"), newer: []makes{presses(3, "tag", "unknown"), types(4, "meer", "d")}},
		"typed own tag":               {before: kept, event: types(2, "iets anders: het rooster", "c"), newer: []makes{types(4, "meer", "d")}},
		"typed stance":                {event: types(0, "raakt mij niet", "a"), newer: []makes{fills(2, count, "")}},
		"typed stance beside words":   {before: kept, event: types(2, "raakt mij niet", "c"), newer: []makes{types(3, "trek in", "d")}},
		"typed withdrawal":            {before: kept, event: types(2, "trek in", "c"), newer: []makes{types(3, "nieuw", "d"), types(4, "2", "e")}},
		"typed change":                {before: kept, event: types(2, "wijzig", "c"), newer: []makes{types(3, "nieuw", "d")}},
		"typed help":                  {event: types(0, "help", "a"), newer: words},
		"typed me":                    {event: types(0, "mij", "a"), newer: words},
		"typed status":                {event: types(0, "status", "a"), newer: words},
		"typed pause":                 {event: types(0, "weerklank pauze", "a"), then: skipped},
		"an edit of a draft":          {before: words, event: changes(1, "beter", "a"), newer: []makes{changes(2, "best", "a")}},
		"an edit of a reply":          {before: kept, event: changes(2, "beter", "a"), newer: []makes{changes(3, "best", "a")}},
		"a deletion from a reply":     {before: append(more[:3:3], types(3, "erbij", "d"), types(4, "2", "e")), event: takes(5, "c"), newer: []makes{types(6, "meer", "f")}, quiet: true},
		"a deletion of all of it":     {before: kept, event: takes(2, "a"), newer: []makes{types(6, "meer", "f")}, quiet: true},
		"a deletion before its words": {event: takes(2, "a"), newer: words},
		"a form":                      {event: fills(0, sharing("x"), ""), newer: []makes{fills(2, count, "")}},
		"a form to count":             {event: fills(0, count, ""), newer: []makes{fills(2, sharing("y"), "")}},
		"a form for myself":           {before: kept, event: fills(2, self, ""), newer: []makes{fills(3, count, "")}},
		"a form that is refused":      {before: kept, event: fills(2, map[string][]string{"text": {"x"}}, ""), newer: []makes{fills(3, count, "")}},
		"a form's withdrawal":         {before: kept, event: fills(2, nil, "withdraw"), newer: []makes{fills(3, count, "")}},
		"a press to answer":           {event: presses(0, "answer", ""), newer: kept},
		"a press on why":              {event: presses(0, "why", ""), newer: kept},
		"a press on me":               {event: presses(0, "me", ""), newer: kept},
		"a press on help":             {event: presses(0, "help", ""), newer: kept},
		"a press to remove":           {event: presses(0, "remove", ""), newer: kept},
		"a press for the receipt":     {before: kept, event: presses(2, "receipt", ""), newer: []makes{types(3, "trek in", "d")}},
		"a press on a round":          {more: []bot.TeamID{other}, before: words, event: presses(1, "round", ""), newer: []makes{types(2, "2", "b"), types(3, "meer", "c")}},
		"a press on the other round": {more: []bot.TeamID{other}, before: words, event: func(a *again) bot.Event {
			return bot.ActionPressed{From: a.by("p2", "", 1), Action: bot.Action{Do: "round", Round: a.other.ID}}
		}, newer: []makes{types(2, "2", "b"), types(3, "meer", "c")}},
		"a press to share":             {before: words, event: presses(1, "share", "share"), newer: []makes{types(2, "meer", "c"), types(3, "erbij", "d")}},
		"a press for myself":           {before: words, event: presses(1, "share", "self"), newer: []makes{types(2, "meer", "c")}},
		"a press to add":               {before: more, event: presses(3, "merge", "add"), newer: []makes{types(4, "2", "e"), types(5, "nog", "f")}},
		"a press to replace":           {before: more, event: presses(3, "merge", "replace"), newer: []makes{types(4, "2", "e"), types(5, "nog", "f")}},
		"a press on a tag":             {before: kept, event: presses(2, "tag", "quality-speed"), newer: []makes{types(4, "trek in", "d")}},
		"a press on a tag of its own":  {before: kept, event: presses(2, "tag", "none"), newer: []makes{types(4, "trek in", "d")}},
		"a press on don't know":        {before: said, event: presses(2, "tag", "unknown"), newer: []makes{types(4, "trek in", "d")}},
		"a press on yes":               {before: asked, event: presses(3, "mirror", "yes"), newer: []makes{types(4, "trek in", "d")}},
		"a press on no":                {before: asked, event: presses(3, "mirror", "no"), newer: []makes{presses(4, "tag", "quality-speed")}},
		"yes in words":                 {before: asked, event: types(3, "ja", "c"), newer: []makes{types(4, "trek in", "d")}},
		"no in words":                  {before: asked, event: types(3, "nee", "c"), newer: []makes{types(4, "trek in", "d")}},
		"a form that does not know":    {event: fills(0, unsure(nearlySaid), ""), newer: []makes{fills(2, count, "")}},
		"a press to withdraw":          {before: kept, event: presses(2, "withdraw", ""), newer: []makes{types(3, "nieuw", "d"), types(4, "2", "e")}},
		"a press to withdraw a draft":  {before: words, event: presses(2, "withdraw", ""), newer: []makes{types(3, "nieuw", "d")}},
		"a press with nothing to take": {event: presses(0, "withdraw", "")},
		"a line":                       {first: choosing, event: writes(0, bot.AgreeTry, "eerst bellen"), newer: []makes{writes(5, bot.AgreePass, "de bloktijden")}},
		"a line that is passed on":     {first: choosing, event: writes(0, bot.AgreePass, "de bloktijden"), newer: []makes{settled(5, bot.AnswerDone, "", ""), writes(6, bot.AgreeTry, "eerst bellen")}},
		"a line, then the next one":    {first: choosing, event: writes(0, bot.AgreeTry, "eerst bellen"), then: ended},
		"a line that names a number":   {first: choosing, event: number, newer: []makes{writes(5, bot.AgreeTry, "bel 06 12345678")}},
		"a line that is refused":       {first: choosing, event: writes(0, bot.AgreeTry, ""), newer: []makes{writes(5, bot.AgreeTry, "eerst bellen")}},
		"a press on leave":             {first: choosing, event: presses(0, "leave", "leave"), newer: []makes{writes(5, bot.AgreeTry, "eerst bellen")}},
		"a press on try":               {first: choosing, event: presses(0, "agree", "try"), newer: []makes{writes(5, bot.AgreeTry, "eerst bellen")}},
		"a press on pass on":           {first: choosing, event: presses(0, "agree", "pass"), newer: []makes{writes(5, bot.AgreeTry, "eerst bellen")}},
		"a typed line":                 {first: choosing, event: types(0, "weerklank afspraak proberen: eerst bellen", "a"), newer: []makes{writes(5, bot.AgreePass, "de bloktijden")}, then: ended},
		"a typed line in the channel":  {first: choosing, event: commands(0, "afspraak doorgeven: de bloktijden"), newer: []makes{writes(5, bot.AgreeTry, "eerst bellen")}},
		"a typed leave":                {first: choosing, event: commands(0, "afspraak zo laten"), newer: []makes{writes(5, bot.AgreeTry, "eerst bellen")}},
		"how the agreement stands":     {first: choosing, event: commands(0, "afspraak"), newer: []makes{writes(5, bot.AgreeTry, "eerst bellen")}},
		"a manager's answer":           {first: passed, event: settled(0, bot.AnswerDone, "", ""), newer: []makes{settled(5, bot.AnswerNot, "", "toch niet")}},
		"a manager's later":            {first: passed, event: settled(0, bot.AnswerLater, "2099-01-01", ""), newer: []makes{settled(5, bot.AnswerDone, "", "")}},
		"a manager's later, in time":   {first: passed, event: commands(0, "antwoord leiding later 1 oktober: met een voorstel"), newer: []makes{settled(5, bot.AnswerDone, "", "klaar")}},
		"a manager's typed answer":     {first: passed, event: commands(0, "antwoord leiding niet gedaan: geen geld"), newer: []makes{settled(5, bot.AnswerDone, "", "")}},
		"a press to answer the team":   {first: passed, event: presses(0, "passed", ""), newer: []makes{settled(5, bot.AnswerDone, "", "")}},
		"the manager's press": {first: passed, event: func(a *again) bot.Event {
			return bot.ActionPressed{From: a.by("p1", crew, 0), Action: bot.Action{Do: "passed", Round: a.r.ID}}
		}, newer: []makes{settled(5, bot.AnswerDone, "", "")}},
		"on, the form":                {before: []makes{commands(0, "uit")}, event: sends(10, "on", nil), newer: []makes{commands(20, "uit")}},
		"on, the command":             {event: commands(0, "aan"), newer: []makes{commands(1, "uit")}},
		"off":                         {event: commands(0, "uit"), newer: []makes{sends(10, "on", nil)}},
		"off, then off":               {event: commands(0, "uit"), newer: []makes{commands(10, "uit")}},
		"settings, the form":          {event: sends(10, "settings", map[string][]string{"min_replies": {"7"}}), newer: []makes{sends(20, "settings", map[string][]string{"min_replies": {"9"}})}},
		"settings, and back":          {event: sends(10, "settings", map[string][]string{"min_replies": {"7"}}), newer: []makes{sends(20, "settings", map[string][]string{"min_replies": {"5"}})}},
		"settings that stay the same": {event: sends(10, "settings", nil), newer: []makes{sends(20, "settings", map[string][]string{"min_replies": {"9"}})}},
		"settings, the command":       {event: commands(0, "instellingen"), newer: []makes{commands(1, "uit")}},
		"pause":                       {event: commands(0, "pauze"), then: skipped},
		"pause, then off and on":      {event: commands(0, "pauze"), newer: []makes{commands(1, "uit"), sends(10, "on", nil)}},
		"pause, then another":         {event: commands(0, "pauze"), newer: []makes{commands(5, "pauze")}},
		"skip":                        {event: commands(0, "overslaan"), then: skipped},
		"pause after an incident":     {event: commands(0, "pauze na een incident"), then: skipped},
		"an incident after a pause":   {before: []makes{commands(0, "pauze")}, event: commands(5, "pauze na een incident"), then: skipped},
		"status":                      {event: commands(0, "status"), newer: []makes{commands(1, "uit")}},
		"next":                        {event: commands(0, "volgende"), newer: []makes{commands(1, "uit")}},
		"why":                         {event: commands(0, "waarom"), newer: []makes{commands(1, "uit")}},
		"season":                      {event: commands(0, "seizoen"), newer: []makes{commands(1, "uit")}},
		"library":                     {event: commands(0, "bibliotheek"), newer: []makes{commands(1, "uit")}},
		"a wish to bring a dilemma":   {event: commands(0, "voorstel"), newer: []makes{commands(1, "uit")}},
		"a dilemma":                   {event: brings(0, good()), newer: []makes{brings(1, with(good(), "situation", "Iets anders."))}},
		"a dilemma with advice":       {event: brings(0, with(good(), "a", "Ik zeg altijd nee.")), newer: []makes{brings(1, with(good(), "a", "Ik zeg altijd nee."))}},
		"a dilemma that is refused":   {event: brings(0, with(good(), "a", "Bel 06-12345678.")), newer: []makes{brings(1, good())}},
		"no command":                  {event: commands(0, "wat nu"), newer: []makes{commands(1, "uit")}},
		"waking up":                   {first: resting, event: boss(0, "wake-up", string(crew)), newer: []makes{commands(1, "uit")}},
		"waking up, resting again":    {first: resting, event: boss(0, "wake-up", string(crew)), then: resting},
		"it is there":                 {first: uncertain, event: settles("there"), then: inDoubt},
		"it is not there":             {first: uncertain, event: settles("not-there"), then: inDoubt},
		"it is not there, typed":      {first: uncertain, event: commands(0, "staat er niet"), then: inDoubt},
		"the home page":               {event: func(a *again) bot.Event { return bot.HomeOpened{From: a.by("p2", "", 0)} }, newer: kept},
		"added to the channel":        {event: func(a *again) bot.Event { return bot.Invited{From: a.by("p2", crew, 0)} }, newer: kept},
		"added to the channel after it was gone": {
			before: []makes{func(a *again) bot.Event { return bot.ChannelGone{Key: "gone", Team: crew, At: a.T.Add(time.Second)} }},
			event:  func(a *again) bot.Event { return bot.Invited{From: a.by("p2", crew, 10)} }, newer: []makes{sends(20, "on", nil)},
		},
		"added to a channel that is no team": {event: func(a *again) bot.Event { return bot.Invited{From: a.by("p2", "fake:fresh", 0)} }},
		"the channel is gone": {event: func(a *again) bot.Event { return bot.ChannelGone{Key: "gone", Team: crew, At: a.T} },
			newer: []makes{sends(10, "on", nil)}},
		"a code that is used": {event: nil, quiet: true},
	} {
		t.Run(name, func(t *testing.T) { tc.run(newAgain(t, tc.more...)) })
	}
}

// The same for a follow-up: what people do in its box, and its code.
func TestEverythingMayComeAgainInAFollowUp(t *testing.T) {
	words := []makes{types(0, "een", "a")}
	kept := append(words[:1:1], types(1, "2", "b"))
	more := append(kept[:2:2], types(2, "meer", "c"))
	count := map[string][]string{"text": {"x"}, "share": {"count"}}
	self := map[string][]string{"text": {"x"}, "share": {"self"}}
	for name, tc := range map[string]repeated{
		"words":                        {event: types(0, "een", "a"), newer: []makes{types(1, "2", "b"), types(2, "meer", "c"), types(3, "vervangen", "d"), types(4, "2", "e")}},
		"words that wait for a merge":  {before: kept, event: types(2, "meer", "c"), newer: []makes{types(3, "erbij", "d")}},
		"words that would be a stance": {event: types(0, "raakt mij niet", "a"), newer: []makes{fills(2, count, "")}},
		"words that would be tags":     {before: kept, event: types(2, "1 3", "c"), newer: []makes{types(3, "erbij", "d")}},
		"typed share choice":           {before: words, event: types(1, "2", "b"), newer: []makes{types(2, "meer", "c"), types(3, "erbij", "d")}},
		"typed for myself":             {before: words, event: types(1, "3", "b"), newer: []makes{types(2, "meer", "c")}},
		"typed merge":                  {before: more, event: types(3, "erbij", "d"), newer: []makes{types(4, "2", "e"), types(5, "nog", "f")}},
		"typed replace":                {before: more, event: types(3, "vervangen", "d"), newer: []makes{types(4, "2", "e"), types(5, "nog", "f")}},
		"typed withdrawal":             {before: kept, event: types(2, "trek in", "c"), newer: []makes{types(3, "nieuw", "d"), types(4, "2", "e")}},
		"an edit of a draft":           {before: words, event: changes(1, "beter", "a"), newer: []makes{changes(2, "best", "a")}},
		"an edit of a reply":           {before: kept, event: changes(2, "beter", "a"), newer: []makes{changes(3, "best", "a")}},
		"a deletion of all of it":      {before: kept, event: takes(2, "a"), newer: []makes{types(6, "meer", "f")}, quiet: true},
		"a deletion before its words":  {event: takes(2, "a"), newer: words},
		"a form":                       {event: fills(0, sharing("x"), ""), newer: []makes{fills(2, count, "")}},
		"a form to count":              {event: fills(0, count, ""), newer: []makes{fills(2, sharing("y"), "")}},
		"a form for myself":            {before: kept, event: fills(2, self, ""), newer: []makes{fills(3, count, "")}},
		"a form's withdrawal":          {before: kept, event: fills(2, nil, "withdraw"), newer: []makes{fills(3, count, "")}},
		"a press to answer":            {event: presses(0, "answer", ""), newer: kept},
		"a press on a tag":             {before: kept, event: presses(2, "tag", "quality-speed"), newer: []makes{types(4, "trek in", "d")}},
		"a press to share":             {before: words, event: presses(1, "share", "share"), newer: []makes{types(2, "meer", "c"), types(3, "erbij", "d")}},
		"a press to add":               {before: more, event: presses(3, "merge", "add"), newer: []makes{types(4, "2", "e"), types(5, "nog", "f")}},
		"a press to withdraw":          {before: kept, event: presses(2, "withdraw", ""), newer: []makes{types(3, "nieuw", "d"), types(4, "2", "e")}},
		"a press for the receipt":      {before: kept, event: presses(2, "receipt", ""), newer: []makes{types(3, "trek in", "d")}},
		"status":                       {event: commands(0, "status"), newer: []makes{commands(1, "uit")}},
		"pause after an incident":      {event: commands(0, "pauze na een incident"), newer: []makes{commands(1, "uit")}},
		"the home page":                {event: func(a *again) bot.Event { return bot.HomeOpened{From: a.by("p2", "", 0)} }, newer: kept},
		"a code that is used":          {event: nil, quiet: true},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAgain(t)
			a.six(a.r)
			a.finish(a.r)
			a.r, a.T = a.followUp(), a.fake.Now()
			tc.run(a)
		})
	}
}

// repeated is an event that comes again, with what was before it and comes after it.
type repeated struct {
	more   []bot.TeamID
	before []makes
	first  func(*again)
	event  makes
	newer  []makes
	then   func(*again)
	quiet  bool // what changed something is told once: the repeat of a deletion is silent, a code is unknown
}

func (tc repeated) run(a *again) {
	t := a.t
	ctx := context.Background()
	send := func(e bot.Event) string {
		t.Helper()
		r, err := a.fake.Send(ctx, e)
		if err != nil {
			t.Fatalf("%T: %v", e, err)
		}
		return answered(r)
	}
	for _, e := range tc.before {
		send(e(a))
	}
	if tc.first != nil {
		tc.first(a)
	}
	if tc.event == nil {
		codes := a.six(a.r)
		a.finish(a.r)
		tc.event = func(a *again) bot.Event {
			return bot.FormSubmitted{From: a.by("p2", crew, 0), Form: "remove", Values: map[string][]string{"code": {codes["p2"]}}}
		}
	}
	event := tc.event(a)
	first := send(event)
	a.flush()
	repeat := func(when string, times int, sameAnswer bool) {
		t.Helper()
		writes, posts, asked := a.store.writes.Load(), len(a.fake.Posts("")), len(a.fake.Told())
		for range times {
			if got := send(event); sameAnswer && got != first {
				t.Errorf("%s it was answered\n%s\nat first\n%s", when, got, first)
			}
		}
		if n := a.store.writes.Load() - writes; n != 0 {
			t.Errorf("%s it wrote %d times", when, n)
		}
		a.flush()
		if len(a.fake.Posts("")) != posts || len(a.fake.Told()) != asked {
			t.Errorf("%s it was posted again", when)
		}
	}
	repeat("again", 4, !tc.quiet)
	a.restart()
	repeat("after a restart", 1, !tc.quiet)
	for _, e := range tc.newer {
		send(e(a))
	}
	if tc.then != nil {
		tc.then(a)
	}
	a.flush()
	if tc.newer != nil || tc.then != nil {
		repeat("after a newer one", 2, false)
		a.restart()
		repeat("after a newer one and a restart", 1, false)
	}
}

// "Kept" is said only of what was stored (D14): a store that takes nothing gives no receipt, and the same event is kept
// the next time.
func TestKeptIsSaidAfterTheCommit(t *testing.T) {
	a := newAgain(t)
	full := &takesNothing{Store: a.store}
	o := a.o
	o.Store, o.Keys, o.Chats = full, a.keys, []bot.Chat{a.fake}
	var err error
	if a.bot, err = bot.New(o); err != nil {
		t.Fatal(err)
	}
	a.fake.Use(a.bot.Handle)
	for _, step := range []struct {
		event bot.Event
		says  string
	}{
		{types(0, "een", "a")(a), "nog niet bewaard"}, {presses(1, "share", "share")(a), "Bewaard, zonder naam."},
		{fills(2, sharing("x"), "")(a), "deze code"}, {presses(3, "withdraw", "")(a), "Ingetrokken"},
	} {
		full.fails.Store(true)
		if r, err := a.fake.Send(context.Background(), step.event); err == nil || strings.Contains(answered(r), step.says) {
			t.Errorf("nothing was stored, and the answer is %q, %v", answered(r), err)
		}
		full.fails.Store(false)
		if r, err := a.fake.Send(context.Background(), step.event); err != nil || !strings.Contains(answered(r), step.says) {
			t.Errorf("%q %v, want %q", answered(r), err, step.says)
		}
	}
}

// takesNothing is the real store; while it fails, no ballot is taken.
type takesNothing struct {
	bot.Store
	fails atomic.Bool
}

func (s *takesNothing) Cast(ctx context.Context, id bot.RoundID, at bot.Address, edit func(bot.Slip) (bot.Slip, error)) error {
	if s.fails.Load() {
		return bot.ErrFull
	}
	return s.Store.Cast(ctx, id, at, edit)
}

// A vote is one per person, however often it comes and in whatever order.
func TestAVoteMayComeAgain(t *testing.T) {
	w := newWorld(t, func(o *bot.Options) { o.Activation = "announced" })
	defer w.close()
	ctx := context.Background()
	w.switchOn(crew, nil)
	vote := w.votes(bot.RoundJoin)[0]
	at := w.fake.Now()
	cast := func(person, choice string, after int) string {
		f := w.fake.From(person, crew)
		f.At = at.Add(time.Duration(after) * time.Second)
		r, err := w.fake.Send(ctx, bot.ActionPressed{From: f, Action: bot.Action{Do: "vote", Round: vote.ID, Arg: choice}})
		if err != nil {
			t.Fatal(err)
		}
		return plain(r)
	}
	for i := range 5 {
		p := fmt.Sprintf("p%d", i+1)
		first := cast(p, "no", 1)
		if again := cast(p, "no", 1); again != first {
			t.Errorf("%q, then %q", first, again)
		}
		cast(p, "yes", 2)
		cast(p, "no", 1)
	}
	w.step(vote.Closes)
	if w.team().State != bot.TeamOn || !strings.Contains(w.channel(crew), "Genoeg mensen doen mee") {
		t.Errorf("%s\n%s", w.team().State, w.channel(crew))
	}
}

// Words that come again after their round has closed are read for no round that opened later (TRUST 10).
func TestLateWordsAreForNoLaterRound(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	ctx := context.Background()
	at := w.fake.Now()
	send := func(e bot.DirectReply) string {
		t.Helper()
		resp, err := w.fake.Send(ctx, e)
		if err != nil {
			t.Fatal(err)
		}
		return plain(resp)
	}
	event := func(text, id string, after time.Duration) bot.DirectReply {
		f := w.fake.From("p2", "")
		f.At = at.Add(after)
		return bot.DirectReply{From: f, Text: bot.ReplyText(text), Message: id}
	}
	words, stance, back := event("voor de eerste ronde", "a", 0), event("raakt mij niet", "b", time.Second), event("trek in", "c", 2*time.Second)
	send(words)
	w.finish(r)
	w.step(w.team().NextOpens)
	next := w.openRound(crew)
	for _, e := range []bot.DirectReply{words, stance, back} {
		if got := send(e); !strings.Contains(got, "Deze ronde is dicht") {
			t.Errorf("%s: %q", e.Message, got)
		}
	}
	edit := words
	edit.Edited, edit.Text, edit.At = true, "anders", at.Add(time.Minute)
	if got := send(edit); !strings.Contains(got, "Deze ronde is dicht") {
		t.Errorf("an edit: %q", got)
	}
	form, err := w.fake.Press(ctx, "p2", crew, bot.Action{Do: "answer", Round: next.ID})
	if err != nil || form.Form == nil || len(form.Form.Fields[0].Value) != 0 {
		t.Errorf("something of the old round lies in the new one: %v %+v", err, form.Form)
	}
	if box, err := w.db.Box(ctx, next.ID); err != nil || len(box) != 0 {
		t.Errorf("%d ballots, %v", len(box), err)
	}
	if got := send(event("voor deze ronde", "d", next.Opens.Sub(at)+time.Minute)); !strings.Contains(got, "nog niet bewaard") {
		t.Errorf("%q", got)
	}
}
