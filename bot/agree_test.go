package bot_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/prompts"
)

// agreeing is a team that was given back a round and asked what it chooses; its next question has not come.
type agreeing struct {
	*world
	t *testing.T
	r bot.Round
	T time.Time // an hour after the give-back
}

func newAgreeing(t *testing.T) *agreeing {
	t.Helper()
	w, r := openWorld(t, 8)
	t.Cleanup(w.close)
	err := w.db.UpdateRound(context.Background(), r.ID, func(r *bot.Round, _ *bot.Team) (bot.Also, error) {
		r.Slot = prompts.SlotLight
		return bot.Also{}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w.six(r)
	r = w.finish(r)
	if !r.Chooses || len(w.team().Agreements) != 1 {
		t.Fatalf("not asked: %+v", r)
	}
	return &agreeing{w, t, r, r.GivesBack.Add(time.Hour)}
}

// send hands over an event of somebody, so many seconds after T, and sends what it queued.
func (a *agreeing) send(person string, at int, event func(bot.From) bot.Event) bot.Response {
	a.t.Helper()
	f := a.fake.From(person, crew)
	f.At = a.T.Add(time.Duration(at) * time.Second)
	r, err := a.fake.Send(context.Background(), event(f))
	if err != nil {
		a.t.Fatal(err)
	}
	if _, err := a.bot.Send(context.Background(), f.At.Add(time.Minute)); err != nil {
		a.t.Fatal(err)
	}
	return r
}

func (a *agreeing) line(choice bot.AgreementChoice, line, to string) func(bot.From) bot.Event {
	return func(f bot.From) bot.Event {
		return bot.FormSubmitted{From: f, Form: "agree", State: string(a.r.ID) + "/" + string(choice), Values: map[string][]string{"line": {line}, "to": {to}}}
	}
}

func (a *agreeing) answers(kind bot.AnswerKind, day, words string) func(bot.From) bot.Event {
	return func(f bot.From) bot.Event {
		return bot.FormSubmitted{From: f, Form: "passed", State: string(a.r.ID), Values: map[string][]string{"answer": {string(kind)}, "day": {day}, "words": {words}}}
	}
}

func (a *agreeing) says(person string, at int, text string) string {
	a.t.Helper()
	return plain(a.send(person, at, command(text)))
}

func (a *agreeing) now() bot.Agreement {
	a.t.Helper()
	all := a.team().Agreements
	return all[len(all)-1]
}

// shown is the message of the agreement as it stands in the channel.
func (a *agreeing) shown() string {
	a.t.Helper()
	p, err := a.db.Post(context.Background(), bot.PostID(string(a.r.ID)+"/agree"))
	if err != nil {
		a.t.Fatal(err)
	}
	for _, q := range a.fake.Posts(crew) {
		if q.Ref == p.Ref {
			return q.Message.Plain()
		}
	}
	return ""
}

// permute calls f with every order of n things.
func permute(n int, f func([]int)) {
	var rec func(done, left []int)
	rec = func(done, left []int) {
		if len(left) == 0 {
			f(done)
			return
		}
		for i, x := range left {
			rec(append(slices.Clone(done), x), append(slices.Clone(left[:i]), left[i+1:]...))
		}
	}
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	rec(nil, all)
}

// Lines of several people, and a manager's answers, in every order and twice: the latest line stands, an answer is to the line
// that it was given to, and the newest answer stands.
func TestAgreementsInAnyOrder(t *testing.T) {
	a := newAgreeing(t)
	acts := []struct {
		person string
		event  func(bot.From) bot.Event
	}{
		{"p2", a.line(bot.AgreeTry, "eerst bellen", "")}, {"p3", a.line(bot.AgreeLeave, "", "")}, {"p4", a.line(bot.AgreePass, "de bloktijden", "")},
		{"p1", a.answers(bot.AnswerLater, "2026-12-15", "met een voorstel")}, {"p1", a.answers(bot.AnswerDone, "", "")},
	}
	empty := a.team()
	orders := 0
	permute(len(acts), func(order []int) {
		if slices.Index(order, 3) < slices.Index(order, 2) || slices.Index(order, 4) < slices.Index(order, 2) {
			return // nobody can answer what they have not read
		}
		orders++
		a.editTeam(func(t *bot.Team) { t.Agreements = slices.Clone(empty.Agreements) })
		for _, i := range append(slices.Clone(order), order...) {
			a.send(acts[i].person, 10*i, acts[i].event)
		}
		got := a.now()
		if got.Choice != bot.AgreePass || got.Line != "de bloktijden" || got.Answer == nil || got.Answer.Kind != bot.AnswerDone || got.Manager != a.team().SwitchedOnName || got.To != "fake:p1" {
			t.Errorf("%v: %+v", order, got)
		}
	})
	if orders < 20 {
		t.Errorf("%d orders", orders)
	}
}

// Two lines at the same moment: one stands, and the other's author is told.
func TestTwoLinesAtOnce(t *testing.T) {
	a := newAgreeing(t)
	one, two := a.line(bot.AgreeTry, "eerst bellen", ""), a.line(bot.AgreeTry, "eerst schrijven", "")
	first := plain(a.send("p2", 0, one))
	second := plain(a.send("p3", 0, two))
	if !strings.Contains(first, "Opgeschreven") || !strings.Contains(second, "nieuwere regel") || a.now().Line != "eerst bellen" || !strings.Contains(a.shown(), "eerst bellen") {
		t.Errorf("%q, %q, %+v\n%s", first, second, a.now(), a.shown())
	}
	if again := plain(a.send("p2", 0, one)); again != first {
		t.Errorf("%q, then %q", first, again)
	}
	a.send("p3", 1, two)
	if got := a.shown(); strings.Contains(got, "eerst bellen") || !strings.Contains(got, "eerst schrijven") {
		t.Error(got)
	}
}

// Everything that has a button or form can be typed, in both languages, in the channel and in private.
func TestAgreementsAreTyped(t *testing.T) {
	a := newAgreeing(t)
	for i, tc := range []struct {
		text   string
		choice bot.AgreementChoice
		line   string
		to     string
	}{
		{"afspraak proberen: Eerst bellen.", bot.AgreeTry, "Eerst bellen", ""}, {"Agreement try: call first", bot.AgreeTry, "call first", ""},
		{"afspraak zo laten", bot.AgreeLeave, "", ""}, {"weerklank agreement leave", bot.AgreeLeave, "", ""},
		{"afspraak doorgeven: de bloktijden", bot.AgreePass, "de bloktijden", "p1"}, {"Afspraak doorgeven aan Robin van het rooster: de bloktijden", bot.AgreePass, "de bloktijden", "Robin van het rooster"},
		{"agreement pass on to Robin: 10:30 is too late", bot.AgreePass, "10:30 is too late", "Robin"},
	} {
		if tc.to == "p1" {
			tc.to = a.team().SwitchedOnName
		}
		if got := a.says("p3", 10*i, tc.text); !strings.Contains(got, "Opgeschreven") {
			t.Errorf("%q: %s", tc.text, got)
		}
		if got := a.now(); got.Choice != tc.choice || got.Line != tc.line || got.Manager != tc.to {
			t.Errorf("%q: %+v", tc.text, got)
		}
	}
	if got := a.now(); got.To != "" {
		t.Errorf("a typed name is an account: %+v", got)
	}
	direct := func(person string, at int, text string) string {
		f := a.fake.From(person, "")
		f.At = a.T.Add(time.Duration(at) * time.Second)
		r, err := a.fake.Send(context.Background(), bot.DirectReply{From: f, Text: bot.ReplyText(text), Message: text})
		if err != nil {
			t.Fatal(err)
		}
		return plain(r)
	}
	for _, text := range []string{"afspraak doorgeven: de sleutels", "afspraak zo laten", "afspraak"} { // a follow-up is open, and it may be a reply to that
		before := a.now()
		if got := direct("p5", 90, text); !strings.Contains(got, "Typ dan: weerklank "+text+".") || !strings.Contains(got, "Typ dan: > "+text) || !reflect.DeepEqual(a.now(), before) {
			t.Errorf("%q: %s %+v", text, got, a.now())
		}
	}
	edited := a.fake.From("p5", "")
	edited.At = a.T.Add(95 * time.Second)
	if _, err := a.fake.Send(context.Background(), bot.DirectReply{From: edited, Text: "weerklank afspraak zo laten", Message: "edited", Edited: true}); err != nil || a.now().Choice != bot.AgreePass {
		t.Errorf("an edited message is a command: %+v %v", a.now(), err)
	}
	if got := direct("p5", 100, "weerklank afspraak doorgeven: de sleutels"); !strings.Contains(got, "Opgeschreven") || a.now().Line != "de sleutels" {
		t.Errorf("%s %+v", got, a.now())
	}
	for _, text := range []string{"afspraak proberen", "afspraak doorgeven"} { // where no form can be shown, it is said how
		f := a.fake.From("p2", crew)
		f.At, f.Typed = a.T.Add(5*time.Minute), true
		r, err := a.fake.Send(context.Background(), bot.Command{From: f, Text: text})
		if err != nil || r.Form != nil || !strings.Contains(plain(r), "Typ het zo: "+text+":") {
			t.Errorf("%q: %v %s", text, err, plain(r))
		}
	}
	for i, tc := range []struct {
		text string
		kind bot.AnswerKind
		said string
	}{
		{"antwoord leiding later 15 december: met een voorstel", bot.AnswerLater, "later, uiterlijk 15 december, met een voorstel."},
		{"manager answer later 2026-12-20", bot.AnswerLater, "later, uiterlijk 20 december."}, {"antwoord leiding 1 niet gedaan: geen geld.", bot.AnswerNot, "niet gedaan, geen geld."},
		{"manager answer done", bot.AnswerDone, "gedaan."},
	} {
		text := direct("p1", 110+10*i, "weerklank "+tc.text)
		if i == 0 {
			if got := direct("p1", 105, tc.text); !strings.Contains(got, "Typ dan: > ") {
				t.Errorf("%q: %s", tc.text, got)
			}
		}
		if i == 3 { // there is nothing left to answer without its number
			text = direct("p1", 110+10*i, "weerklank manager answer 1 done")
		}
		if _, err := a.bot.Send(context.Background(), a.T.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(text, "Je antwoord staat in het kanaal") || a.now().Answer.Kind != tc.kind || !strings.Contains(a.channel(crew), "de sleutels. Antwoord van de leiding op "+dayOf(a.T)+": "+tc.said) {
			t.Errorf("%q: %s, %+v\n%s", tc.text, text, a.now().Answer, a.shown())
		}
	}
	if got := direct("p2", 200, "antwoord leiding gedaan"); !strings.Contains(got, "Ik lees dit als antwoord") { // a follow-up is open, and it may be one
		t.Error(got)
	}
	if got := direct("p2", 210, "weerklank antwoord leiding gedaan"); !strings.Contains(got, "niets doorgegeven") {
		t.Error(got)
	}
}

func dayOf(t time.Time) string {
	return fmt.Sprintf("%d %s", t.Day(), []string{"januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november", "december"}[t.Month()-1])
}

// What somebody writes about agreements is a reply, whatever it begins with; and while a question is open and no agreement is,
// the words themselves are one too.
func TestRepliesAreNoAgreements(t *testing.T) {
	s := newScene(t)
	for i, text := range []string{
		"Afspraak is afspraak", "Afspraak", "Afspraak proberen we altijd", "afspraak proberen: vooraf bellen", "Afspraak doorgeven aan een ander mag niet",
		"Antwoord leiding blijft uit", "Antwoord leiding later ook niet", "antwoord leiding gedaan", "Agreement leaves me cold", "Manager answers nothing",
	} {
		if i == 5 { // a message holds eight at most
			s.do(typed(45, "3", "self"))
		}
		if got := s.do(typed(10*i, text, text)); !strings.Contains(got, "nog niet bewaard") {
			t.Errorf("%q: %q", text, got)
		}
	}
	if got := s.do(typed(500, "weerklank afspraak", "x")); !strings.Contains(got, "geen afspraak op te schrijven") {
		t.Errorf("called by its name: %q", got)
	}
}

// What may tell of a person is shown to who wrote the line, once; the same line sent anew was meant. It never stands in a row of
// the store before.
func TestAgreementHints(t *testing.T) {
	a := newAgreeing(t)
	line := a.line(bot.AgreeTry, "bel 06 12345678 van tevoren", "")
	r := a.send("p2", 0, line)
	if r.Form == nil || !strings.Contains(r.Errors["line"], "een telefoonnummer") || r.Form.Fields[0].Value[0] != "bel 06 12345678 van tevoren" || a.now().Choice != "" {
		t.Fatalf("%v %+v", r.Errors, a.now())
	}
	if r = a.send("p2", 0, line); r.Form == nil {
		t.Error("the same act again is no second wish")
	}
	if r = a.send("p2", 1, line); !strings.Contains(plain(r), "Opgeschreven") || a.now().Line == "" {
		t.Errorf("%s %v", plain(r), r.Errors)
	}
	if got := a.says("p3", 5, "afspraak proberen: bel 06 87654321"); !strings.Contains(got, "een telefoonnummer") || !strings.Contains(got, "nog niets opgeschreven") {
		t.Error(got)
	}
	if got := a.says("p3", 6, "afspraak proberen: bel 06 87654321"); !strings.Contains(got, "Opgeschreven") {
		t.Error(got)
	}
}

// Only who is in the channel writes a line; only who manages it now answers. Who managed it before does not, and what waits stays.
func TestWhoMayAgreeAndAnswer(t *testing.T) {
	a := newAgreeing(t)
	a.fake.Add(chattest.Person{ID: "stranger", Name: "Vreemd", Lang: "nl"})
	if got := plain(a.send("stranger", 0, a.line(bot.AgreeTry, "x y", ""))); !strings.Contains(got, "kanaal") || a.now().Choice != "" {
		t.Error(got)
	}
	a.send("p2", 1, a.line(bot.AgreePass, "de bloktijden", ""))
	if got := a.says("p1", 2, "mij"); !strings.Contains(got, "aan jou is iets doorgegeven") {
		t.Error(got)
	}
	if got := a.says("p2", 2, "mij"); strings.Contains(got, "doorgegeven") {
		t.Error(got)
	}
	a.fake.Add(chattest.Person{ID: "p1", Name: "Person 1", Lang: "nl", Channels: []bot.TeamID{crew}}, chattest.Person{ID: "p8", Name: "Person 8", Lang: "nl", Channels: []bot.TeamID{crew}, Manages: []bot.TeamID{crew}})
	done := a.answers(bot.AnswerDone, "", "")
	for _, person := range []string{"p1", "p2"} {
		if got := plain(a.send(person, 2, done)); !strings.Contains(got, "alleen wie dit kanaal beheert") || a.now().Answer != nil {
			t.Errorf("%s: %s", person, got)
		}
		if got := a.says(person, 3, "antwoord leiding gedaan"); !strings.Contains(got, "alleen wie dit kanaal beheert") {
			t.Errorf("%s: %s", person, got)
		}
	}
	if got := plain(a.send("p8", 4, done)); !strings.Contains(got, "staat in het kanaal") || a.now().Answer == nil {
		t.Error(got)
	}
}

// A passed-on matter is never passed over in silence: with the team off, resting or paused the channel hears on the day after
// that the answer is late, once for each promised day; not if the channel is gone, nor once it was answered.
func TestSilenceIsMentioned(t *testing.T) {
	late := "Nog zonder antwoord, toegezegd voor"
	for name, tc := range map[string]struct {
		between func(a *agreeing)
		times   int
	}{
		"going on": {func(*agreeing) {}, 1},
		"off":      {func(a *agreeing) { a.says("p1", 5, "uit") }, 1},
		"resting": {func(a *agreeing) {
			a.editTeam(func(t *bot.Team) { t.State, t.NextOpens, t.NextDue = bot.TeamResting, time.Time{}, time.Time{} })
		}, 1},
		"paused":   {func(a *agreeing) { a.says("p4", 5, "pauze") }, 1},
		"restart":  {func(a *agreeing) { a.world.close(); a.world.open() }, 1},
		"gone":     {func(a *agreeing) { a.editTeam(func(t *bot.Team) { t.State = bot.TeamGone }) }, 0},
		"answered": {func(a *agreeing) { a.send("p1", 5, a.answers(bot.AnswerNot, "", "geen geld")) }, 0},
		"later": {func(a *agreeing) {
			a.send("p1", 5, a.answers(bot.AnswerLater, a.T.AddDate(0, 0, 20).Format(time.DateOnly), ""))
		}, 1},
		"another line": {func(a *agreeing) { a.send("p3", 5, a.line(bot.AgreeTry, "toch zelf doen", "")) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAgreeing(t)
			a.send("p2", 0, a.line(bot.AgreePass, "de bloktijden", ""))
			promise := a.now().Promise
			tc.between(a)
			posts := func() (n int) {
				for _, p := range a.fake.Posts(crew) {
					if strings.HasPrefix(p.First.Plain(), late) {
						n++
					}
				}
				return n
			}
			if name == "later" {
				promise = a.now().Promise
			}
			if name == "going on" { // and each give-back tells it, first the promise and then that it passed
				for range 4 {
					a.step(a.team().NextOpens)
					r := a.openRound(crew)
					a.six(r)
					r = a.finish(r)
					want := "Doorgegeven aan "
					if r.GivesBack.After(promise.Add(14 * time.Hour)) { // the day is over
						want = late
					}
					if given, err := a.bot.Export(context.Background(), crew); err != nil || !slices.ContainsFunc(given, func(s bot.Seen) bool {
						return s.Round == r.Number && s.What == bot.SeenGiveBack && strings.Contains(s.Text, want) && strings.Contains(s.Text, "de bloktijden")
					}) {
						t.Errorf("round %d does not say %q: %v", r.Number, want, err)
					}
				}
			} else {
				a.editTeam(func(t *bot.Team) { t.NextOpens, t.NextDue = time.Time{}, time.Time{} })
			}
			a.step(promise.Add(2 * time.Hour))
			if name != "going on" && posts() != 0 {
				t.Error("told before the day is over")
			}
			for d := range 10 {
				a.step(promise.AddDate(0, 0, 1+d))
			}
			if posts() != tc.times {
				t.Errorf("told %d times:\n%s", posts(), a.channel(crew))
			}
		})
	}
}

// A line is taken until the next opening, whatever comes between, and while a team rests for four weeks; an act of before the
// opening that is delivered after it still counts.
func TestUntilTheNextOpening(t *testing.T) {
	for name, between := range map[string]func(a *agreeing){
		"off":     func(a *agreeing) { a.says("p1", 1, "uit") },
		"paused":  func(a *agreeing) { a.says("p4", 1, "pauze") },
		"restart": func(a *agreeing) { a.world.close(); a.world.open() },
		"resting": func(a *agreeing) {
			a.editTeam(func(t *bot.Team) { t.State, t.NextOpens, t.NextDue = bot.TeamResting, time.Time{}, time.Time{} })
		},
	} {
		a := newAgreeing(t)
		between(a)
		if got := plain(a.send("p2", 60, a.line(bot.AgreeTry, "eerst bellen", ""))); !strings.Contains(got, "Opgeschreven") || !strings.Contains(a.shown(), "eerst bellen") {
			t.Errorf("%s: %s", name, got)
		}
		if name == "off" || name == "resting" {
			if got := plain(a.send("p2", 27*24*3600, a.line(bot.AgreeTry, "nog eens bellen", ""))); !strings.Contains(got, "Opgeschreven") {
				t.Errorf("%s: %s", name, got)
			}
			if got := plain(a.send("p2", 28*24*3600, a.line(bot.AgreeTry, "te laat", ""))); !strings.Contains(got, "geen afspraak op te schrijven") {
				t.Errorf("%s: %s", name, got)
			}
		}
	}
	a := newAgreeing(t)
	opens := a.team().NextOpens
	a.step(opens)
	after := int(opens.Sub(a.T).Seconds())
	if got := plain(a.send("p2", after+1, a.line(bot.AgreeTry, "te laat", ""))); !strings.Contains(got, "geen afspraak op te schrijven") {
		t.Error(got)
	}
	if got := a.shown(); !strings.Contains(got, "geen afspraak opgeschreven") || strings.Contains(got, "(Proberen)") {
		t.Error(got)
	}
	if got := plain(a.send("p2", after-60, a.line(bot.AgreeTry, "net op tijd", ""))); !strings.Contains(got, "Opgeschreven") || !strings.Contains(a.shown(), "net op tijd") || strings.Contains(a.shown(), "(Proberen)") {
		t.Errorf("%s\n%s", got, a.shown())
	}
}

// Where questions are only talked about nothing is given back: the question itself says what waits for an answer, and the
// agreement that it looks back on shows that.
func TestTalkedAboutOnly(t *testing.T) {
	for name, tc := range map[string]struct {
		choice      bot.AgreementChoice
		asks, shows string
	}{
		"waits":     {bot.AgreePass, "Doorgegeven aan ", "de bloktijden"},
		"looked at": {bot.AgreeTry, "de bloktijden", "Hierop keken we terug op "},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAgreeing(t)
			a.send("p2", 0, a.line(tc.choice, "de bloktijden", ""))
			a.editTeam(func(t *bot.Team) { t.Settings.Rhythm = bot.RhythmTalkOnly })
			if tc.choice == bot.AgreeTry {
				if err := a.bot.DueLookBack(context.Background(), crew, a.T); err != nil {
					t.Fatal(err)
				}
			}
			a.step(a.team().NextOpens)
			a.step(a.team().NextOpens) // the first is of the rhythm before
			asked := 0
			for _, p := range a.fake.Posts(crew) {
				if text := p.First.Plain(); strings.Contains(text, "Dit is een vraag om over te praten") && strings.Contains(text, tc.asks) && strings.Contains(text, "de bloktijden") {
					asked++
				}
			}
			if asked == 0 || !strings.Contains(a.shown(), tc.shows) {
				t.Errorf("%d\n%s\n%s", asked, a.shown(), a.channel(crew))
			}
		})
	}
}

// People's words are put in as they are: marks, placeholders and mentions in them stay words, in a run of their own that
// adapters make inert.
func TestAgreementWordsAreInert(t *testing.T) {
	const nasty = "bel {date} **nu** <!channel> @here {agreement} `x`"
	a := newAgreeing(t)
	a.send("p2", 0, a.line(bot.AgreePass, nasty, "**Baas** {due}"))
	a.send("p2", 1, a.line(bot.AgreePass, nasty, "**Baas** {due}")) // what looks like a mention is shown first
	a.send("p1", 2, a.answers(bot.AnswerNot, "", nasty))
	a.send("p1", 3, a.answers(bot.AnswerNot, "", nasty))
	a.editTeam(func(t *bot.Team) { t.Agreements[0].Answer = nil })
	a.send("p2", 4, a.line(bot.AgreeTry, nasty, ""))
	if err := a.bot.DueLookBack(context.Background(), crew, a.T.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	a.step(a.team().NextOpens)
	r := a.openRound(crew)
	if r.Prompt.Kind != prompts.LookBack || r.About == nil || a.now().LookBack != r.ID {
		t.Fatalf("%s %+v", r.Prompt.ID, a.now())
	}
	held := 0
	for _, p := range a.fake.Posts(crew) {
		for _, m := range []bot.Message{p.First, p.Message} {
			for _, b := range m.Blocks {
				for _, s := range b.Spans {
					if strings.Contains(s.Text, "<!channel>") || strings.Contains(s.Text, "**Baas**") {
						held++
						if !s.Person || s.Strong || s.Text != nasty && s.Text != "**Baas** {due}" {
							t.Errorf("%+v", s)
						}
					}
				}
			}
		}
	}
	if held < 4 {
		t.Errorf("found %d times", held)
	}
	if text := r.Prompt.In("nl").Text; strings.Count(text, "{agreement}") != 1 || strings.Count(text, "{date}") != 1 {
		t.Errorf("%s", text) // the ones of the line
	}
	lib := library(t)
	if p, _ := lib.Prompt(r.Prompt.ID); !strings.Contains(p.In("nl").Text, "{agreement}") || strings.Contains(p.In("nl").Text, nasty) {
		t.Error("the library itself was changed")
	}
}

// A reply to a look-back that its author takes away is in no overview any more; and nothing that was quoted stood in the outbox.
func TestTakenBackFromTheOverview(t *testing.T) {
	a := newAgreeing(t)
	a.send("p2", 0, a.line(bot.AgreeTry, "eerst bellen", ""))
	if err := a.bot.DueLookBack(context.Background(), crew, a.T.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	a.step(a.team().NextOpens)
	r := a.openRound(crew)
	codes := a.six(r)
	a.editTeam(func(t *bot.Team) { t.SeasonRounds = 12 })
	a.until(r.Closes)
	if _, err := a.bot.Step(context.Background(), r.Closes); err != nil {
		t.Fatal(err)
	}
	a.step(r.GivesBack)
	a.step(r.GivesBack.Add(time.Second))
	overview := func() chattest.Posted {
		for _, p := range a.fake.Posts(crew) {
			if strings.HasPrefix(p.First.Plain(), "# Waar het bij ons schuurt") {
				return p
			}
		}
		t.Fatalf("no overview:\n%s", a.channel(crew))
		return chattest.Posted{}
	}
	quoted := ""
	for p := range codes {
		if strings.Contains(overview().Message.Plain(), "quote van "+p) {
			quoted = p
		}
	}
	if quoted == "" || !strings.Contains(overview().Message.Plain(), "eerst bellen (ronde 2): \"quote van ") {
		t.Fatal(overview().Message.Plain())
	}
	at := r.GivesBack.Add(time.Hour)
	f := a.fake.From(quoted, crew)
	f.At = at
	if _, err := a.fake.Send(context.Background(), bot.FormSubmitted{From: f, Form: "remove", Values: map[string][]string{"code": {codes[quoted]}}}); err != nil {
		t.Fatal(err)
	}
	a.step(at.Add(time.Minute))
	if text := overview().Message.Plain(); strings.Contains(text, "quote van "+quoted) || strings.Count(text, "quote van ") != 2 || !strings.Contains(text, "(Doorgaan)") {
		t.Error(text)
	}
}

// However much a team chose, the overview keeps to three hundred words besides its map, and what waits for an answer is in it.
func TestSeasonEndIsShort(t *testing.T) {
	for _, lang := range prompts.Langs() {
		t.Run(string(lang), func(t *testing.T) { seasonEnd(t, lang, 1, " 2", " 5") })
		t.Run(string(lang)+", much waits", func(t *testing.T) {
			seasonEnd(t, lang, 6, " 0", map[prompts.Lang]string{"nl": "andere punten wachten ook op antwoord", "en": "other items wait for an answer too"}[lang])
		})
	}
}

// seasonEnd ends a season after six long agreements, of which some wait for an answer. The overview says those words.
func seasonEnd(t *testing.T, lang prompts.Lang, waiting int, said ...string) {
	t.Helper()
	a := newAgreeing(t)
	long := strings.TrimSpace(strings.Repeat("een twee drie vier ", 8))
	a.editTeam(func(t *bot.Team) {
		t.Settings.Lang, t.SeasonRounds = lang, 12
		made := t.Agreements[0]
		t.Agreements = nil
		for i := range 6 {
			b := made
			b.Round, b.Lang = bot.RoundID(fmt.Sprintf("R%d", i)), lang
			b.Choice, b.Line, b.Made, b.Closed, b.Due = bot.AgreeTry, fmt.Sprintf("%s %d", long, i), a.T, a.T, a.T.AddDate(0, -3, 0)
			if i == 2 || waiting > 1 {
				b.Choice, b.Promise = bot.AgreePass, a.T.AddDate(0, 0, 14)
			}
			t.Agreements = append(t.Agreements, b)
		}
	})
	a.step(a.team().NextOpens)
	r := a.openRound(crew)
	a.six(r)
	r = a.finish(r)
	a.step(r.GivesBack.Add(time.Second))
	found := false
	for _, p := range a.fake.Posts(crew) {
		words, season := 0, false
		for _, b := range p.First.Blocks {
			season = season || b.Kind == bot.BlockPicture
			if b.Kind != bot.BlockCode && b.Kind != bot.BlockPicture {
				words += len(strings.Fields(bot.Message{Blocks: []bot.Block{b}}.Plain()))
			}
		}
		if !season {
			continue
		}
		found = true
		for _, want := range said {
			if words > 300 || !strings.Contains(p.First.Plain(), want) {
				t.Errorf("%d words, want %q\n%s", words, want, p.First.Plain())
			}
		}
	}
	if !found {
		t.Errorf("no overview:\n%s", a.channel(crew))
	}
}

// With several matters waiting, a typed answer says which; a number means the same when it comes again, and an answer that fitted
// two is for neither later.
func TestWhichMatterIsAnswered(t *testing.T) {
	a := newAgreeing(t)
	a.send("p2", 0, a.line(bot.AgreePass, "de sleutels", ""))
	first := a.now()
	a.editTeam(func(t *bot.Team) { // another of four weeks before, on the vote of a season
		old := first
		old.Round, old.Line, old.Made = "before", "de bloktijden", first.Made.AddDate(0, 0, -28)
		t.Agreements = []bot.Agreement{old, first}
	})
	before := bot.Round{ID: "before", Team: crew, Kind: bot.RoundQuestion, State: bot.RoundPlanned, Due: a.r.Due.AddDate(0, 0, -28), Lang: "nl"}
	if err := a.db.PlanRound(context.Background(), before, func(*bot.Team) (bot.Also, error) { return bot.Also{}, nil }); err != nil {
		t.Fatal(err)
	}
	if got := a.says("p1", 10, "antwoord leiding gedaan"); !strings.Contains(got, "1. Doorgegeven aan") || !strings.Contains(got, "2. Doorgegeven aan") {
		t.Error(got)
	}
	a.says("p1", 20, "antwoord leiding 1 later 1 december")
	a.says("p1", 30, "antwoord leiding 1 gedaan")
	for range 2 { // what came before comes again
		a.says("p1", 10, "antwoord leiding gedaan")
		a.says("p1", 20, "antwoord leiding 1 later 1 december")
	}
	both := a.team().Agreements
	if both[0].Answer == nil || both[0].Answer.Kind != bot.AnswerDone || both[1].Answer != nil {
		t.Fatalf("%+v", both)
	}
	a.says("p1", 40, "antwoord leiding gedaan")
	if both = a.team().Agreements; both[1].Answer == nil {
		t.Errorf("%+v", both[1])
	}
}
