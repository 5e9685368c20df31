package bot_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/prompts"
)

// bigLibrary has prompts enough for years, so that calendar tests never run dry.
func bigLibrary(t testing.TB) prompts.Library {
	t.Helper()
	lib, err := prompts.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	base, _ := lib.Prompt("all-last-job")
	light, _ := lib.Prompt("practice-no-and-stay")
	base.Reviewer, light.Reviewer = "Reader", "Reader"
	for i := range 200 {
		p := base
		p.ID, p.Family, p.Intensity = prompts.ID(fmt.Sprintf("test-dilemma-%d", i)), fmt.Sprintf("test-family-%d", i), 1
		p.Tensions = []prompts.TensionID{lib.Tensions[i%len(lib.Tensions)].ID}
		lib.Prompts = append(lib.Prompts, p)
		q := light
		q.ID, q.Family, q.Kind = prompts.ID(fmt.Sprintf("test-light-%d", i)), fmt.Sprintf("test-light-family-%d", i), prompts.Practice
		if i%2 == 0 {
			q.Kind = prompts.Appreciative
		}
		lib.Prompts = append(lib.Prompts, q)
	}
	return lib
}

// quietDays2026 are written out here, so that the test does not believe the code it tests.
var quietDays2026 = []string{
	"2026-01-01", "2026-04-03", "2026-04-06", "2026-04-27", "2026-05-05", "2026-05-14", "2026-05-25", "2026-12-25", "2026-12-26",
	"2027-01-01", "2027-03-26", "2027-03-29", "2027-04-27", "2027-05-05", "2027-05-06", "2027-05-17",
}

func workday(t time.Time) bool {
	return t.Weekday() != time.Saturday && t.Weekday() != time.Sunday && !slices.Contains(quietDays2026, t.Format(time.DateOnly))
}

func nextWorkday(t time.Time) time.Time {
	for !workday(t) {
		t = t.AddDate(0, 0, 1)
	}
	return t
}

// A year of weekly rounds in three time zones, through both changes of the clocks in each and all holidays, with the
// process stopped and started at random points: the right moments, each round once.
func TestAYearInThreeZones(t *testing.T) {
	chattest.Bubble(t, func(t *testing.T) {
		chattest.Until(time.Date(2026, 1, 26, 12, 0, 0, 0, time.UTC)) // a Monday
		w := newWorld(t, func(o *bot.Options) { o.Library = bigLibrary(t) })
		zones := map[bot.TeamID]string{"fake:ams": "Europe/Amsterdam", "fake:nyc": "America/New_York", "fake:akl": "Pacific/Auckland"}
		if bot.Raced {
			delete(zones, "fake:nyc")
			delete(zones, "fake:akl")
		}
		for team, name := range zones {
			w.fake.Crew(team, 8)
			w.fake.Add(chattest.Person{ID: "m-" + name, Name: "Manager", Lang: prompts.English, Zone: name, Channels: []bot.TeamID{team}, Manages: []bot.TeamID{team}})
		}
		w.run()
		ctx := context.Background()
		for team, name := range zones {
			r, err := w.fake.Command(ctx, "m-"+name, team, "on")
			if err != nil || r.Form == nil {
				t.Fatal(err)
			}
			r, err = w.fake.Submit(ctx, "m-"+name, team, r.Form, map[string][]string{"adviser": {"A"}, "worktime": {"yes"}})
			if err != nil || len(r.Errors) > 0 {
				t.Fatal(err, r.Errors)
			}
		}
		random := rand.New(rand.NewPCG(7, 7))
		end := time.Date(2027, 1, 26, 12, 0, 0, 0, time.UTC)
		if bot.Raced { // one change of the clocks
			end = time.Date(2026, 6, 16, 12, 0, 0, 0, time.UTC)
		}
		done := map[bot.RoundID]bool{}
		restarts := 0
		for time.Now().Before(end) {
			time.Sleep(time.Duration(random.IntN(40*60)+1) * time.Minute)
			synctest.Wait()
			for team := range zones {
				for _, r := range w.openIn(team) {
					if done[r.ID] {
						continue
					}
					done[r.ID] = true
					for i := range 5 + random.IntN(3) {
						person := fmt.Sprintf("p%d", i+1)
						if r.Kind == bot.RoundQuestion {
							w.answer(person, r.ID, map[string][]string{"text": {"iets"}, "share": {"count"}})
						} else if _, err := w.fake.Press(ctx, person, team, bot.Action{Do: "vote", Round: r.ID, Arg: "go-on"}); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
			if random.IntN(12) == 0 { // stopped at any point of the week, started again at once
				w.close()
				w.open()
				w.run()
				restarts++
			}
		}
		synctest.Wait()
		for team, name := range zones {
			checkYear(t, w, team, name)
		}
		t.Logf("%d restarts", restarts)
		w.close()
	})
}

// openIn are the rounds that take something now.
func (w *world) openIn(team bot.TeamID) (open []bot.Round) {
	w.t.Helper()
	t, err := w.db.Team(context.Background(), team)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, id := range []bot.RoundID{t.Open, t.Vote} {
		if id == "" {
			continue
		}
		r, err := w.db.Round(context.Background(), id)
		if err != nil {
			w.t.Fatal(err)
		}
		if r.State == bot.RoundOpen {
			open = append(open, r)
		}
	}
	return open
}

func checkYear(t *testing.T, w *world, team bot.TeamID, name string) {
	loc := zone(t, name)
	rounds, err := w.db.Rounds(context.Background(), team)
	if err != nil {
		t.Fatal(err)
	}
	posts := map[string]chattest.Posted{}
	for _, p := range w.fake.Posts(team) {
		title := p.First.Blocks[0].Spans[0].Text
		posts[p.At.In(loc).Format(time.DateTime)+" "+title] = p
	}
	var dues []string
	var lastGiven time.Time
	votes := map[string]bool{}
	for _, r := range rounds {
		if r.Kind == bot.RoundSeason {
			votes[r.Opens.In(loc).Format(time.DateOnly)] = true
		}
	}
	for _, r := range rounds {
		if r.Kind != bot.RoundQuestion {
			continue
		}
		due := r.Due.In(loc)
		dues = append(dues, due.Format(time.DateOnly))
		if due.Weekday() != time.Tuesday || due.Format("15:04") != "10:00" {
			t.Errorf("%s: due %v", name, due)
		}
		// Expected moments, from the calendar written out above.
		opens := nextWorkday(due)
		if !lastGiven.IsZero() && opens.Format(time.DateOnly) <= lastGiven.Format(time.DateOnly) {
			opens = nextWorkday(time.Date(lastGiven.Year(), lastGiven.Month(), lastGiven.Day()+1, 10, 0, 0, 0, loc))
		}
		closes := nextWorkday(due.AddDate(0, 0, 6))
		gives := nextWorkday(time.Date(due.Year(), due.Month(), due.Day()+6, 15, 0, 0, 0, loc))
		for what, pair := range map[string][2]time.Time{"opens": {r.Opens, opens}, "closes": {r.Closes, closes}, "gives back": {r.GivesBack, gives}} {
			if !pair[0].Equal(pair[1]) {
				t.Errorf("%s: round of %s %s %v, want %v", name, due.Format(time.DateOnly), what, pair[0].In(loc), pair[1])
			}
		}
		title := r.Prompt.In(r.Lang).Title
		if _, ok := posts[opens.Format(time.DateTime)+" "+title]; !ok {
			t.Errorf("%s: no question in the channel at %v", name, opens)
		}
		if r.State == bot.RoundGivenBack {
			found := 0
			for key := range posts {
				if strings.HasPrefix(key, gives.Format(time.DateTime)) && strings.Contains(key, title) {
					found++
				}
			}
			if found != 1 {
				t.Errorf("%s: %d give-backs at %v", name, found, gives)
			}
		}
		lastGiven = gives
	}
	if len(dues) != len(slices.Compact(slices.Clone(dues))) {
		t.Errorf("%s: a round was asked twice: %v", name, dues)
	}
	// Every Tuesday of the year but those after a season's end, when the team is asked whether to go on.
	first := time.Date(2026, 1, 27, 10, 0, 0, 0, loc)
	var want []string
	for d := first; d.Before(time.Now()); d = d.AddDate(0, 0, 7) {
		if votes[d.AddDate(0, 0, -1).Format(time.DateOnly)] || votes[d.Format(time.DateOnly)] {
			continue
		}
		want = append(want, d.Format(time.DateOnly))
	}
	if !slices.Equal(dues, want) {
		t.Errorf("%s: dues %v\nwant %v", name, dues, want)
	}
	if weeks := int(time.Since(first).Hours() / 24 / 7); len(votes) < weeks/16 {
		t.Errorf("%s: %d seasons ended in %d weeks", name, len(votes), weeks)
	}
}

// Three weeks down: the newest round alone is asked, and only while half its window is left.
func TestThreeMissedWeeksAskOnce(t *testing.T) {
	chattest.Bubble(t, func(t *testing.T) {
		chattest.Until(time.Date(2026, 9, 1, 6, 0, 0, 0, time.UTC))
		w := newWorld(t, func(o *bot.Options) { o.Library = bigLibrary(t) })
		w.run()
		w.switchOn(crew, nil)
		chattest.Until(time.Date(2026, 9, 1, 9, 0, 0, 0, time.UTC))
		synctest.Wait()
		w.close()
		before := len(w.fake.Posts(crew))
		chattest.Until(time.Date(2026, 9, 23, 9, 0, 0, 0, time.UTC)) // a Wednesday, three openings later
		w.open()
		w.run()
		time.Sleep(time.Minute)
		synctest.Wait()
		questions, tooFew := 0, 0
		for _, p := range w.fake.Posts(crew)[before:] {
			text := p.First.Plain()
			if strings.Contains(text, "Antwoord zonder naam") {
				questions++
			}
			if strings.Contains(text, "te weinig antwoorden") {
				tooFew++
			}
		}
		if questions != 1 || tooFew != 1 {
			t.Errorf("%d questions, %d give-backs after three weeks", questions, tooFew)
		}
		if r := w.openRound(crew); !r.Due.Equal(time.Date(2026, 9, 22, 8, 0, 0, 0, time.UTC)) {
			t.Errorf("asked the round of %v", r.Due)
		}
		w.close()
	})
}

// The clock is set back an hour after a round opened: nothing is asked or posted again. Step takes the moment it is
// told, so that the test can turn it back.
func TestClockSetBack(t *testing.T) {
	w := newWorld(t, nil)
	defer w.close()
	ctx := context.Background()
	now := time.Now()
	w.switchOn(crew, map[string][]string{"rhythm": {"weekly"}})
	team, err := w.db.Team(ctx, crew)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []time.Time{team.NextOpens, team.NextOpens.Add(-time.Hour), team.NextOpens.Add(time.Minute), now, team.NextOpens.Add(2 * time.Minute)} {
		if _, err := w.bot.Step(ctx, at); err != nil {
			t.Fatal(err)
		}
		if _, err := w.bot.Send(ctx, at); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(w.fake.Posts(crew)); n != 2 {
		t.Errorf("%d posts, want the announcement and one question", n)
	}
}

// A whole round within minutes, by configuration alone.
func TestCustomRoundInMinutes(t *testing.T) {
	chattest.Bubble(t, func(t *testing.T) {
		chattest.Until(time.Date(2026, 12, 26, 23, 30, 30, 0, time.UTC)) // a holiday, a Saturday, at night
		w := newWorld(t, func(o *bot.Options) {
			o.Team.Rhythm, o.Team.Cron, o.Team.Window, o.Team.GiveBackAfter = bot.RhythmCustom, "*/10 * * * *", "4m", "1m"
			o.Team.QuietHours, o.Team.WorkdaysOnly, o.Team.Holidays = "", false, nil
		})
		w.run()
		defer w.close()
		w.switchOn(crew, nil)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		r := w.openRound(crew)
		for i := range 6 {
			w.answer(fmt.Sprintf("p%d", i+1), r.ID, map[string][]string{"text": {"kort"}, "share": {"share"}})
		}
		time.Sleep(5*time.Minute + time.Second)
		synctest.Wait()
		got, err := w.db.Round(context.Background(), r.ID)
		if err != nil || got.State != bot.RoundGivenBack {
			t.Fatalf("%v %v", got.State, err)
		}
	})
}
