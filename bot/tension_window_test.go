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

const toldTitle = "Wat er terugkomt"

// closingsOf counts anew which rounds close a window, and which a block that has one before it.
func closingsOf(rounds []bot.Round, ends map[bot.RoundID]bool) (windows, blocks []int) {
	var open []bot.Round
	content := 0
	for _, r := range rounds {
		if len(open) > 0 && r.Closes.Sub(open[0].Opens) > 40*7*24*time.Hour {
			if len(open) >= 4 {
				windows = append(windows, r.Number)
			}
			open = nil
		}
		if r.Tally != nil && r.Tally.Respondents >= 5 {
			open = append(open, r)
			if content++; content%12 == 0 && content > 12 {
				blocks = append(blocks, r.Number)
			}
		}
		if len(open) == 6 || len(open) >= 4 && ends[r.ID] {
			windows = append(windows, r.Number)
			open = nil
		}
	}
	return windows, blocks
}

// saidAt says at which rounds something was said of what comes back, and of what changed.
func saidAt(rounds []bot.Round) (windows, blocks []int) {
	for _, r := range rounds {
		change := func(s bot.Statement) bool {
			return slices.Contains([]bot.StatementKind{bot.SaidMore, bot.SaidLess, bot.SaidSame, bot.SaidIncomparable}, s.Kind)
		}
		if slices.ContainsFunc(r.Statements, change) {
			blocks = append(blocks, r.Number)
		}
		if slices.ContainsFunc(r.Statements, func(s bot.Statement) bool { return !change(s) }) {
			windows = append(windows, r.Number)
		}
	}
	return windows, blocks
}

// A year and more of each rhythm, now and then with too few answers: of what comes back is spoken when a window closes, of
// what changed when a block does, and between these nothing in the channel says either. What was said is in the thread of
// its give-back, at a season's end in the overview, and reads the same when it is made again.
func TestAYearOfStatements(t *testing.T) {
	rhythms := []bot.RhythmName{bot.RhythmWeekly, bot.RhythmTalkOnly, bot.RhythmFourBeat, bot.RhythmFortnightly, bot.RhythmMonthly, bot.RhythmCustom}
	if bot.Raced {
		rhythms = rhythms[:1]
	}
	for _, rhythm := range rhythms {
		t.Run(string(rhythm), func(t *testing.T) {
			chattest.Bubble(t, func(t *testing.T) {
				chattest.Until(time.Date(2026, 8, 31, 6, 0, 0, 0, time.UTC))
				w := newWorld(t, func(o *bot.Options) {
					o.Library = bigLibrary(t)
					o.Team.Rhythm = rhythm
					if rhythm == bot.RhythmCustom {
						o.Team.Cron, o.Team.Window, o.Team.GiveBackAfter = "0 10 * * TUE", "2d", "3h"
					}
				})
				w.run()
				defer w.close()
				w.switchOn(crew, nil)
				yearOfStatements(t, w, rhythm)
			})
		})
	}
}

func yearOfStatements(t *testing.T, w *world, rhythm bot.RhythmName) {
	ctx := context.Background()
	random := rand.New(rand.NewPCG(21, 0))
	ids := library(t).Tensions
	done := map[bot.RoundID]bool{}
	for end := time.Now().AddDate(1, 2, 0); time.Now().Before(end); time.Sleep(24 * time.Hour) {
		synctest.Wait()
		for _, r := range w.openIn(crew) {
			if done[r.ID] {
				continue
			}
			done[r.ID] = true
			if r.Kind != bot.RoundQuestion {
				for i := range 6 {
					if _, err := w.fake.Press(ctx, fmt.Sprintf("p%d", i+1), crew, bot.Action{Do: "vote", Round: r.ID, Arg: "go-on"}); err != nil {
						t.Fatal(err)
					}
				}
				continue
			}
			people := 6
			if len(done)%7 == 5 {
				people = 3
			}
			for i := range people {
				tags := []string{"none"}
				if k := random.IntN(8); k < len(ids) {
					tags = []string{string(ids[k].ID), string(ids[(k+1)%2].ID)}
					slices.Sort(tags)
					tags = slices.Compact(tags)
				}
				w.answer(fmt.Sprintf("p%d", i+1), r.ID, map[string][]string{"text": {"iets"}, "share": {"count"}, "tags": tags})
			}
		}
	}
	synctest.Wait()
	all, err := w.db.Rounds(ctx, crew)
	if err != nil {
		t.Fatal(err)
	}
	votes := map[time.Time]bool{}
	var rounds []bot.Round
	for _, r := range all {
		if r.Kind == bot.RoundSeason {
			votes[r.Due] = true
		}
		if r.Kind == bot.RoundQuestion && (r.State == bot.RoundGivenBack || r.State == bot.RoundTooFew) {
			rounds = append(rounds, r)
		}
	}
	ends := map[bot.RoundID]bool{}
	for _, r := range rounds {
		ends[r.ID] = votes[r.Due]
		if r.Ends != votes[r.Due] {
			t.Errorf("round %d ends the season: %v", r.Number, r.Ends)
		}
	}
	wantWindows, wantBlocks := closingsOf(rounds, ends)
	gotWindows, gotBlocks := saidAt(rounds)
	if !slices.Equal(gotWindows, wantWindows) || !slices.Equal(gotBlocks, wantBlocks) {
		t.Errorf("spoken of windows at %v, want %v; of blocks at %v, want %v", gotWindows, wantWindows, gotBlocks, wantBlocks)
	}
	if n := len(wantWindows); rhythm != bot.RhythmTalkOnly && n < 2 || rhythm == bot.RhythmTalkOnly && n > 0 {
		t.Errorf("%d windows closed", n)
	}
	if planted := slices.Clone(rounds); len(planted) > 0 {
		i := slices.IndexFunc(planted, func(r bot.Round) bool { return len(r.Statements) > 0 })
		planted[i-1].Statements = planted[i].Statements
		if got, _ := saidAt(planted); slices.Equal(got, wantWindows) {
			t.Error("planted violation passed: something was said a round too early")
		}
	}
	t.Logf("%d rounds, windows close at %v, blocks at %v", len(rounds), wantWindows, wantBlocks)
	checkTold(t, w, rounds, votes)
}

// checkTold holds the channel to the records.
func checkTold(t *testing.T, w *world, rounds []bot.Round, votes map[time.Time]bool) {
	ctx := context.Background()
	said, overviews := map[bot.Ref]string{}, 0
	for _, p := range w.fake.Posts(crew) {
		text := p.First.Plain()
		switch {
		case strings.HasPrefix(text, "# "+toldTitle):
			if p.Thread == "" || said[p.Thread] != "" {
				t.Errorf("told outside the thread of its give-back, or twice:\n%s", text)
			}
			said[p.Thread] = text
		case strings.HasPrefix(text, "# Waar het bij ons schuurt"):
			overviews++
		default:
			for _, claim := range []string{"kwam ook terug", "in kleine aantallen", "herkennen jullie", "terugkerend", "twaalf ervoor"} {
				if strings.Contains(text, claim) {
					t.Errorf("said %q outside a closing:\n%s", claim, text)
				}
			}
		}
	}
	if overviews != len(votes) {
		t.Errorf("%d overviews at %d ends of seasons", overviews, len(votes))
	}
	told := 0
	for _, r := range rounds {
		post, err := w.db.Post(ctx, bot.PostID(string(r.ID)+"/give-back"))
		if err != nil {
			t.Fatal(err)
		}
		want := ""
		if len(r.Statements) > 0 && !r.Ends {
			want = bot.Told(r).Plain()
			told++
		}
		if said[post.Ref] != want {
			t.Errorf("round %d told:\n%s\nwant\n%s", r.Number, said[post.Ref], want)
		}
	}
	if len(said) != told {
		t.Errorf("%d were told, %d should be", len(said), told)
	}
	seen, err := w.bot.Export(ctx, crew)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range seen {
		if s.What == bot.SeenTold {
			told--
		}
	}
	if told != 0 {
		t.Errorf("an export lacks %d of what was told", told)
	}
	for _, r := range rounds { // a person of the channel may ask what it rests on, in private
		if len(r.Statements) == 0 {
			continue
		}
		a, err := w.fake.Press(ctx, "p3", crew, bot.Action{Do: "why", Round: r.ID, Arg: "said"})
		if err != nil || !strings.Contains(plain(a), "Wat een programma vermoedt, telt niet mee.") {
			t.Errorf("why: %v\n%s", err, plain(a))
		}
		w.fake.Add(chattest.Person{ID: "stranger", Name: "Stranger", Lang: prompts.Dutch, Channels: []bot.TeamID{"fake:elsewhere"}})
		a, err = w.fake.Press(ctx, "stranger", crew, bot.Action{Do: "why", Round: r.ID, Arg: "said"})
		if err != nil || strings.Contains(plain(a), "De schrijvers") || strings.Contains(plain(a), "Over geen spanning") {
			t.Errorf("why, to a stranger: %v\n%s", err, plain(a))
		}
		b, err := w.fake.Command(ctx, "p3", crew, "waarom")
		if err != nil || !strings.Contains(plain(b), "Waarom ik dit zei") {
			t.Errorf("waarom: %v\n%s", err, plain(b))
		}
		break
	}
}
