package bot_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/prompts"
)

// choosing is a team that goes through its rounds and chooses.
type choosing struct {
	*world
	t    *testing.T
	lang prompts.Lang
	s    script
	done map[bot.RoundID]bool
	told map[string]bool
}

func newChoosing(t *testing.T, lang prompts.Lang, change func(*bot.Options)) *choosing {
	t.Helper()
	w := newWorld(t, func(o *bot.Options) {
		o.Library, o.Team.Lang = bigLibrary(t), lang
		if change != nil {
			change(o)
		}
	})
	for i := range 8 {
		p := chattest.Person{ID: fmt.Sprintf("p%d", i+1), Name: fmt.Sprintf("Person %d", i+1), Lang: lang, Channels: []bot.TeamID{crew}}
		if i == 0 {
			p.Name, p.Manages = "Kim de Baas", []bot.TeamID{crew}
		}
		w.fake.Add(p)
	}
	w.run()
	r, err := w.fake.Command(context.Background(), "p1", crew, "on")
	if err == nil {
		_, err = w.fake.Submit(context.Background(), "p1", crew, r.Form, map[string][]string{"adviser": {"Sam de Wit (tst 12)"}, "worktime": {"yes"}})
	}
	if err != nil {
		t.Fatal(err)
	}
	return &choosing{world: w, t: t, lang: lang, done: map[bot.RoundID]bool{}, told: map[string]bool{}}
}

// until lets the days go by; six people answer every round. The platform's clock is the bubble's.
func (c *choosing) until(at time.Time) {
	c.t.Helper()
	ctx := context.Background()
	for {
		synctest.Wait()
		rounds, err := c.db.Rounds(ctx, crew)
		if err != nil {
			c.t.Fatal(err)
		}
		for _, r := range rounds {
			if r.State != bot.RoundOpen || r.Kind != bot.RoundQuestion || c.done[r.ID] {
				continue
			}
			c.done[r.ID] = true
			for i := range 6 {
				text := "iets"
				if r.About != nil {
					text = []string{"Scheelt soms een heel gesprek.", "Niets.", "Als het druk is, schiet het erbij in.", "x", "x", "x"}[i]
				}
				share := "share"
				if i > 2 {
					share = "count"
				}
				c.answer(fmt.Sprintf("p%d", i+1), r.ID, map[string][]string{"text": {text}, "share": {share}})
			}
		}
		if !time.Now().Before(at) {
			return
		}
		next := time.Now().Add(24 * time.Hour)
		if next.After(at) {
			next = at
		}
		chattest.Until(next)
	}
}

func (c *choosing) day(month time.Month, day, hour int) {
	c.t.Helper()
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		c.t.Fatal(err)
	}
	c.until(time.Date(2026, month, day, hour, 0, 1, 0, zone))
}

func (c *choosing) word(nl, en string) string {
	if c.lang == prompts.Dutch {
		return nl
	}
	return en
}

// stands are the messages that now stand in the channel and hold a text, newest last.
func (c *choosing) stands(text string) (out []chattest.Posted) {
	return slices.DeleteFunc(c.fake.Posts(crew), func(p chattest.Posted) bool { return !strings.Contains(p.Message.Plain(), text) })
}

func (c *choosing) press(person string, a bot.Action) bot.Response {
	c.t.Helper()
	r, err := c.fake.Press(context.Background(), person, crew, a)
	if err != nil {
		c.t.Fatal(err)
	}
	synctest.Wait()
	return r
}

func (c *choosing) submit(person string, form *bot.Form, values map[string][]string) bot.Response {
	c.t.Helper()
	r, err := c.fake.Submit(context.Background(), person, crew, form, values)
	if err != nil {
		c.t.Fatal(err)
	}
	synctest.Wait()
	return r
}

func (c *choosing) command(person, text string) bot.Response {
	c.t.Helper()
	r, err := c.fake.Command(context.Background(), person, crew, text)
	if err != nil {
		c.t.Fatal(err)
	}
	synctest.Wait()
	return r
}

// news writes down what is new in the channel about what was chosen: whole messages, and of others the lines that tell it.
func (c *choosing) news(what string) {
	synctest.Wait()
	about := []string{"afspraak", "afspreken", "kiezen", "Kies daarna", "kozen", "oorgegeven", "zonder antwoord", "Antwoord van de leiding", "keken we", "greement", "choose", "chose", "assed on", "Not answered", "manager's answer", "looked back"}
	for _, p := range c.fake.Posts(crew) {
		text := p.Message.Plain()
		if c.told[string(p.Ref)+text] {
			continue
		}
		c.told[string(p.Ref)+text] = true
		if strings.HasPrefix(text, "# "+c.word("Terugblik", "Looking back")) {
			var lines []string
			for line := range strings.Lines(text) {
				if slices.ContainsFunc(about[2:], func(a string) bool { return strings.Contains(line, a) }) {
					lines = append(lines, strings.TrimSpace(line))
				}
			}
			text = strings.Join(lines, "\n")
		}
		if !slices.ContainsFunc(about, func(a string) bool { return strings.Contains(text, a) }) || strings.HasPrefix(text, c.word("Een kwartier", "A quarter")) {
			continue
		}
		where := "the channel"
		if p.Thread != "" {
			where = "a thread"
		}
		if p.Edits > 0 {
			where += ", in place"
		}
		c.s.say(what+": "+time.Now().UTC().Format("Mon 2 Jan")+", in "+where, text)
	}
}

// actions are the buttons of a message.
func actions(m bot.Message) (out []bot.Action) {
	for _, b := range m.Blocks {
		out = append(out, b.Actions...)
	}
	return out
}

// A season in which the team tries something and looks back on it, passes something on, and hears from its manager: later, late,
// and done.
func TestGoldenAgreements(t *testing.T) {
	for _, lang := range prompts.Langs() {
		t.Run(string(lang), func(t *testing.T) {
			cryptotest.SetGlobalRandom(t, 7)
			chattest.Bubble(t, func(t *testing.T) { goldenAgreements(t, lang) })
		})
	}
}

func goldenAgreements(t *testing.T, lang prompts.Lang) {
	chattest.Until(time.Date(2026, 9, 1, 6, 0, 0, 0, time.UTC)) // Tuesday 08:00 in Amsterdam
	c := newChoosing(t, lang, nil)
	defer func() { c.close() }()
	c.day(time.September, 22, 11)
	if n := len(c.stands(c.word("Wat kiezen we?", "What do we choose?"))); n != 0 {
		t.Fatalf("asked %d times before the fourth round is given back", n)
	}
	c.day(time.September, 28, 16)
	c.news("the fourth week")
	ask := c.stands(c.word("Wat kiezen we?", "What do we choose?"))
	if len(ask) != 1 || ask[0].Thread == "" {
		t.Fatalf("asked %d times", len(ask))
	}
	buttons := actions(ask[0].Message)
	form := c.press("p3", buttons[0])
	c.s.response("the form for a line", form)
	c.s.response("too long", c.submit("p3", form.Form, map[string][]string{"line": {strings.Repeat("woord ", 40)}}))
	c.s.response("somebody is named", c.submit("p3", form.Form, map[string][]string{"line": {c.word("Person 4 belt vooraf", "Person 4 calls first")}}))
	c.s.response("somebody else leaves it", c.press("p5", buttons[1]))
	c.news("left")
	time.Sleep(time.Minute)
	c.s.response("written down", c.submit("p3", form.Form, map[string][]string{"line": {c.word("vooraf bellen.", "call first.")}}))
	c.news("written down")
	c.s.response("how it stands", c.command("p6", c.word("afspraak", "agreement")))
	c.day(time.September, 29, 11)
	c.news("the next question has come")
	c.s.response("too late", c.press("p3", buttons[1]))
	c.close()
	c.open()
	c.run()

	c.day(time.October, 26, 16)
	c.news("the eighth week")
	ask = c.stands(c.word("Wat kiezen we?", "What do we choose?"))
	form = c.press("p2", actions(ask[0].Message)[2])
	c.s.response("the form to pass on", form)
	c.submit("p2", form.Form, map[string][]string{"line": {c.word("de bloktijden", "the time blocks")}})
	c.news("passed on")
	c.day(time.November, 2, 16)
	c.news("the give-back after it")
	c.s.response("status, a member", c.command("p2", "status"))
	pass := c.stands(c.word("Doorgegeven aan", "Passed on to"))
	answer := actions(pass[0].Message)[0]
	c.s.response("a member tries to answer", c.press("p2", answer))
	form = c.press("p1", answer)
	c.s.response("the manager's form", form)
	c.s.response("a day that has passed", c.submit("p1", form.Form, map[string][]string{"answer": {"later"}, "day": {"1-1-2026"}}))
	c.s.response("no reason", c.submit("p1", form.Form, map[string][]string{"answer": {"not"}}))
	c.s.response("later", c.submit("p1", form.Form, map[string][]string{"answer": {"later"}, "day": {c.word("11 november", "11 November")},
		"words": {c.word("met een voorstel", "with a proposal")}}))
	c.news("later")
	c.day(time.November, 12, 11)
	c.news("the look-back is asked, and the day has passed")
	c.day(time.November, 16, 16)
	c.news("the look-back is given back")
	c.s.response("answered in words", c.command("p1", c.word("antwoord leiding gedaan: vanaf januari geldt het nieuwe rooster", "manager answer done: the new schedule holds from January")))
	c.news("done")
	c.day(time.November, 24, 11)
	c.news("the season ends")
	for _, a := range []struct{ nl, en string }{{"seizoen", "season"}, {"afspraak proberen", "agreement try"}} {
		c.s.response("command: "+c.word(a.nl, a.en), c.command("p4", c.word(a.nl, a.en)))
	}
	c.s.response("typed", c.command("p4", c.word("afspraak proberen: elke maandag de planning doornemen", "agreement try: go through the planning each Monday")))
	c.news("written down at the season's end")
	golden(t, "agreements."+string(lang), c.s.String())
	audit, err := c.db.Audit(context.Background())
	if err != nil || len(audit) != 3 || audit[1].What != "answer" || audit[1].How != "later" || audit[2].How != "done" {
		t.Errorf("%v %v", audit, err)
	}
}

// The other rhythms ask in their fourth week: four beats and a month at a moment of their own, on Thursday at ten; and what is
// tried is looked back on in the next main round after six weeks, once.
func TestRhythmsAsk(t *testing.T) {
	for rhythm, want := range map[bot.RhythmName][]string{
		bot.RhythmFourBeat:    {"24 Sep 10:00", "22 Oct 10:00", "19 Nov 10:00"},
		bot.RhythmMonthly:     {"24 Sep 10:00", "22 Oct 10:00", "19 Nov 10:00"},
		bot.RhythmFortnightly: {"22 Oct 10:00"},
		bot.RhythmWeekly:      {"28 Sep 15:00", "26 Oct 15:00"},
		bot.RhythmTalkOnly:    nil,
	} {
		t.Run(string(rhythm), func(t *testing.T) {
			chattest.Bubble(t, func(t *testing.T) {
				chattest.Until(time.Date(2026, 9, 1, 6, 0, 0, 0, time.UTC))
				c := newChoosing(t, prompts.Dutch, func(o *bot.Options) { o.Team.Rhythm = rhythm })
				defer c.close()
				zone, _ := time.LoadLocation("Europe/Amsterdam")
				var asked []string
				seen := map[bot.Ref]bool{}
				for c.team().SeasonRounds < 12 && time.Now().Before(time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)) {
					c.until(time.Now().Add(24 * time.Hour))
					for _, p := range c.fake.Posts(crew) {
						if !strings.HasPrefix(p.First.Plain(), "Wat kiezen we?") || seen[p.Ref] {
							continue
						}
						seen[p.Ref] = true
						asked = append(asked, p.At.In(zone).Format("2 Jan 15:04"))
						if len(asked) == 1 {
							if got := plain(c.command("p2", "afspraak proberen: eerst bellen")); !strings.Contains(got, "Opgeschreven") {
								t.Error(got)
							}
						}
					}
				}
				if !slices.Equal(asked, want) {
					t.Errorf("asked at %q, want %q", asked, want)
				}
				wantBack := map[bot.RhythmName][]string{bot.RhythmFourBeat: {"24 Nov"}, bot.RhythmWeekly: {"10 Nov"}}
				c.until(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC))
				rounds, err := c.db.Rounds(context.Background(), crew)
				if err != nil {
					t.Fatal(err)
				}
				var back []string
				for _, r := range rounds {
					if r.About != nil {
						back = append(back, r.Opens.In(zone).Format("2 Jan"))
						if r.Slot != prompts.SlotMain || r.Prompt.Kind != prompts.LookBack {
							t.Errorf("%s %s", r.Slot, r.Prompt.Kind)
						}
					}
				}
				if !slices.Equal(back, wantBack[rhythm]) {
					t.Errorf("looked back %q, want %q", back, wantBack[rhythm])
				}
			})
		})
	}
}
